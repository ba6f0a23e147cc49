"""The command line `mdcv`: doctor, lab, release, check, grade, report, demo, reproduce, bench.

Whatever is heavy is imported inside the command that needs it, so that `mdcv --help` answers
at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mdcv.grading.course import CannotRun
from mdcv.grading.grade_command import demo_command, grade_command
from mdcv.grading.options import (
    CourseFolder,
    Database,
    Preset,
    Seconds,
    check_writable,
    course_of,
    make_console,
)
from mdcv.grading.report_command import report_command
from mdcv.grading.worker import start_quickly

#: Exit status when the run itself could not be carried out.
COULD_NOT_RUN = 2

app = typer.Typer(
    help="The course Modeling Distributions in Computer Vision, from the command line.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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

    course = course_of(course_folder, database)
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
    console = make_console()
    console.print(marks_table(marks))
    for problem in problems:
        console.print(f"- {problem}", markup=False)
    raise typer.Exit(0 if all_passed(marks) else 1)


app.command("grade")(grade_command)
app.command("report")(report_command)


@app.command("doctor")
def doctor_command(course_folder: CourseFolder = None) -> None:
    """Look whether this machine can run the course. Exits 1 when something needed is broken."""
    from mdcv.grading.doctor import BROKEN, examine, find_course_or_none

    console, broken = make_console(), False
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

    raise typer.Exit(run_lab(course_of(course_folder, None), context.args))


app.command("demo")(demo_command)


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

    check_writable(json_file)
    where = {"preset": preset.value, "seeds": seeds, "device": device}
    reproduce(table, **where, json_file=json_file, console=make_console())


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
