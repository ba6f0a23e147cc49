"""Where tasks are graded: the line between the grader and whoever runs a submission.

Hands know three things: whether there is room for another task, to begin it, and to wait for the
next one that is done. There are two kinds. For one machine the `processes` are ours and not
Dask's: they start in half the time, listen on no port, and when one dies it is known which task
it was at. `cluster` hands tasks to the workers of a Dask scheduler.

A task whose worker died is run again elsewhere; one that takes its workers with it again and
again comes back as a fault, and the others never notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mdcv.grading.work import Graded, Task

#: Who is silent for this long beyond the limits of a task is taken for dead.
SLACK_SECONDS = 300.0

RESUME = "What is graded stands; run the same command again to finish"


class Hands(Protocol):
    """What grades tasks, somewhere."""

    def room(self) -> bool:
        """Whether another task may begin now."""

    def begin(self, task: Task) -> None:
        """Sends a task off."""

    def wait(self) -> Graded:
        """The next one that is done, in any order.

        Raises:
            CannotRun: nobody is left who could do any.
        """

    def close(self) -> None:
        """Ends whatever still runs."""


def lost(task: Task, times: int) -> Graded:
    """A task that nobody could bring home."""
    from mdcv.grading.work import FAULT, Graded

    words = f"{FAULT}: the process that graded it died {times} times"
    return Graded(task.student, failure=words)


def patience(task: Task) -> float:
    """How many seconds a task may take once it was begun."""
    return task.limits.total_seconds + SLACK_SECONDS


def late(task: Task) -> Graded:
    """A task that was never done."""
    from mdcv.grading.work import FAULT, Graded

    return Graded(task.student, failure=f"{FAULT}: it was not done after {patience(task):g} s")
