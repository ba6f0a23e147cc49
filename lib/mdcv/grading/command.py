"""The command line `mdcv`: doctor, lab, release, check, grade, report, demo, reproduce, bench.

Whatever is heavy is imported inside the command that needs it, so that `mdcv --help` answers
at once.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mdcv.grading.course import CannotRun, Course, database_url, find_course
from mdcv.grading.worker import start_quickly

if TYPE_CHECKING:
    from rich.console import Console

#: Exit status when the run itself could not be carried out.
COULD_NOT_RUN = 2

app = typer.Typer(
    help="The course Modeling Distributions in Computer Vision, from the command line.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

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


@app.command("release")
def release_command(
    assignment: Annotated[
        str | None, typer.Argument(help="Its name, such as a4_point_sets. Default: all of them.")
    ] = None,
    database: Database = None,
    course_folder: CourseFolder = None,
) -> None:
    """Write assignments/ from solutions/, without answers, hidden cases and rubrics."""
    from mdcv.grading.release import release

    course = _course(course_folder, database)
    names = [assignment] if assignment else course.assignments()
    if not names:
        raise CannotRun(f"there is no assignment in {course.source} yet")
    for name in names:
        typer.echo(f"{name}: {release(course, name)}")


@app.command("check")
def check_command(
    notebook: Annotated[Path, typer.Argument(help="A student's notebook; it is only read.")],
    timeout: Seconds = 60.0,
) -> None:
    """Run a notebook as the grader would, and say what each question gets.

    Exits 0 when every question that the grader judges is right, 1 when not. Questions that
    a person reads are listed and do not count.
    """
    from mdcv.grading.check import all_passed, check_notebook
    from mdcv.grading.execution import Limits
    from mdcv.grading.show import marks_table

    marks, problems = check_notebook(notebook, limits=Limits(cell_seconds=timeout))
    console = _console()
    console.print(marks_table(marks))
    for problem in problems:
        console.print(f"- {problem}", markup=False)
    raise typer.Exit(0 if all_passed(marks) else 1)


@app.command("grade")
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
    from mdcv.grading.work import FAULT

    course = _course(course_folder, database)
    course.notebook(assignment)
    folder = (submissions or course.submitted).absolute()
    total = len(student_folders(folder))
    _check_writable(json_file)
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
    console = _console()
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
    if all(result.problems and result.problems[0].startswith(FAULT) for result in results):
        raise CannotRun(f"nothing could be graded: {results[0].problems[0]}; try `mdcv doctor`")


@app.command("report")
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
    course = _course(course_folder, database)
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
        _console().print(report_table(students))
    else:
        typer.echo(FORMATS[format.value](course, assignment, students), nl=False)


def _report_misconceptions(course: Course, assignment: str, json_file: str | None) -> None:
    from mdcv.grading.insight import as_json, class_insight
    from mdcv.grading.show import insight_table

    _check_writable(json_file)
    insights = class_insight(course, assignment)
    text = json.dumps(as_json(assignment, insights), indent=1, ensure_ascii=False)
    if json_file == "-":
        typer.echo(text)
        return
    _console().print(insight_table(insights))
    if json_file:
        Path(json_file).write_text(text + "\n", encoding="utf-8")


@app.command("doctor")
def doctor_command(course_folder: CourseFolder = None) -> None:
    """Look whether this machine can run the course. Exits 1 when something needed is broken."""
    from mdcv.grading.doctor import BROKEN, examine, find_course_or_none

    console, broken = _console(), False
    style = {"good": "green", "note": "yellow", "broken": "red"}
    for finding in examine(find_course_or_none(course_folder)):
        broken = broken or finding.state == BROKEN
        console.print(f"{finding.state:6}", style=style[finding.state], end="  ")
        console.print(
            f"{finding.what:10} {finding.words}", markup=False, highlight=False, soft_wrap=True
        )
    console.print("Something needed is broken." if broken else "Ready.")
    raise typer.Exit(1 if broken else 0)


@app.command("lab", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab_command(context: typer.Context, course_folder: CourseFolder = None) -> None:
    """Start JupyterLab on the lectures and assignments; further options go to JupyterLab."""
    from mdcv.grading.lab import run_lab

    raise typer.Exit(run_lab(_course(course_folder, None), context.args))


@app.command("demo")
def demo_command(
    jobs: Annotated[
        int | None, typer.Option(min=1, help="How many submissions run at once.")
    ] = None,
    course_folder: CourseFolder = None,
) -> None:
    """Grade a class of ten samples, in a course of its own, and show what everyone gets."""
    from mdcv.grading.demo import ASSIGNMENT, set_up
    from mdcv.grading.show import legend, points_table, problems_of, sentences_table, with_bar

    console = _console()
    demo = set_up(_course(course_folder, None))
    grading = demo.grade(jobs=jobs)
    results = sorted(with_bar(grading, len(demo.students), ASSIGNMENT), key=lambda r: r.student)
    console.print(points_table(results))
    console.print(legend(results), highlight=False)
    console.print(sentences_table(results))
    for problem in problems_of(results):
        console.print(f"- {problem}", markup=False)
    _write_feedback(demo.course, ASSIGNMENT)


@app.command("reproduce")
def reproduce_command(
    table: Annotated[str, typer.Argument(help="Which results: generative or sets.")],
    preset: Annotated[Preset, typer.Option(help="How large the models are.")] = Preset.CPU,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of every model.")] = 3,
    device: Annotated[str, typer.Option(help="Where they train: cpu or cuda.")] = "cpu",
    json_file: Annotated[
        str | None, typer.Option("--json", help="Write every number to this file.")
    ] = None,
) -> None:
    """Train the models of a results table anew and hold it against the papers."""
    from mdcv.grading.reproduce import reproduce

    _check_writable(json_file)
    where = {"preset": preset.value, "seeds": seeds, "device": device}
    reproduce(table, **where, json_file=json_file, console=_console())


@app.command(
    "bench",
    add_help_option=False,  # the measurements describe their options themselves
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def bench_command(context: typer.Context) -> None:
    """Measure the library beside its peers; --help lists the options."""
    from mdcv.grading.bench import run_bench

    raise typer.Exit(run_bench(context.args))


def main() -> None:
    """The entry point: runs a command, and says in one line why it could not."""
    start_quickly()
    try:
        app()
    except CannotRun as error:
        typer.echo(f"mdcv: {error}", err=True)
        sys.exit(COULD_NOT_RUN)


def _course(folder: Path | None, database: str | None) -> Course:
    course = find_course(folder)
    return course if database is None else replace(course, database=database_url(database))


def _console() -> Console:
    from rich.console import Console

    # A pipe or a file has no width; nine questions need more than the usual 80 columns.
    return Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120)


def _as_json(assignment: str, results: list) -> str:
    students = {result.student: result.as_json() for result in results}
    return json.dumps(
        {"assignment": assignment, "students": students}, indent=1, ensure_ascii=False
    )


def _check_writable(json_file: str | None) -> None:
    """A result file that cannot be written should be known before an hour of grading."""
    if json_file in (None, "-"):
        return
    try:
        with open(json_file, "a"):
            pass
    except OSError as error:
        raise CannotRun(f"the file {json_file} cannot be written: {error.strerror}") from error


def _write_feedback(course: Course, assignment: str) -> None:
    from mdcv.grading.feedback import write_feedback

    pages, missing = write_feedback(course, assignment)
    typer.echo(f"{len(pages)} feedback pages in {course.feedback}")
    for student in missing:
        typer.echo(f"no page could be made for {student}", err=True)
