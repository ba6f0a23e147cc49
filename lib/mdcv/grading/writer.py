"""The one who writes: gradebook, journal and autograded notebooks, a student at a time."""

from __future__ import annotations

import copy
import errno
import hashlib
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat

from mdcv.grading import roster
from mdcv.grading.course import CannotRun, Course
from mdcv.grading.gradebook import Points, record_marks, renew_penalty, standing
from mdcv.grading.journal import Entry, Journal
from mdcv.grading.marks import BY_HAND, Mark
from mdcv.grading.notes import note_problems
from mdcv.grading.parcels import Sheet
from mdcv.grading.scheduling import RESUME
from mdcv.grading.skeleton import Skeleton
from mdcv.grading.text import writable
from mdcv.grading.work import Graded, obstacle_of, unpack

#: Pages are built in folders of this name beside the students', and moved when they are whole.
UNFINISHED = ".mdcv-"


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


class Writer:
    """The one who writes: gradebook, journal and autograded notebooks."""

    def __init__(self, course: Course, assignment: str, skeleton: Skeleton, gradebook):
        # Brings all of nbgrader, for which the workers need not wait to be started.
        from mdcv.grading.penalties import Penalties

        self.course, self.assignment, self.skeleton = course, assignment, skeleton
        self.gradebook, self.names = gradebook, roster.students(course)
        self.journal, self.penalties = Journal(gradebook, assignment), Penalties(course)
        self.entries, self.standing = self.journal.entries(), standing(gradebook, assignment)
        self.underway: dict[str, Sheet] = {}

    def kept(self, sheet: Sheet) -> Result | None:
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

    def failed(self, sheet: Sheet, reason: str) -> Result:
        """Zero with a reason. A failure of ours leaves no entry, so the next run tries again."""
        notebook = copy.deepcopy(self.skeleton.notebook)
        note_problems(notebook, [reason])
        page = writable(nbformat.writes(notebook)) + "\n"
        marks = {
            question.grade_id: Mark(0.0, question.max_score, reason, question.by_hand)
            for question in self.skeleton.questions
        }
        return self._write(sheet, "failed", Entry("", "", marks, [reason]), page, known=False)

    def _write(self, sheet: Sheet, status: str, entry: Entry, page: str, *, known: bool) -> Result:
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

    def _page_of(self, sheet: Sheet) -> Path:
        folder = self.course.autograded / sheet.folder.name / self.assignment
        return folder / f"{self.assignment}.ipynb"

    def _write_page(self, sheet: Sheet, page: str) -> None:
        """The autograded notebook with the files it needs, for the formgrader and the feedback."""
        path = self._page_of(sheet)
        try:
            with tempfile.TemporaryDirectory(
                prefix=UNFINISHED, dir=self.course.autograded, ignore_cleanup_errors=True
            ) as scratch:
                fresh = Path(scratch) / self.assignment
                fresh.mkdir()
                if sheet.task is not None:
                    self._unpack_beside(sheet.task.files, fresh)
                (fresh / path.name).write_text(page, encoding="utf-8")
                shutil.rmtree(path.parent, ignore_errors=True)
                path.parent.parent.mkdir(parents=True, exist_ok=True)
                fresh.rename(path.parent)
        except OSError as error:
            raise unwritable(path.parent, error) from error

    @staticmethod
    def _unpack_beside(files: dict[str, bytes], fresh: Path) -> None:
        """The student's files, or none where this file system does not take their names."""
        try:
            unpack(files, fresh)
        except OSError as error:
            if obstacle_of(error) is not None:
                raise
            shutil.rmtree(fresh)
            fresh.mkdir()


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


def unwritable(path: Path, error: OSError) -> CannotRun:
    """What to raise when a file of the course cannot be written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    words = "the disk is full" if full else error.strerror
    return CannotRun(f"{path} cannot be written: {words}. {RESUME}")
