"""`mdcv grade` and `mdcv demo`: a class is graded, and everyone sees what came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mdcv.grading.course import CannotRun, Course
from mdcv.grading.options import (
    CourseFolder,
    Database,
    Isolation,
    Seconds,
    check_writable,
    course_of,
    make_console,
)


def grade_command(
    assignment: Annotated[str, typer.Argument(help="Its name, such as a4_point_sets.")],
    submissions: Annotated[
        Path | None,
        typer.Option(
            help="Folder of <student>/<assignment>/<assignment>.ipynb. Default: course/submitted."
        ),
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=1, help="How many submissions run at once on this machine.")
    ] = 1,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="The address of a Dask scheduler, tcp://..., whose workers run them; "
            "local: one of this machine, with so many workers as jobs."
        ),
    ] = None,
    isolation: Annotated[
        Isolation, typer.Option(help="The walls around students' code. Less has to be asked for.")
    ] = Isolation.FULL,
    again: Annotated[
        bool, typer.Option("--again", help="Run also what was graded from the same files before.")
    ] = False,
    timeout: Seconds = 60.0,
    database: Database = None,
    json_file: Annotated[
        str | None, typer.Option("--json", help="Write all results to this file; - for stdout.")
    ] = None,
    feedback: Annotated[
        bool, typer.Option("--feedback", help="Write the students' pages as well.")
    ] = False,
    course_folder: CourseFolder = None,
) -> None:
    """Grade every submission of a folder into the gradebook.

    What was graded before, from the very same files, stands and is not run again; so a run that
    was stopped or killed is finished by the same command. Exits 0 when every submission has a
    result, however bad it is. Exits 2 when the run itself could not be carried out: an unknown
    assignment, no submissions, no gradebook, a full disk, no scheduler, no walls.
    """
    from mdcv.grading.classroom import grade_class, student_folders
    from mdcv.grading.limits import Limits
    from mdcv.grading.show import legend, points_table, problems_of, with_bar

    course = course_of(course_folder, database)
    course.notebook(assignment)
    folder = (submissions or course.submitted).absolute()
    others = {*course.assignments()} - {assignment}
    total = len(student_folders(folder, others=others))
    check_writable(json_file)
    grading = grade_class(
        course,
        assignment,
        submissions=folder,
        jobs=jobs,
        cluster=cluster,
        limits=Limits(cell_seconds=timeout),
        isolation=isolation.value,
        again=again,
    )
    results = sorted(with_bar(grading, total, assignment), key=lambda result: result.student)
    console = make_console()
    if json_file == "-":
        typer.echo(_as_json(assignment, results))
    else:
        console.print(points_table(results))
        console.print(legend(results), highlight=False)
        if kept := sum(result.kept for result in results):
            console.print(f"{kept} stood already, from the same files; --again runs them anew.")
        for problem in problems_of(results):
            console.print(f"- {problem}", markup=False)
        if json_file:
            Path(json_file).write_text(_as_json(assignment, results) + "\n", encoding="utf-8")
    if feedback:
        _write_feedback(course, assignment)
    from mdcv.grading.work import FAULT

    if all(result.problems and result.problems[0].startswith(FAULT) for result in results):
        raise CannotRun(f"nothing could be graded: {results[0].problems[0]}; try `mdcv doctor`")


def demo_command(
    jobs: Annotated[
        int | None, typer.Option(min=1, help="How many submissions run at once.")
    ] = None,
    course_folder: CourseFolder = None,
) -> None:
    """Grade a class of ten samples, in a course of its own, and show what everyone gets."""
    from mdcv.grading.demo import ASSIGNMENT, set_up
    from mdcv.grading.show import legend, points_table, problems_of, sentences_table, with_bar

    console = make_console()
    demo = set_up(course_of(course_folder, None))
    grading = demo.grade(jobs=jobs)
    results = sorted(with_bar(grading, len(demo.students), ASSIGNMENT), key=lambda r: r.student)
    console.print(points_table(results))
    console.print(legend(results), highlight=False)
    console.print(sentences_table(results))
    for problem in problems_of(results):
        console.print(f"- {problem}", markup=False)
    _write_feedback(demo.course, ASSIGNMENT)


def _as_json(assignment: str, results: list) -> str:
    students = {result.student: result.as_json() for result in results}
    return json.dumps(
        {"assignment": assignment, "students": students}, indent=1, ensure_ascii=False
    )


def _write_feedback(course: Course, assignment: str) -> None:
    from mdcv.grading.feedback import write_feedback

    pages, missing = write_feedback(course, assignment)
    typer.echo(f"{len(pages)} feedback pages in {course.feedback}")
    for student in missing:
        typer.echo(f"no page could be made for {student}", err=True)
