"""The gradebook as files: for a spreadsheet, for Canvas, for Moodle.

A platform knows a student by its own ids and an assignment by its own title. Both are told in
the course's two tables, in columns that may be left out:

    roster.csv      canvas_id, sis_user_id, sis_login_id, section      for Canvas
                    moodle_id, username                                for Moodle
    schedule.csv    canvas_title, moodle_title
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

from mdcv.grading import roster
from mdcv.grading.course import Course
from mdcv.grading.report import Row


def as_csv(course: Course, assignment: str, students: list[Row]) -> str:
    """One row a student, with a column for each question."""
    questions = list(dict.fromkeys(name for row in students for name in row.questions))
    head = ["student", "last_name", "first_name", "email", "handed_in", "score", "max_score"]
    lines = [[*head, "late_penalty", "needs_grading_by_hand", *questions]]
    for row in students:
        about = [row.student, row.last_name, row.first_name, row.email, _yes(row.handed_in)]
        total = [_points(row.score), _points(row.max_score), _points(row.late_penalty)]
        each = [_points(row.questions[name]) if row.handed_in else "" for name in questions]
        lines.append([*about, *total, _yes(row.needs_hand), *each])
    return _written(lines)


def as_canvas(course: Course, assignment: str, students: list[Row]) -> str:
    """The file for Canvas's gradebook import: its five columns, then the assignment.

    The second row holds the points possible. Canvas finds a user by ID, by SIS User ID or by SIS
    Login ID, so one of them has to be right: without columns of the roster the student's id
    stands as SIS Login ID. Without a submission the cell is empty, and Canvas keeps what it has.
    A title that Canvas does not know becomes a new assignment; with "Title (123)" it is number
    123.
    """
    title = roster.title(course, assignment, "canvas_title")
    lines = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title]]
    possible = _points(students[0].max_score) if students else ""
    lines.append(["    Points Possible", "", "", "", "", possible])
    known = roster.accounts(course)
    for row in students:
        ids = known.get(row.student, {})
        login = ids.get("sis_login_id", "")
        if not (login or ids.get("canvas_id") or ids.get("sis_user_id")):
            login = row.student
        about = [ids.get("canvas_id", ""), ids.get("sis_user_id", ""), login]
        lines.append([_full_name(row), *about, ids.get("section", ""), _score(row)])
    return _written(lines)


def as_moodle(course: Course, assignment: str, students: list[Row]) -> str:
    """The file for Moodle's grade import, with the columns of its own export.

    There, map the user by "ID number", "Username" or "Email address", and the last column to the
    grade item. The ID number is the roster's moodle_id, else the student's id. Without a
    submission the grade is "-", which Moodle reads as none.
    """
    title = roster.title(course, assignment, "moodle_title")
    known = roster.accounts(course)
    names = any(known.get(row.student, {}).get("username") for row in students)
    head = ["First name", "Last name", "ID number", *(["Username"] if names else [])]
    lines = [[*head, "Email address", f"Assignment: {title} (Real)"]]
    for row in students:
        ids = known.get(row.student, {})
        about = [row.first_name, row.last_name, ids.get("moodle_id") or row.student]
        about += [ids.get("username", "")] if names else []
        lines.append([*about, row.email, _score(row) or "-"])
    return _written(lines)


#: The formats that are text; "table" is drawn by the command line.
FORMATS: dict[str, Callable[[Course, str, list[Row]], str]] = {
    "csv": as_csv,
    "canvas": as_canvas,
    "moodle": as_moodle,
}


def _full_name(row: Row) -> str:
    return f"{row.last_name}, {row.first_name}" if row.last_name else row.student


def _score(row: Row) -> str:
    return _points(row.score) if row.handed_in else ""


def _points(value: float) -> str:
    return f"{round(value, 4):g}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _written(lines: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_plain(cell) for cell in row] for row in lines)
    return text.getvalue()


def _plain(text: str) -> str:
    """Text that no spreadsheet takes for a formula: names of folders are strangers' words.

    >>> _plain("=HYPERLINK(1)"), _plain("-"), _plain("-1.5"), _plain("ada")
    ("'=HYPERLINK(1)", '-', '-1.5', 'ada')
    """
    number = re.fullmatch(r"-[\d.]*(?:e[+-]?\d+)?", text)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) and not number else text
