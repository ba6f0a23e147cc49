"""The course seen live: a released assignment, a class of ten, marks, sentences and pages."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mdcv.grading.classroom import grade_class
from mdcv.grading.course import SECRET_NAME, CannotRun, Course
from mdcv.grading.limits import Limits
from mdcv.grading.release import release
from mdcv.grading.samples import build_samples
from mdcv.grading.walls import best_isolation
from mdcv.grading.writer import Result

ASSIGNMENT = "a4_point_sets"

#: A cell of the sample that never ends is stopped after this long; an honest one takes a few.
CELL_SECONDS = 15.0


@dataclass(frozen=True)
class Demo:
    """A scratch course beside the real one, with every sample handed in."""

    course: Course
    students: list[str]

    def grade(self, *, jobs: int | None = None) -> Iterator[Result]:
        """Grades the class; yields each result as it stands in the scratch gradebook."""
        jobs = jobs or min(2, os.cpu_count() or 1)
        limits = Limits(cell_seconds=CELL_SECONDS)
        isolation = best_isolation()  # these ten are ours; a class of strangers needs "full"
        return grade_class(self.course, ASSIGNMENT, jobs=jobs, limits=limits, isolation=isolation)


def set_up(course: Course, folder: Path | None = None) -> Demo:
    """Releases the assignment into a scratch course and hands in the samples.

    The working course and its gradebook are not touched: the scratch course is `course/demo`,
    made anew each time. Its secret is fixed, so that the demo always says the same.

    Args:
        folder: another place for the scratch course.

    Raises:
        CannotRun: there is no such assignment, no sample, or the folder cannot be written.
    """
    root = folder or course.root / "demo"
    try:
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        (root / SECRET_NAME).write_text("the demo has no secrets\n")
        shutil.copy(course.root / "roster.csv", root)
    except OSError as error:
        raise CannotRun(f"{root} cannot be written: {error.strerror}") from error
    scratch = dataclasses.replace(
        course,
        root=root,
        release=root / "assignments",
        submitted=root / "submitted",
        autograded=root / "autograded",
        feedback=root / "feedback",
        database=f"sqlite:///{root / 'gradebook.db'}",
    )
    released = release(scratch, ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    students = build_samples(course.root / "samples" / ASSIGNMENT, released, scratch.submitted)
    return Demo(scratch, students)
