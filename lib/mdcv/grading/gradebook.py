"""nbgrader's gradebook: one writer, one transaction for each student."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mdcv.grading.course import CannotRun, Course
from mdcv.grading.marks import NOT_ANSWERED, Mark
from mdcv.grading.new_gradebook import make_tables

if TYPE_CHECKING:
    from nbgrader.api import Grade, Gradebook, SubmittedAssignment, SubmittedNotebook

    from mdcv.grading.penalties import Penalties

#: A writer waits this long for another one, such as the formgrader, before it gives up.
BUSY_SECONDS = 30


@contextlib.contextmanager
def open_gradebook(course: Course) -> Iterator[Gradebook]:
    """The course's gradebook, open; it is created where it is missing.

    Raises:
        CannotRun: the database cannot be reached, read or written.
    """
    from nbgrader import api
    from sqlalchemy import text, update

    with refusals(course.database):
        make_tables(course.database)
        gradebook = api.Gradebook(course.database, course.directory("").course_id)
    try:
        with refusals(course.database):
            # Opening a file that is for reading only succeeds; a write that changes nothing tells.
            if gradebook.engine.dialect.name == "sqlite":
                gradebook.db.execute(text(f"PRAGMA busy_timeout = {1000 * BUSY_SECONDS}"))
            gradebook.db.execute(update(api.Course).values(id=api.Course.id))
            gradebook.db.commit()
        yield gradebook
    finally:
        gradebook.close()


@contextlib.contextmanager
def refusals(database: str) -> Iterator[None]:
    """Whatever the database refuses inside becomes a sentence, and nbgrader writes no pages."""
    from nbgrader.api import InvalidEntry
    from sqlalchemy.exc import SQLAlchemyError

    log = logging.getLogger("tornado.application")
    before, log.disabled = log.disabled, True
    try:
        yield
    except (SQLAlchemyError, InvalidEntry, ImportError, OSError) as error:
        # nbgrader wraps the driver's error in one of its own.
        causes = [getattr(one, "orig", None) for one in (error, error.__context__)]
        reason = str(next(filter(None, causes), error)).splitlines()[0]
        raise CannotRun(f"the gradebook {shown(database)} cannot be used: {reason}") from error
    finally:
        log.disabled = before


def shown(database: str) -> str:
    """A database's URL without its password.

    >>> shown("postgresql://ann:secret@host/book")
    'postgresql://ann:***@host/book'
    """
    return re.sub(r"(://[^:/@]+):[^@]*@", r"\1:***@", database)


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


@dataclass(frozen=True)
class Points:
    """What the gradebook holds of one question: by the machine, by a person, and what counts."""

    auto: float | None
    by_hand: float | None
    score: float


def _points(grade) -> Points:
    return Points(grade.auto_score, grade.manual_score, float(grade.score or 0.0))


def standing(gradebook: Gradebook, assignment: str) -> dict[str, dict[str, Points]]:
    """The points of every submission to an assignment, by student and grade id."""
    from nbgrader.api import Assignment, Grade, SubmittedAssignment, SubmittedNotebook
    from sqlalchemy.orm import joinedload

    with refusals(str(gradebook.engine.url)):
        rows = (
            gradebook.db.query(SubmittedAssignment.student_id, Grade)
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .filter(Assignment.name == assignment)
            .options(joinedload(Grade.cell))
        )
        found: dict[str, dict[str, Points]] = {}
        for student, grade in rows:
            found.setdefault(student, {})[grade.name] = _points(grade)
        gradebook.db.rollback()  # nothing was changed; the database is free again
        return found


def record_marks(
    gradebook: Gradebook,
    assignment: str,
    student: str,
    marks: dict[str, Mark],
    *,
    names: dict[str, str] | None = None,
    timestamp: datetime | None = None,
    penalties: Penalties | None = None,
    also: Callable[[], None] = lambda: None,
) -> tuple[dict[str, Points], float]:
    """Writes one student's marks in one transaction; returns what stands, and the late penalty.

    Args:
        marks: of every question of the assignment.
        names: first name, last name and email of a student who is new to the gradebook.
        timestamp: when the submission was handed in, where that is known.
        penalties: what being late costs.
        also: writes more in the same transaction.

    Raises:
        CannotRun: the database does not take them; what was written before stands.
    """
    from nbgrader.api import Grade

    with refusals(str(gradebook.engine.url)), one_commit(gradebook):
        gradebook.update_or_create_student(student, **(names or {}))
        when = {} if timestamp is None else {"timestamp": timestamp}
        submission = gradebook.update_or_create_submission(assignment, student, **when)
        notebook, rows = _complete(gradebook, assignment, submission)
        for grade_id, mark in marks.items():
            apply_mark(rows[grade_id], mark)
        for comment in notebook.comments:
            mark = marks.get(comment.name)
            comment.auto_comment = "No response." if mark and mark.message == NOT_ANSWERED else None
        also()
        gradebook.db.flush()
        key = notebook.id
        gradebook.db.expire_all()  # the database computes the score of a row
        gradebook.db.query(Grade).filter(Grade.notebook_id == key).all()  # all at once
        lost = penalties.apply(notebook) if penalties is not None else 0.0
        return {grade_id: _points(rows[grade_id]) for grade_id in marks}, lost


def _complete(
    gradebook: Gradebook, assignment: str, submission: SubmittedAssignment
) -> tuple[SubmittedNotebook, dict[str, Grade]]:
    """A submission's notebook and its rows by grade id; what is missing is made.

    nbgrader makes them with the submission, and a tool that was killed may have made some only.
    """
    from nbgrader.api import Grade, SubmittedNotebook

    original = gradebook.find_notebook(assignment, assignment)
    notebook = next((one for one in submission.notebooks if one.name == assignment), None)
    if notebook is None:
        notebook = SubmittedNotebook(notebook=original, assignment=submission)
        gradebook.db.add(notebook)
    rows = {grade.name: grade for grade in notebook.grades}
    for cell in original.grade_cells:
        if cell.name not in rows:
            rows[cell.name] = Grade(cell=cell, notebook=notebook)
            gradebook.db.add(rows[cell.name])
    gradebook.db.flush()
    return notebook, rows


def renew_penalty(
    gradebook: Gradebook,
    assignment: str,
    student: str,
    penalties: Penalties,
    timestamp: datetime | None,
) -> float:
    """The late penalty of a submission whose marks stand; due date and plugin may have changed."""
    with refusals(str(gradebook.engine.url)):
        notebook = gradebook.find_submission_notebook(assignment, assignment, student)
        if timestamp is not None and notebook.assignment.timestamp != timestamp:
            notebook.assignment.timestamp = timestamp
        lost = penalties.apply(notebook)
        gradebook.db.commit()
        return lost
