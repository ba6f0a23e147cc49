"""All submissions of a folder: many hands grade, one writes, and every student gets a result.

This process reads each submission once and makes a task of it. Workers run the tasks and send
back marks and pages. Nothing but this process touches the gradebook and the course's folders.
What was graded already, from the very same files, stands and is not run again; so a run that
was killed is finished by starting it again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mdcv.grading.course import CannotRun, Course
from mdcv.grading.limits import Limits
from mdcv.grading.processes import Processes
from mdcv.grading.scheduling import Hands
from mdcv.grading.walls import best_isolation, obstacle
from mdcv.grading.worker import prepare

if TYPE_CHECKING:
    from mdcv.grading.writer import Result

#: In the place of an address: a Dask cluster of this machine.
LOCAL = "local"

#: Characters of an id that nbgrader's tables hold where a database counts them; SQLite does not.
ID_LENGTH = 128


def student_folders(submissions: Path, *, others: Collection[str] = ()) -> list[Path]:
    """The folder of every student who handed something in, in order.

    Args:
        others: names of other assignments; a student with folders of these alone is not listed.

    Raises:
        CannotRun: the folder is missing, is no folder, or holds no submission.
    """
    if not submissions.is_dir():
        raise CannotRun(f"there is no folder {submissions} with submissions")
    try:
        inside = sorted(submissions.iterdir())
    except OSError as error:
        raise CannotRun(f"the folder {submissions} cannot be read: {error.strerror}") from error
    found = [path for path in inside if path.is_dir() and not path.name.startswith(".")]
    found = [path for path in found if not _holds_only(path, others)]
    if not found:
        raise CannotRun(
            f"{submissions} holds no submissions; "
            "expected <student>/<assignment>/<assignment>.ipynb"
        )
    return found


def _holds_only(folder: Path, names: Collection[str]) -> bool:
    """Whether something is in a folder, and all of it has one of these names."""
    try:
        inside = {name for name in os.listdir(folder) if not name.startswith(".")}
    except OSError:
        return False
    return bool(inside) and inside <= set(names)


def student_id(folder: Path, *, longest: int | None = None) -> str:
    """The student's id: the name of the folder, in characters that every database can hold.

    A name that is no text, or is too long, ends with a digest of the whole: no two are alike.

    Args:
        longest: the characters that an id may have.

    >>> student_id(Path("submitted/ada"))
    'ada'
    >>> len(student_id(Path("submitted/" + "a" * 200), longest=128))
    128
    """
    raw = os.fsencode(folder.name)
    end = "~" + hashlib.sha256(raw).hexdigest()[:16]
    try:
        name, odd = raw.decode("utf-8"), ""
    except UnicodeDecodeError:
        name, odd = raw.decode("utf-8", errors="backslashreplace"), end
    if longest is None or len(name) + len(odd) <= longest:
        return name + odd
    return name[: longest - len(end)] + end


def grade_class(
    course: Course,
    assignment: str,
    *,
    submissions: Path | None = None,
    jobs: int = 1,
    cluster: str | None = None,
    limits: Limits | None = None,
    isolation: str = "full",
    again: bool = False,
    hands: Hands | None = None,
) -> Iterator[Result]:
    """Grades every submission in a folder and yields each result once it stands in the gradebook.

    The submissions are only read. One that cannot be read, or breaks the grader itself, gets
    zero with a reason, and the next one follows.

    Args:
        submissions: holds `<student>/<assignment>/<assignment>.ipynb`; None means the course's
            submitted/.
        jobs: how many submissions run at once on this machine.
        cluster: the address of a Dask scheduler, whose workers run them instead; "local" starts
            one on this machine with so many workers, for this run.
        limits: what one submission may use.
        isolation: the walls around a student's code: "full", "basic" or "none".
        again: run also what was graded from the same files before.
        hands: who grades, in the place of `jobs` and `cluster`.

    Raises:
        CannotRun: there is no such assignment, there are no submissions, the gradebook or the
            course folder cannot be written, or nobody is left to grade.
    """
    source = course.notebook(assignment)
    others = {*course.assignments()} - {assignment}
    folders = student_folders(submissions or course.submitted, others=others)
    if hands is None:
        if cluster in (None, LOCAL):
            check_isolation(isolation)
        hands = _hire(jobs, cluster, isolation)
    # The workers start up while this process imports nbgrader.
    from mdcv.grading.gradebook import open_gradebook
    from mdcv.grading.parcels import Parcels
    from mdcv.grading.release import enter_assignment
    from mdcv.grading.skeleton import load_skeleton
    from mdcv.grading.writer import Writer

    with contextlib.closing(hands), _alone(course):
        skeleton = load_skeleton(source, course.config())
        seed = course.seed(assignment)
        enter_assignment(course, assignment, skeleton)
        with open_gradebook(course) as gradebook:
            parcels = Parcels(source, skeleton, seed, limits or Limits(), isolation)
            writer = Writer(course, assignment, skeleton, gradebook)
            longest = None if gradebook.engine.dialect.name == "sqlite" else ID_LENGTH
            for folder in folders:
                sheet = parcels.read(folder, student_id(folder, longest=longest), assignment)
                if sheet.task is None:
                    yield writer.failed(sheet, sheet.failure)
                elif not again and (result := writer.kept(sheet)) is not None:
                    yield result
                else:
                    while not hands.room():
                        yield writer.finish(hands.wait())
                    hands.begin(sheet.task)
                    writer.underway[sheet.student] = sheet
            while writer.underway:
                yield writer.finish(hands.wait())


def check_isolation(asked: str) -> None:
    """Refuses walls that this machine cannot put up.

    Raises:
        CannotRun: it can do less; the message says what to ask for instead.
    """
    levels = ("none", "basic", "full")
    best = best_isolation()
    if levels.index(best) < levels.index(asked):
        raise CannotRun(
            f"this machine cannot isolate students' code as asked (--isolation {asked}): "
            f"{obstacle(asked)}. {best!r} is the most it can do; `mdcv doctor` says more, and "
            f"--isolation {best} grades with less"
        )


def _hire(jobs: int, cluster: str | None, isolation: str) -> Hands:
    if cluster is not None:
        from mdcv.grading.cluster import Cluster

        return Cluster(None if cluster == LOCAL else cluster, jobs=jobs)
    return Processes(jobs, prepare=functools.partial(prepare, isolation))


@contextlib.contextmanager
def _alone(course: Course) -> Iterator[None]:
    """Keeps a second run away from the same course, until this one ends or dies."""
    from mdcv.grading.writer import UNFINISHED, unwritable

    with contextlib.ExitStack() as held:
        try:
            course.autograded.mkdir(parents=True, exist_ok=True)
            lock = held.enter_context((course.autograded / ".lock").open("a"))
        except OSError as error:
            raise unwritable(course.autograded, error) from error
        with contextlib.suppress(ImportError):  # a system without such locks
            import fcntl

            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise CannotRun(f"another `mdcv grade` is at work in {course.root}") from None
        for left in course.autograded.glob(f"{UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
