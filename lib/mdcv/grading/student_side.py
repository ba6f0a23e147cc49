"""Exercises, as a kernel of the grader knows them: the judging is done elsewhere.

from mdcv.exercises import check
check("chamfer_distance", chamfer_distance)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["CheckFailed", "check", "grade", "when_written"]


class CheckFailed(AssertionError):
    """A check that did not pass; here none is made."""


def check(name: str, implementation: Any) -> None:
    """Says that the grader asks elsewhere."""
    print(f"{name} is judged outside this notebook.")


def grade(name: str, implementation: Any, *, points: float, seed: int | None = None) -> float:
    """Gives no points: the grader does, outside of this process."""
    check(name, implementation)
    return 0.0


@contextmanager
def when_written(what: str) -> Iterator[None]:
    """Lets the code below it wait, with a line, for functions that are not written yet."""
    try:
        yield
    except NotImplementedError:
        print(f"Not yet: {what} waits for a function that you have still to write.")
