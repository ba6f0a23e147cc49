"""All submissions of a folder: many hands grade, one writes, and every student gets a result.

This process reads each submission once and makes a task of it. Workers run the tasks and send
back marks and pages. Nothing but this process touches the gradebook and the course's folders.
What was graded already, from the very same files, stands and is not run again; so a run that
was killed is finished by starting it again.
"""

from __future__ import annotations

import contextlib
import copy
import errno
import functools
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat

from mdcv.grading import roster
from mdcv.grading.course import CannotRun, Course
from mdcv.grading.gradebook import Points, open_gradebook, record_marks, renew_penalty, standing
from mdcv.grading.intake import Unreadable, copy_files, find_notebook, read_cells, rebuild
from mdcv.grading.journal import Entry, Journal
from mdcv.grading.limits import Limits
from mdcv.grading.marks import BY_HAND, Mark
from mdcv.grading.notes import note_problems
from mdcv.grading.penalties import Penalties
from mdcv.grading.release import enter_assignment
from mdcv.grading.scheduling import RESUME, Cluster, Hands, Processes
from mdcv.grading.skeleton import Skeleton, load_skeleton
from mdcv.grading.text import writable
from mdcv.grading.walls import best_isolation, obstacle
from mdcv.grading.work import (
    FAULT,
    Graded,
    Task,
    describe,
    grader_version,
    obstacle_of,
    prepare,
    unpack,
)

#: Pages are built in folders of this name beside the students', and moved when they are whole.
UNFINISHED = ".mdcv-"

#: In the place of an address: a Dask cluster of this machine.
LOCAL = "local"

#: Characters of an id that nbgrader's tables hold where a database counts them; SQLite does not.
ID_LENGTH = 128


@dataclass(frozen=True)
class Result:
    """What one student gets: the points that now stand, and the sentences.

    `kept` says that it stood already, and the submission was not run again.
    """

    student: str
    status: str
    questions: dict[str, Mark]
    problems: list[str] = field(default_factory=list)
    kept: bool = False

    @property
    def score(self) -> float:
        return sum(mark.score or 0.0 for mark in self.questions.values())

    @property
    def max_score(self) -> float:
        return sum(mark.max_score for mark in self.questions.values())

    def as_json(self) -> dict[str, Any]:
        """The student's entry in the JSON of `mdcv grade`."""
        return {
            "status": self.status,
            "score": self.score,
            "max_score": self.max_score,
            "problems": self.problems,
            "questions": {
                name: {
                    "score": mark.score or 0.0,
                    "max_score": mark.max_score,
                    "message": mark.message,
                }
                for name, mark in self.questions.items()
            },
        }


@dataclass(frozen=True)
class _Sheet:
    """A submission that was read: a task, or the reason why it is none."""

    student: str
    folder: Path
    task: Task | None = None
    failure: str = ""
    handed_in: datetime | None = None


def student_folders(submissions: Path) -> list[Path]:
    """The folder of every student who handed something in, in order.

    Raises:
        CannotRun: the folder is missing, is no folder, or is empty.
    """
    if not submissions.is_dir():
        raise CannotRun(f"there is no folder {submissions} with submissions")
    try:
        inside = sorted(submissions.iterdir())
    except OSError as error:
        raise CannotRun(f"the folder {submissions} cannot be read: {error.strerror}") from error
    found = [path for path in inside if path.is_dir() and not path.name.startswith(".")]
    if not found:
        raise CannotRun(
            f"{submissions} holds no submissions; "
            "expected <student>/<assignment>/<assignment>.ipynb"
        )
    return found


def student_id(folder: Path, *, longest: int | None = None) -> str:
    """The student's id: the name of the folder, in characters that every database can hold.

    Args:
        longest: a longer name is cut, with a digest of the whole in place of its end.

    >>> student_id(Path("submitted/ada"))
    'ada'
    >>> len(student_id(Path("submitted/" + "a" * 200), longest=128))
    128
    """
    name = os.fsencode(folder.name).decode("utf-8", errors="backslashreplace")
    if longest is None or len(name) <= longest:
        return name
    end = "~" + hashlib.sha256(name.encode()).hexdigest()[:16]
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
    folders = student_folders(submissions or course.submitted)
    if hands is None:
        if cluster in (None, LOCAL):
            check_isolation(isolation)
        hands = _hire(jobs, cluster, isolation)
    with contextlib.closing(hands), _alone(course):
        skeleton = load_skeleton(source, course.config())
        seed = course.seed(assignment)
        enter_assignment(course, assignment, skeleton)
        with open_gradebook(course) as gradebook:
            parcels = _Parcels(source, skeleton, seed, limits or Limits(), isolation)
            writer = _Writer(course, assignment, skeleton, gradebook)
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
        return Cluster(None if cluster == LOCAL else cluster, jobs=jobs)
    return Processes(jobs, prepare=functools.partial(prepare, isolation))


@contextlib.contextmanager
def _alone(course: Course) -> Iterator[None]:
    """Keeps a second run away from the same course, until this one ends or dies."""
    with contextlib.ExitStack() as held:
        try:
            course.autograded.mkdir(parents=True, exist_ok=True)
            lock = held.enter_context((course.autograded / ".lock").open("a"))
        except OSError as error:
            raise _unwritable(course.autograded, error) from error
        with contextlib.suppress(ImportError):  # a system without such locks
            import fcntl

            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise CannotRun(f"another `mdcv grade` is at work in {course.root}") from None
        for left in course.autograded.glob(f"{UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _unwritable(path: Path, error: OSError) -> CannotRun:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    words = "the disk is full" if full else error.strerror
    return CannotRun(f"{path} cannot be written: {words}. {RESUME}")


class _Parcels:
    """Makes tasks: everything is read once, and nothing is written beside the scratch folder."""

    def __init__(self, source: Path, skeleton: Skeleton, seed: int, limits: Limits, isolation: str):
        self.skeleton, self.seed, self.limits = skeleton, seed, limits
        self.isolation, self.version = isolation, grader_version()
        try:
            self.given, _ = pack(source.parent)
        except OSError as error:
            raise CannotRun(f"the files of {source.parent} cannot be read: {error}") from error

    def read(self, folder: Path, student: str, assignment: str) -> _Sheet:
        """One submission, rebuilt.

        Raises:
            CannotRun: the machine has run out of something.
        """
        try:
            path, problems = find_notebook(folder, assignment)
            notebook, mended = rebuild(read_cells(path), self.skeleton)
            files, left_out = pack(path.parent)
            handed_in, odd = _handed_in(files)
        except Unreadable as error:
            return _Sheet(student, folder, failure=str(error))
        except Exception as error:  # a fault of ours must not stop the class
            if (obstacle := obstacle_of(error)) is not None:
                raise CannotRun(f"{obstacle}. {RESUME}") from error
            return _Sheet(student, folder, failure=f"{FAULT}: {describe(error)}")
        task = Task(
            student=student,
            notebook=writable(nbformat.writes(notebook)),
            files={**files, **self.given},
            problems=(*problems, *mended, *left_out, *odd),
            seed=self.seed,
            limits=self.limits,
            isolation=self.isolation,
            version=self.version,
        )
        return _Sheet(student, folder, task, handed_in=handed_in)


def pack(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """The ordinary files beside a notebook by name, and what was left out and why."""
    with tempfile.TemporaryDirectory(prefix="mdcv-") as scratch:
        problems = copy_files(folder, Path(scratch))
        found = sorted(path for path in Path(scratch).rglob("*") if path.is_file())
        return {str(path.relative_to(scratch)): path.read_bytes() for path in found}, problems


def _handed_in(files: dict[str, bytes]) -> tuple[datetime | None, list[str]]:
    """When the submission was handed in, as nbgrader's timestamp.txt says; None without one."""
    from nbgrader.utils import parse_utc

    if "timestamp.txt" not in files:
        return None, []
    try:
        return parse_utc(files["timestamp.txt"][:100].decode().strip()), []
    except Exception:  # anything may stand in that file
        return None, ["timestamp.txt holds no date; it was ignored"]


class _Writer:
    """The one who writes: gradebook, journal and autograded notebooks."""

    def __init__(self, course: Course, assignment: str, skeleton: Skeleton, gradebook):
        self.course, self.assignment, self.skeleton = course, assignment, skeleton
        self.gradebook, self.names = gradebook, roster.students(course)
        self.journal, self.penalties = Journal(gradebook, assignment), Penalties(course)
        self.entries, self.standing = self.journal.entries(), standing(gradebook, assignment)
        self.underway: dict[str, _Sheet] = {}

    def kept(self, sheet: _Sheet) -> Result | None:
        """What stands already for exactly this submission; None when it has to be run."""
        entry, points = self.entries.get(sheet.student), self.standing.get(sheet.student)
        if entry is None or points is None or entry.fingerprint != sheet.task.fingerprint():
            return None
        given = {name: mark.score for name, mark in entry.marks.items()}
        if given != {name: row.auto for name, row in points.items()}:
            return None
        if entry.page != _digest_of(self._page_of(sheet)):
            return None
        lost = renew_penalty(
            self.gradebook, self.assignment, sheet.student, self.penalties, sheet.handed_in
        )
        return _result(sheet.student, "graded", entry.marks, points, entry.problems, lost, True)

    def finish(self, graded: Graded) -> Result:
        """Writes what came back from a worker.

        Raises:
            CannotRun: the machine has run out of something, or a database or folder of it.
        """
        if graded.obstacle is not None:
            raise CannotRun(f"{graded.obstacle}. {RESUME}")
        sheet = self.underway.pop(graded.student)
        if graded.failure is not None:
            return self.failed(sheet, graded.failure)
        problems = list(graded.problems)
        entry = Entry(sheet.task.fingerprint(), _digest(graded.page), graded.marks, problems)
        return self._write(sheet, "graded", entry, graded.page, known=True)

    def failed(self, sheet: _Sheet, reason: str) -> Result:
        """Zero with a reason. A failure of ours leaves no entry, so the next run tries again."""
        notebook = copy.deepcopy(self.skeleton.notebook)
        note_problems(notebook, [reason])
        page = writable(nbformat.writes(notebook)) + "\n"
        marks = {
            question.grade_id: Mark(0.0, question.max_score, reason, question.by_hand)
            for question in self.skeleton.questions
        }
        return self._write(sheet, "failed", Entry("", "", marks, [reason]), page, known=False)

    def _write(self, sheet: _Sheet, status: str, entry: Entry, page: str, *, known: bool) -> Result:
        """The page first and then, in one transaction, marks and entry.

        A death in between leaves a page whose digest no entry knows: it is graded anew.
        """
        self._write_page(sheet, page)
        try:
            points, lost = record_marks(
                self.gradebook,
                self.assignment,
                sheet.student,
                entry.marks,
                names=self.names.get(sheet.student),
                timestamp=sheet.handed_in,
                penalties=self.penalties,
                also=lambda: self.journal.write(sheet.student, entry if known else None),
            )
        except CannotRun as error:
            raise CannotRun(f"{error}. {RESUME}") from error
        return _result(sheet.student, status, entry.marks, points, entry.problems, lost, False)

    def _page_of(self, sheet: _Sheet) -> Path:
        folder = self.course.autograded / sheet.folder.name / self.assignment
        return folder / f"{self.assignment}.ipynb"

    def _write_page(self, sheet: _Sheet, page: str) -> None:
        """The autograded notebook with the files it needs, for the formgrader and the feedback."""
        path = self._page_of(sheet)
        try:
            with tempfile.TemporaryDirectory(
                prefix=UNFINISHED, dir=self.course.autograded, ignore_cleanup_errors=True
            ) as scratch:
                fresh = Path(scratch) / self.assignment
                fresh.mkdir()
                if sheet.task is not None:
                    unpack(sheet.task.files, fresh)
                (fresh / path.name).write_text(page, encoding="utf-8")
                shutil.rmtree(path.parent, ignore_errors=True)
                path.parent.parent.mkdir(parents=True, exist_ok=True)
                fresh.rename(path.parent)
        except OSError as error:
            raise _unwritable(path.parent, error) from error


def _digest(page: str) -> str:
    return hashlib.sha256(page.encode("utf-8")).hexdigest()


def _digest_of(path: Path) -> str:
    """The digest of a page on disk; empty when it is not there."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _result(
    student: str,
    status: str,
    marks: dict[str, Mark],
    points: dict[str, Points],
    problems: list[str],
    lost: float,
    kept: bool,
) -> Result:
    stand = {name: _stands(mark, points[name]) for name, mark in marks.items()}
    late = [f"handed in late: {lost:g} points are subtracted"] if lost else []
    return Result(student, status, stand, [*problems, *late], kept)


def _stands(mark: Mark, points: Points) -> Mark:
    """The mark with the points in the gradebook, which a person may have changed."""
    by_a_person = mark.message == BY_HAND and points.by_hand is not None
    return replace(
        mark, score=points.score, message="graded by hand" if by_a_person else mark.message
    )
