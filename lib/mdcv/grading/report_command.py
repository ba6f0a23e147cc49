"""`mdcv report`: the gradebook to read or to import, or what a class got wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mdcv.grading.course import CannotRun, Course
from mdcv.grading.options import (
    CourseFolder,
    Database,
    Format,
    check_writable,
    course_of,
    make_console,
)


def report_command(
    assignment: Annotated[str, typer.Argument(help="Its name, such as a4_point_sets.")],
    format: Annotated[
        Format, typer.Option(help="A table to read, or a file to import.")
    ] = Format.TABLE,
    misconceptions: Annotated[
        bool,
        typer.Option("--misconceptions", help="What the class got wrong, question by question."),
    ] = False,
    json_file: Annotated[
        str | None,
        typer.Option(
            "--json", help="With --misconceptions: write them to this file; - for stdout."
        ),
    ] = None,
    database: Database = None,
    course_folder: CourseFolder = None,
) -> None:
    """Print the gradebook: for your eyes, for a spreadsheet, for Canvas, for Moodle.

    With --misconceptions, what the class got wrong instead: which mistakes, how often, by whom.
    """
    course = course_of(course_folder, database)
    if misconceptions:
        _report_misconceptions(course, assignment, json_file)
        return
    if json_file is not None:
        raise CannotRun("--json goes with --misconceptions; `mdcv grade --json` writes the marks")
    from mdcv.grading.platforms import FORMATS
    from mdcv.grading.report import rows
    from mdcv.grading.show import report_table

    students = rows(course, assignment)
    if format is Format.TABLE:
        make_console().print(report_table(students))
    else:
        typer.echo(FORMATS[format.value](course, assignment, students), nl=False)


def _report_misconceptions(course: Course, assignment: str, json_file: str | None) -> None:
    from mdcv.grading.insight import as_json, class_insight
    from mdcv.grading.show import insight_table

    check_writable(json_file)
    insights = class_insight(course, assignment)
    text = json.dumps(as_json(assignment, insights), indent=1, ensure_ascii=False)
    if json_file == "-":
        typer.echo(text)
        return
    make_console().print(insight_table(insights))
    if json_file:
        Path(json_file).write_text(text + "\n", encoding="utf-8")
