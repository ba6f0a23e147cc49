"""All submissions of a folder: some run at a time, one writer, and every student gets a result.

The code of the students runs in kernels, each a process of its own; here a few threads wait
for them. So `jobs` kernels work side by side, while one thread alone converts, marks and
writes. A scheduler on other machines would take the place of the thread pool.
"""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from mdcv.grading import roster
from mdcv.grading.course import CannotRun, Course
from mdcv.grading.execution import Limits, run_notebook
from mdcv.grading.gradebook import open_gradebook, record_marks
from mdcv.grading.intake import Unreadable, copy_files, find_notebook, read_cells, rebuild
from mdcv.grading.marks import BY_HAND, Mark, mark_notebook
from mdcv.grading.pipeline import note_problems
from mdcv.grading.release import enter_assignment
from mdcv.grading.skeleton import Skeleton, load_skeleton
from mdcv.grading.text import sentence, writable

#: How the reason begins when it was not the student's fault.
FAULT = "the grader failed"


@dataclass(frozen=True)
class Result:
    """What one student gets: the points that now stand, and the sentences."""

    student: str
    status: str
    questions: dict[str, Mark]
    problems: list[str] = field(default_factory=list)

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
    """A submission on its way: rebuilt, then run. Without a notebook it could not be read."""

    student: str
    folder: Path
    notebook: NotebookNode | None
    problems: list[str]
    files: Path | None = None


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


def student_id(folder: Path) -> str:
    """The student's id: the name of the folder, in characters that every database can hold.

    >>> student_id(Path("submitted/ada"))
    'ada'
    """
    return os.fsencode(folder.name).decode("utf-8", errors="backslashreplace")


def grade_class(
    course: Course,
    assignment: str,
    *,
    submissions: Path | None = None,
    jobs: int = 1,
    limits: Limits | None = None,
) -> Iterator[Result]:
    """Grades every submission in a folder and yields each result once it stands in the gradebook.

    The submissions are only read. One that cannot be read, or breaks the grader itself, gets
    zero with a reason, and the next one follows.

    Args:
        submissions: holds `<student>/<assignment>/<assignment>.ipynb`; None means the course's
            submitted/.
        jobs: how many submissions run at once.
        limits: what one submission may use.

    Raises:
        CannotRun: there is no such assignment, there are no submissions, or the gradebook or
            the course folder cannot be written.
    """
    source = course.notebook(assignment)
    folders = student_folders(submissions or course.submitted)
    skeleton = load_skeleton(source, course.config())
    seed = course.seed(assignment)
    enter_assignment(course, assignment)
    names = roster.students(course)
    with (
        open_gradebook(course) as gradebook,
        tempfile.TemporaryDirectory(prefix="mdcv-") as scratch,
    ):
        work = _Work(skeleton, source, Path(scratch), seed, limits or Limits())
        for sheet in work.run_all(folders, assignment, jobs):
            yield _finish(course, gradebook, assignment, skeleton, sheet, names)


class _Work:
    """What every submission of one run is worked on with."""

    def __init__(self, skeleton: Skeleton, source: Path, scratch: Path, seed: int, limits: Limits):
        self.skeleton, self.source, self.scratch = skeleton, source, scratch
        self.seed, self.limits = seed, limits
        self.stop = threading.Event()

    def run_all(self, folders: list[Path], assignment: str, jobs: int) -> Iterator[_Sheet]:
        """The sheets as they are ready."""
        waiting = list(enumerate(folders))
        running: set[Future[_Sheet]] = set()
        with ThreadPoolExecutor(max_workers=jobs) as pool:
            try:
                while waiting or running:
                    while waiting and len(running) < jobs:
                        running.add(pool.submit(self.one, *waiting.pop(0), assignment))
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            finally:
                self.stop.set()  # after an interrupt, the kernels still at work end too

    def one(self, number: int, folder: Path, assignment: str) -> _Sheet:
        """Reads, rebuilds and runs one submission; never raises."""
        student = student_id(folder)
        try:
            path, problems = find_notebook(folder, assignment)
            notebook, mended = rebuild(read_cells(path), self.skeleton)
            scratch = self.scratch / str(number)
            scratch.mkdir()
            copy_files(self.source.parent, scratch)
            problems += mended + copy_files(path.parent, scratch)
            files = self.scratch / f"{number}-files"
            shutil.copytree(scratch, files)  # as it was before the student's code touched it
            problems += run_notebook(
                notebook, folder=scratch, seed=self.seed, limits=self.limits, stop=self.stop
            )
            shutil.rmtree(scratch, ignore_errors=True)
        except Unreadable as error:
            return _Sheet(student, folder, None, [str(error)])
        except Exception as error:  # a fault of ours must not stop the class
            return _Sheet(student, folder, None, [_fault(error)])
        return _Sheet(student, folder, notebook, problems, files)


def _finish(course, gradebook, assignment, skeleton, sheet, names) -> Result:
    """Marks one sheet, writes marks and autograded notebook, and returns what now stands."""
    notebook, problems, marks = sheet.notebook, list(sheet.problems), None
    if notebook is not None:
        try:
            marks = mark_notebook(notebook)
        except Exception as error:  # ours again
            problems = [_fault(error)]
    status = "failed" if marks is None else "graded"
    if marks is None:
        notebook = copy.deepcopy(skeleton.notebook)
        marks = {
            question.grade_id: Mark(0.0, question.max_score, problems[0], question.by_hand)
            for question in skeleton.questions
        }
    handed_in = _handed_in(course, assignment, sheet.folder, problems)
    note_problems(notebook, problems)
    _write(course.autograded / sheet.folder.name / assignment, assignment, notebook, sheet.files)
    points = record_marks(
        gradebook,
        assignment,
        sheet.student,
        marks,
        names=names.get(sheet.student),
        timestamp=handed_in,
    )
    standing = {name: _standing(mark, points[name]) for name, mark in marks.items()}
    return Result(sheet.student, status, standing, problems)


def _fault(error: Exception) -> str:
    return f"{FAULT}: {type(error).__name__}: {sentence(str(error))}"


def _handed_in(course: Course, assignment: str, folder: Path, problems: list[str]):
    """When the submission was handed in, as nbgrader's timestamp.txt says; None without one."""
    try:
        return course.directory(assignment).get_existing_timestamp(str(folder / assignment))
    except Exception:  # anything may stand in that file
        problems.append("timestamp.txt holds no date; it was ignored")
        return None


def _standing(mark: Mark, points: float) -> Mark:
    """The mark with the points in the gradebook, which a person may have changed."""
    message = "graded by hand" if mark.message == BY_HAND and points else mark.message
    return replace(mark, score=points, message=message)


def _write(folder: Path, assignment: str, notebook: NotebookNode, files: Path | None) -> None:
    """The autograded notebook with the files it needs, for the formgrader and the feedback."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        if files is not None:
            shutil.copytree(files, folder)
            shutil.rmtree(files)
        folder.mkdir(parents=True, exist_ok=True)
        text = writable(nbformat.writes(notebook)) + "\n"
        (folder / f"{assignment}.ipynb").write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotRun(f"{folder} cannot be written: {error.strerror}") from error
