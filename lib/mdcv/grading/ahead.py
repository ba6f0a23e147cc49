"""The quick way through a submission: the kernel goes on while forks of it still answer.

A graded question is asked of a fork, which knows all that the kernel knew when it came to that
question. So the kernel need not wait for the verdict: it runs the next cells meanwhile.

That is how a submission goes that behaves. Nothing is decided here about one that does not: when
a kernel or a fork dies, when a cell or an answer is late, is interrupted or finds no place for a
thread, or when a file is written, which the kernel and a fork could see in either order, all that
was found is dropped, and the submission is run again in turn. So the marks do not depend on who
was quicker.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from time import monotonic

from nbformat import NotebookNode

from mdcv.grading.limits import Limits
from mdcv.grading.marks import is_judged
from mdcv.grading.remote import Died, sounds_disturbed
from mdcv.grading.running import Run
from mdcv.grading.skeleton import is_question
from mdcv.grading.verdicts import judge, opened
from mdcv.grading.warm import CannotStart

#: Forks of one kernel that may wait for their turn to answer, and answer, at the same time.
MOST_ANSWERING = 6

#: A cell that takes longer is run again in turn, where it may take its time.
CELL_SECONDS = 10.0

#: Of the time for a submission, the quick way may use so much before it gives up.
SHARE = 0.25


class _Odd(Exception):
    """Something out of the ordinary has happened."""


def impatient(limits: Limits) -> Limits:
    """The limits of the quick way: what needs more time gets it, in turn."""
    return replace(
        limits,
        cell_seconds=min(limits.cell_seconds, CELL_SECONDS),
        total_seconds=limits.total_seconds * SHARE,
        grace_seconds=0.0,
    )


def run_ahead(run: Run) -> bool:
    """Runs and judges all cells, and says whether that counts; if not, nothing of it does.

    Args:
        run: a new one, with `impatient` limits.
    """
    if not run.forks:
        return False
    with ThreadPoolExecutor(max_workers=1) as judges:
        try:
            _all_cells(run, judges)
        except (_Odd, Died, CannotStart):
            return False
        finally:
            run.bury()  # with whoever still answers, so that nobody waits for them
    return True


def _all_cells(run: Run, judges: ThreadPoolExecutor) -> None:
    answering: deque[Future] = deque()
    code = run.begin()
    _expect(run.forks)  # a template that has grown a thread forks no more
    for index in code:
        cell = run.notebook.cells[index]
        _expect(monotonic() < run.deadline and not run.stop.is_set())
        if not is_judged(cell):
            _expect(run.attempt(index) == "done" and not _disturbed(cell))
        elif is_question(cell):
            if len(answering) == MOST_ANSWERING:
                _expect(answering.popleft().result()[0] == "done")
            run.count += 1
            cell.execution_count = run.count
            asked = opened(cell, run, among=MOST_ANSWERING)
            if asked is not None:
                answering.append(judges.submit(judge, cell, *asked, run.seed))
    for verdict in answering:
        _expect(verdict.result()[0] == "done")
    _expect(run.order({"do": "drop"}).get("wrote") is False)


def _disturbed(cell: NotebookNode) -> bool:
    """Whether a cell may have failed because of a fork that still answers."""
    errors = (output for output in cell.outputs if output.output_type == "error")
    return any(sounds_disturbed(error.ename, error.evalue) for error in errors)


def _expect(ordinary: bool) -> None:
    if not ordinary:
        raise _Odd
