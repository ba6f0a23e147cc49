"""What several commands ask for, and what they need before they begin."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mdcv.grading.course import CannotRun, Course, database_url, find_course

if TYPE_CHECKING:
    from rich.console import Console

CourseFolder = Annotated[
    Path | None,
    typer.Option(
        "--course", help="The course folder. Default: course/ of the repository you are in."
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--db", help="The gradebook: an SQLite file or a database URL. Default: the course's own."
    ),
]
Seconds = Annotated[
    float,
    typer.Option("--timeout", min=0.1, help="Seconds that one cell may run before it is stopped."),
]


class Isolation(StrEnum):
    """The walls around students' code."""

    FULL = "full"
    BASIC = "basic"
    NONE = "none"


class Preset(StrEnum):
    """How large the models of a results table are."""

    SMOKE = "smoke"
    CPU = "cpu"
    GPU = "gpu"


class Format(StrEnum):
    """What `mdcv report` writes."""

    TABLE = "table"
    CSV = "csv"
    CANVAS = "canvas"
    MOODLE = "moodle"


def course_of(folder: Path | None, database: str | None) -> Course:
    """The course that was asked for, with another gradebook if one was named."""
    course = find_course(folder)
    return course if database is None else replace(course, database=database_url(database))


def make_console() -> Console:
    """Where tables are printed."""
    from rich.console import Console

    # A pipe or a file has no width; nine questions need more than the usual 80 columns.
    return Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120)


def check_writable(json_file: str | None) -> None:
    """A result file that cannot be written should be known before an hour of grading."""
    if json_file in (None, "-"):
        return
    try:
        with open(json_file, "a"):
            pass
    except OSError as error:
        raise CannotRun(f"the file {json_file} cannot be written: {error.strerror}") from error
