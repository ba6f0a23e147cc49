"""Marks an implementation in a graded cell: points, a sentence, and a record of the outcome."""

from __future__ import annotations

import contextlib
import hashlib
import html
import math
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mdcv.exercises.showing import behind_walls, publish

if TYPE_CHECKING:
    from mdcv.exercises.judging import Outcome

RECORD_TYPE = "application/vnd.mdcv.outcome+json"
SEED_VARIABLE = "MDCV_GRADING_SEED"


def grade(name: str, implementation: Any, *, points: float, seed: int | None = None) -> float:
    """The points that an implementation earns, from 0.0 to `points`; never raises.

    What the implementation prints is dropped: it would be hidden cases, at any length. Shows the
    message, and beside it publishes a record of type
    `application/vnd.mdcv.outcome+json` with exercise, score, max_score, passed, message and
    misconception. The record holds no expected value.

    Args:
        name: one of `names()`; anything else earns 0.0.
        implementation: the student's function; a stub earns 0.0.
        points: what a right function earns.
        seed: which questions are asked; None reads the environment variable
            `MDCV_GRADING_SEED`, and without it takes 1.

    Behind the grader's walls it says that it waits, and gives 0.0: points are given outside.

    >>> grade("chamfer_distance", None, points=20)
    What you handed in is not a function. ...
    0.0
    """
    if behind_walls(name):
        return 0.0
    from mdcv.exercises.judging import Outcome, judge  # loads every answer

    most = _points(points)
    try:
        with _silence():
            outcome = judge(name, implementation, seed=_seed(seed))
    except Exception as error:
        words = f"{name!r} could not be graded: {error}"
        outcome = Outcome(str(name), False, 0.0, words, None)
    score = min(max(most * float(outcome.score), 0.0), most)
    _show(outcome, score, most)
    return score


def record_of(outcome: Outcome, score: float, max_score: float) -> dict[str, Any]:
    """What the grader reads from the notebook."""
    return {
        "exercise": outcome.exercise,
        "score": score,
        "max_score": max_score,
        "passed": outcome.passed,
        "message": outcome.message,
        "misconception": outcome.misconception,
    }


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Nothing that is printed inside arrives anywhere, half characters included."""
    with (
        open(os.devnull, "w", encoding="utf-8", errors="replace") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield


def _show(outcome: Outcome, score: float, most: float) -> None:
    """In IPython one output with text, HTML and the record; elsewhere the text."""
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        print(outcome.message)
        return
    publish(
        {
            "text/plain": outcome.message,
            "text/html": f"<p>{html.escape(outcome.message)}</p>",
            RECORD_TYPE: record_of(outcome, score, most),
        }
    )


def _points(points: Any) -> float:
    try:
        most = float(points)
    except (TypeError, ValueError):
        return 0.0
    return most if math.isfinite(most) and most > 0 else 0.0


def _seed(seed: Any) -> int:
    """A seed from 0 to 2^63 - 1 out of whatever was given; text that is no number is hashed."""
    if seed is None:
        seed = os.environ.get(SEED_VARIABLE) or 1
    try:
        return int(seed) % 2**63
    except (TypeError, ValueError):
        return int.from_bytes(hashlib.sha256(str(seed).encode()).digest()[:8], "big") % 2**63
