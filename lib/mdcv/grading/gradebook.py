"""nbgrader's gradebook: one writer, one transaction for each student."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mdcv.grading.course import CannotRun, Course
from mdcv.grading.marks import NOT_ANSWERED, Mark

if TYPE_CHECKING:
    from nbgrader.api import Gradebook


@contextlib.contextmanager
def open_gradebook(course: Course) -> Iterator[Gradebook]:
    """The course's gradebook, open; it is created where it is missing.

    Raises:
        CannotRun: the database cannot be reached, read or written.
    """
    from nbgrader import api
    from sqlalchemy import update

    alembic_on_path()
    with _refusals(course.database):
        gradebook = api.Gradebook(course.database, course.directory("").course_id)
        # Opening a file that is for reading only succeeds; a write that changes nothing tells.
        gradebook.db.execute(update(api.Course).values(id=api.Course.id))
        gradebook.db.commit()
    try:
        yield gradebook
    finally:
        gradebook.close()


@contextlib.contextmanager
def _refusals(database: str) -> Iterator[None]:
    """Whatever the database refuses inside becomes a sentence."""
    from nbgrader.api import InvalidEntry
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, InvalidEntry, ImportError, OSError) as error:
        # nbgrader wraps the driver's error in one of its own.
        causes = [getattr(one, "orig", None) for one in (error, error.__context__)]
        reason = str(next(filter(None, causes), error)).splitlines()[0]
        raise CannotRun(f"the gradebook {database} cannot be used: {reason}") from error


def alembic_on_path() -> None:
    """Puts this environment's programs on PATH: a fresh gradebook runs `alembic` from there.

    Without it nbgrader fails at first and leaves a half-made database behind.
    """
    programs = str(Path(sys.executable).parent)
    if programs not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([programs, os.environ.get("PATH", "")])


@contextlib.contextmanager
def one_commit(gradebook: Gradebook) -> Iterator[None]:
    """Everything inside is written at once or, after an error, not at all.

    nbgrader commits after each of its own calls; inside, those only reach the transaction.
    """
    session = gradebook.db
    commit = session.commit
    session.commit = session.flush
    try:
        with session.no_autoflush:
            yield
        commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.commit = commit


def apply_mark(grade, mark: Mark) -> None:
    """Writes a mark into a row of nbgrader's. Points that a person gave stand, to be looked at."""
    grade.auto_score = mark.score
    grade.needs_manual_grade = mark.score is None or grade.manual_score is not None


def record_marks(
    gradebook: Gradebook,
    assignment: str,
    student: str,
    marks: dict[str, Mark],
    *,
    names: dict[str, str] | None = None,
    timestamp=None,
) -> dict[str, float]:
    """Writes one student's marks in one transaction; returns the points that stand, by grade id.

    Raises:
        CannotRun: the database does not take them; what was written before stands.

    Args:
        marks: of every question of the assignment.
        names: first name, last name and email of a student who is new to the gradebook.
        timestamp: when the submission was handed in, where that is known.
    """
    with _refusals(str(gradebook.engine.url)), one_commit(gradebook):
        gradebook.update_or_create_student(student, **(names or {}))
        when = {} if timestamp is None else {"timestamp": timestamp}
        gradebook.update_or_create_submission(assignment, student, **when)
        notebook = gradebook.find_submission_notebook(assignment, assignment, student)
        rows = {grade.name: grade for grade in notebook.grades}
        for grade_id, mark in marks.items():
            apply_mark(rows[grade_id], mark)
        for comment in notebook.comments:
            mark = marks.get(comment.name)
            comment.auto_comment = "No response." if mark and mark.message == NOT_ANSWERED else None
        gradebook.db.flush()
        gradebook.db.expire_all()  # the database computes the score of a row
        return {grade_id: float(rows[grade_id].score or 0.0) for grade_id in marks}
