"""What the instructor sees: the bar while it runs, the table of points, the sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import shorten
from time import monotonic
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from mdcv.grading.text import sentence

if TYPE_CHECKING:
    from mdcv.grading.insight import Insight
    from mdcv.grading.marks import Mark
    from mdcv.grading.report import Row
    from mdcv.grading.writer import Result

#: So many names, and so much of a sentence, stand in a row of a table; the JSON holds all.
SHOWN_NAMES = 6
SHOWN_CHARACTERS = 160

#: Without a terminal, a line is written this often.
LOG_SECONDS = 30.0


def with_bar(results: Iterable[Result], total: int, label: str) -> Iterator[Result]:
    """The results as they come, with a bar on stderr: how many, how fast, how long still.

    What stood already takes no time, so it counts as done and not as speed. Without a terminal
    there is no bar but a line every half minute, for a log.
    """
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        console=console,
        disable=not console.is_terminal,
    )
    begin = spoken = monotonic()
    run = 0
    with bar:
        task = bar.add_task(label, total=total, pace="")
        for done, result in enumerate(results, start=1):
            run += not result.kept
            pace = pace_of(run, total - done, monotonic() - begin)
            bar.update(task, advance=1, pace=pace)
            if bar.disable and monotonic() - spoken > LOG_SECONDS:
                spoken = monotonic()
                console.print(f"{label}: {done}/{total}, {pace}", highlight=False)
            yield result


def pace_of(run: int, left: int, seconds: float) -> str:
    """How fast it goes, and how long the rest will take.

    >>> pace_of(30, 90, 20.0)
    '90 a minute, 1:00 left'
    >>> pace_of(0, 90, 20.0)
    ''
    """
    if run == 0:
        return ""
    each = seconds / run
    minutes, rest = divmod(round(each * left), 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"{60 / max(each, 1e-9):.0f} a minute, {clock} left"


def points(value: float) -> str:
    """Points as people write them.

    >>> points(3.0), points(2.84)
    ('3', '2.84')
    """
    return f"{round(value, 2):g}"


def points_table(results: list[Result]) -> Table:
    """One row a student: the points of each question, and what a person still has to read.

    The questions are numbered, so that nine of them fit beside each other; `legend` names them.
    A student whose every judged question is right shows the full number under "judged", whatever
    is still to be graded by hand.
    """
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("student", no_wrap=True)
    for number, mark in enumerate(results[0].questions.values(), start=1):
        table.add_column(f"{number}\n/{points(mark.max_score)}", justify="right", no_wrap=True)
    for head in ("judged", "by hand", "total"):
        table.add_column(head, justify="right", no_wrap=True)
    for result in results:
        judged, by_hand = _split(result.questions)
        open_points = sum(mark.max_score for mark in by_hand if _is_open(mark))
        table.add_row(
            _who(result.student) + ("" if result.status == "graded" else " (failed)"),
            *(_cell(mark) for mark in result.questions.values()),
            _sum(judged),
            f"{points(open_points)} open" if open_points else _sum(by_hand),
            f"{points(result.score)}/{points(result.max_score)}",
        )
    return table


def legend(results: list[Result]) -> str:
    """The names of the numbered questions, on one line."""
    names = enumerate(results[0].questions, start=1)
    return "Questions: " + ", ".join(f"{number} {name}" for number, name in names)


def sentences_table(results: list[Result]) -> Table:
    """For each student what they read where points are missing; one line for equal sentences."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("student", no_wrap=True)
    table.add_column("question", max_width=24)
    table.add_column("what they read", ratio=1)
    for result in results:
        for index, (names, message) in enumerate(_sentences(result.questions)):
            table.add_row(_who(result.student) if index == 0 else "", names, escape(message))
        table.add_section()
    return table


def _sentences(marks: dict[str, Mark]) -> list[tuple[str, str]]:
    """The questions with points missing and their sentence; equal ones together."""
    spoken: dict[str, list[str]] = {}
    for name, mark in marks.items():
        if (mark.score or 0.0) < mark.max_score and not _is_open(mark):
            spoken.setdefault(mark.message.replace(name, "this one"), []).append(name)
    if not spoken:
        return [("all judged", "right")]
    return [
        (names[0], marks[names[0]].message)
        if len(names) == 1
        else ("all" if len(names) == len(marks) else ", ".join(names), message)
        for message, names in spoken.items()
    ]


def marks_table(marks: dict[str, Mark]) -> Table:
    """One row a question: its points and its sentence."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("question", no_wrap=True)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("", ratio=1)
    for name, mark in marks.items():
        score = "–" if mark.score is None else points(mark.score)
        table.add_row(name, f"{score}/{points(mark.max_score)}", escape(mark.message))
    return table


def report_table(rows: list[Row]) -> Table:
    """The gradebook, one row a student."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("student", no_wrap=True)
    table.add_column("name")
    names = list(dict.fromkeys(name for row in rows for name in row.questions))
    for name in names:
        table.add_column(name.replace("_", "\n"), justify="right")
    table.add_column("late", justify="right")
    table.add_column("total", justify="right", style="bold")
    table.add_column("")
    for row in rows:
        state = "to be graded by hand" if row.needs_hand else ""
        table.add_row(
            _who(row.student),
            escape(f"{row.first_name} {row.last_name}".strip()),
            *(points(row.questions[name]) if row.handed_in else "" for name in names),
            f"-{points(row.late_penalty)}" if row.late_penalty else "",
            f"{points(row.score)}/{points(row.max_score)}",
            state if row.handed_in else "nothing handed in",
        )
    return table


def insight_table(insights: list[Insight]) -> Table:
    """One row a misconception: how many made it, who, and what most of them read."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("question", overflow="fold", max_width=24)
    table.add_column("right", justify="right", no_wrap=True)
    table.add_column("misconception", overflow="fold", max_width=26)
    table.add_column("students", justify="right", no_wrap=True)
    table.add_column("who", max_width=24)
    table.add_column("what most of them read", ratio=1)
    for insight in insights:
        right = f"{insight.right}/{insight.answers}"
        first = (insight.question, right)
        for one in insight.ranked():
            share = f"{len(one.students)} ({100 * len(one.students) / insight.answers:.0f} %)"
            who = ", ".join(map(_who, one.students[:SHOWN_NAMES]))
            more = len(one.students) - SHOWN_NAMES
            who += f" and {more} more" if more > 0 else ""
            said = shorten(one.sentence, SHOWN_CHARACTERS, placeholder=" …")
            table.add_row(*first, one.name, share, who, escape(said))
            first = ("", "")
        if not insight.misconceptions:
            table.add_row(*first, "", "", "", "")
        table.add_section()
    return table


def problems_of(results: list[Result]) -> list[str]:
    """What was mended or went wrong, a line each."""
    return [
        f"{sentence(result.student)}: {problem}"
        for result in results
        for problem in result.problems
    ]


def _who(student: str) -> str:
    """A student's id as it may stand in a table: folders can be called anything."""
    return escape(sentence(student))


def _split(marks: dict[str, Mark]) -> tuple[list[Mark], list[Mark]]:
    """The marks given by the grader, and those a person gives."""
    by_hand = [mark for mark in marks.values() if mark.by_hand]
    return [mark for mark in marks.values() if not mark.by_hand], by_hand


def _sum(marks: list[Mark]) -> str:
    earned = sum(mark.score or 0.0 for mark in marks)
    return f"{points(earned)}/{points(sum(mark.max_score for mark in marks))}"


def _cell(mark: Mark) -> str:
    return "open" if _is_open(mark) else points(mark.score or 0.0)


def _is_open(mark: Mark) -> bool:
    """Whether a person still has to give the points."""
    from mdcv.grading.marks import BY_HAND  # with nbformat: a run begins before there are marks

    return mark.message == BY_HAND
