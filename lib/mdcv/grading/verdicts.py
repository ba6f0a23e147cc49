"""Judges a graded question from outside, and leaves on its cell what `grade` would have left.

The cell says what is asked: `grade("chamfer_distance", chamfer_distance, points=6)`. It comes from
the instructor's notebook and is read here, never run.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import html
import os
import runpy
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from nbformat import NotebookNode

from mdcv.grading.marks import OUTCOME_MIME
from mdcv.grading.outputs import output_of
from mdcv.grading.remote import Died, Missing, Question, RemoteCaller
from mdcv.grading.text import sentence

if TYPE_CHECKING:
    from mdcv.exercises.judging import Outcome
    from mdcv.grading.running import Run

#: Asks with this seed when the course has none.
DEFAULT_SEED = 1

#: A Python file with a dictionary JUDGES: questions of a course's own, beside the exercises.
JUDGES_VARIABLE = "MDCV_JUDGES"

_judging = threading.RLock()


@dataclass(frozen=True)
class Judgment:
    """What a graded cell asks: an exercise, about a symbol of the student's, for points."""

    exercise: str
    symbol: str
    points: float


def judgment_in(source: str, points: float) -> Judgment | None:
    """What a graded cell asks; None when it does not say so in one call of `grade`.

    >>> judgment_in("grade('double', double, points=3)", 5.0)
    Judgment(exercise='double', symbol='double', points=3.0)
    """
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError):
        return None
    calls = [node for node in nodes if isinstance(node, ast.Call) and _name(node) == "grade"]
    if len(calls) != 1 or len(calls[0].args) != 2:
        return None
    name, symbol = calls[0].args
    if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
        return None
    for keyword in calls[0].keywords:
        if keyword.arg == "points" and isinstance(keyword.value, ast.Constant):
            points = float(keyword.value.value)
    return Judgment(name.value, ast.unparse(symbol), points)


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", None) or getattr(call.func, "attr", "")


def judge_cell(cell: NotebookNode, run: Run, seed: int | None) -> tuple[str, float]:
    """Judges one graded cell: "done" or "died", and the seconds it waited for its turn."""
    try:
        asked = opened(cell, run)
    except Died:
        return "died", 0.0
    return ("done", 0.0) if asked is None else judge(cell, *asked, seed)


def opened(cell: NotebookNode, run: Run, *, among: int = 1) -> tuple[Judgment, Question] | None:
    """What a graded cell asks, ready to be asked; None when the cell says why it is not.

    Args:
        among: how many may answer at the same time, this one included. If it is not alone, it is
            asked once, and is not replaced when it is late.

    Raises:
        Died: there is no kernel any more.
    """
    judgment = judgment_in(cell.source, float(cell.metadata.nbgrader["points"]))
    if judgment is None:
        _write_error(cell, "Unjudged", "the grader finds no judgment in this cell")
        return None
    question = Question(run, judgment.symbol, among=among)
    try:
        question.open()
    except Missing as error:
        _write_error(cell, *error.args)
        return None
    return judgment, question


def judge(
    cell: NotebookNode, judgment: Judgment, question: Question, seed: int | None
) -> tuple[str, float]:
    """Asks and judges an opened question: "done" or "died", and the seconds it waited.

    One question is judged at a time: references run under settings that are global to PyTorch.
    """
    begun = monotonic()
    with _judging:
        waited = monotonic() - begun
        try:
            caller = RemoteCaller(question)
            outcome = judge_of(judgment.exercise)(caller, _seed(seed))
        finally:
            with contextlib.suppress(Died):
                question.close()
    if caller.died:
        return "died", waited
    _write(cell, outcome, judgment.points)
    return "done", waited


def judge_of(name: str) -> Callable[..., Outcome]:
    """What judges the answers to the named question: takes a caller and a seed."""
    own = _own_judges(os.environ.get(JUDGES_VARIABLE, ""))
    if name in own:
        return own[name]
    from mdcv.exercises.judging import judge_with

    return functools.partial(_judged_or_refused, name, judge_with)


def _judged_or_refused(name: str, judge_with: Callable, caller, seed: int) -> Outcome:
    from mdcv.exercises.judging import Outcome

    try:
        return judge_with(name, caller, seed=seed)
    except ValueError as error:
        return Outcome(name, False, 0.0, f"{name!r} could not be graded: {error}", None)


@functools.cache
def _own_judges(path: str) -> dict[str, Callable]:
    return runpy.run_path(path)["JUDGES"] if path else {}


def _seed(seed: int | None) -> int:
    return DEFAULT_SEED if seed is None else int(seed) % 2**63


def _write(cell: NotebookNode, outcome: Outcome, points: float) -> None:
    """The number and the record, as a cell that called `grade` would hold them."""
    from mdcv.exercises.marking import record_of

    message = sentence(outcome.message)
    score = min(max(points * float(outcome.score), 0.0), points)
    bundle = {
        "text/plain": message,
        "text/html": f"<p>{html.escape(message)}</p>",
        OUTCOME_MIME: {**record_of(outcome, score, points), "message": message},
    }
    number = {"text/plain": repr(score)}
    cell.outputs = [
        output_of("display_data", bundle),
        output_of("execute_result", number, execution_count=cell.execution_count),
    ]


def _write_error(cell: NotebookNode, name: str, words: str) -> None:
    line = f"{name}: {words}"
    cell.outputs = [output_of("error", ename=name, evalue=words, traceback=[line])]
