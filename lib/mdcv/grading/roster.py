"""Who is in the class, and when what is due: course/roster.csv and course/schedule.csv."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

from mdcv.grading.course import CannotRun, Course

NAMES = ("first_name", "last_name", "email")


def students(course: Course) -> dict[str, dict[str, str]]:
    """First name, last name and email by student id, as far as the roster knows them."""
    rows = _rows(course.root / "roster.csv", "id")
    return {row["id"]: {name: row.get(name) or "" for name in NAMES} for row in rows}


def accounts(course: Course) -> dict[str, dict[str, str]]:
    """What the learning platforms call each student, by student id: the roster's other columns."""
    rows = _rows(course.root / "roster.csv", "id")
    return {
        row["id"]: {
            name: value.strip()
            for name, value in row.items()
            if name not in ("id", *NAMES) and isinstance(value, str)
        }
        for row in rows
    }


def title(course: Course, assignment: str, column: str) -> str:
    """What a learning platform calls an assignment: a column of the schedule, else its name."""
    for row in _rows(course.root / "schedule.csv", "assignment"):
        if row["assignment"] == assignment:
            return (row.get(column) or "").strip() or assignment
    return assignment


def due_date(course: Course, assignment: str) -> str | None:
    """When an assignment is due, as the schedule says; None without a date.

    Raises:
        CannotRun: the schedule's date is no date.
    """
    for row in _rows(course.root / "schedule.csv", "assignment"):
        due = (row.get("due") or "").strip()
        if row["assignment"] == assignment and due:
            try:
                return datetime.fromisoformat(due).isoformat(sep=" ")
            except ValueError as error:
                raise CannotRun(
                    f"schedule.csv: {assignment} is due {due!r}; expected 2030-01-31 23:59"
                ) from error
    return None


def _rows(path: Path, key: str) -> list[dict[str, str]]:
    """The rows of a table that have a key; an absent table has none."""
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # a spreadsheet marks its UTF-8
            table = csv.DictReader(file)
            if key not in (table.fieldnames or []):
                there = ", ".join(map(repr, table.fieldnames or [])) or "none"
                raise CannotRun(f"{path.name} has no column {key!r}; its columns are {there}")
            return [{**row, key: row[key].strip()} for row in table if (row[key] or "").strip()]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CannotRun(f"{path} cannot be read: {error}") from error
