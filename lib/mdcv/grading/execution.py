"""Runs a submission's notebook: the student's cells in a kernel, the judging outside of it.

`run_notebook` is all that the rest of the grader knows of execution. The kernel is a fork of a
warm template (`warm`), or a fresh process where forks are not safe; it never sees a judged cell.
A graded question is asked from here (`verdicts`), and only its answers come back.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from nbformat import NotebookNode

from mdcv.grading.ahead import impatient, run_ahead
from mdcv.grading.course import CannotRun
from mdcv.grading.in_turn import InTurn
from mdcv.grading.limits import Limits
from mdcv.grading.running import Run
from mdcv.grading.walls import Isolation, best_isolation, obstacle
from mdcv.grading.warm import CannotStart, Template, warm_template

#: What may be asked for; "best" is whatever works here, but never nothing.
Asked = Literal["best", "full", "basic", "none"]


def run_notebook(
    notebook: NotebookNode,
    *,
    folder: Path,
    seed: int | None = None,
    limits: Limits | None = None,
    stop: threading.Event | None = None,
    isolation: Asked = "best",
) -> list[str]:
    """Runs every code cell of the notebook in place; returns what went wrong, in words.

    The kernel goes on with the next cell while a question is still being answered (`ahead`).
    Where anything out of the ordinary happens, the submission is run anew, one thing after the
    other (`in_turn`): a question loses its points by its own fault only.

    Args:
        notebook: a rebuilt submission; its outputs are replaced.
        folder: what lies beside the notebook; the kernel works on a copy.
        seed: of the hidden cases; it stays here. None takes the public one.
        limits: seconds and characters.
        stop: once set, the run ends within a moment.
        isolation: the walls round the kernel; see `walls_for`.

    Raises:
        CannotRun: there are no such walls on this machine, or no kernel starts.
    """
    limits, stop = limits or Limits(), stop or threading.Event()
    with _started(walls_for(isolation)) as template:
        run = Run(template, notebook, folder, seed, impatient(limits), stop)
        if not run_ahead(run):
            run = InTurn(template, notebook, folder, seed, limits, stop)
            run.all_cells()
    return run.problems


def walls_for(isolation: Asked) -> Isolation:
    """The walls that are put up: the best that work here, or those that were asked for.

    Args:
        isolation: "best" takes "full" or "basic", whichever works; "none" has to be named.

    Raises:
        CannotRun: those that were asked for do not work on this machine, or none does.
    """
    if isolation not in ("best", "full", "basic", "none"):
        raise CannotRun(f"isolation is {isolation!r}; expected best, full, basic or none")
    found = best_isolation() if isolation == "best" else isolation
    if found == "none" and isolation == "best":
        raise CannotRun(
            "no walls can be put up here, and without them a student's code could do anything: "
            f"{obstacle('basic')}; see `mdcv doctor`, or ask for isolation none by name"
        )
    if isolation != "best" and (reason := obstacle(isolation)) is not None:
        raise CannotRun(f"{isolation} isolation does not work here: {reason}; see `mdcv doctor`")
    return found


@contextlib.contextmanager
def _started(isolation: Isolation) -> Iterator[Template]:
    try:
        with warm_template(isolation) as template:
            yield template
    except CannotStart as error:
        raise CannotRun(f"no kernel starts: {error}") from error
