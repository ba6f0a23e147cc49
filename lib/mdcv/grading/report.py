"""The gradebook, one row a student, with the points that stand now."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mdcv.grading.course import CannotRun, Course
from mdcv.grading.gradebook import open_gradebook

SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Row:
    """One student of the gradebook, with or without a submission."""

    student: str
    first_name: str
    last_name: str
    email: str
    handed_in: bool
    max_score: float
    score: float = 0.0
    late_penalty: float = 0.0
    needs_hand: bool = False
    questions: dict[str, float] = field(default_factory=dict)


def rows(course: Course, assignment: str) -> list[Row]:
    """Every student of the gradebook in order of their ids, with the points that stand now.

    Raises:
        CannotRun: there is no such assignment, or nothing of it was graded yet.
    """
    course.notebook(assignment)
    path = Path(course.database.removeprefix(SQLITE))
    if course.database.startswith(SQLITE + "/") and not path.exists():
        raise CannotRun(f"there is no gradebook {path} yet; `mdcv grade {assignment}` makes it")
    with open_gradebook(course) as gradebook:
        from nbgrader.api import MissingEntry

        try:
            entry = gradebook.find_assignment(assignment)
        except MissingEntry as error:
            raise CannotRun(
                f"the gradebook holds nothing of {assignment} yet; "
                f"`mdcv grade {assignment}` comes first"
            ) from error
        submissions = {submission.student.id: submission for submission in entry.submissions}
        return [
            _row(student, submissions.get(student.id), float(entry.max_score))
            for student in sorted(gradebook.students, key=lambda student: student.id)
        ]


def _row(student, submission, max_score: float) -> Row:
    names = {name: getattr(student, name) or "" for name in ("first_name", "last_name", "email")}
    if submission is None:
        return Row(student.id, **names, handed_in=False, max_score=max_score)
    penalty = float(submission.late_submission_penalty or 0.0)
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    return Row(
        student.id,
        **names,
        handed_in=True,
        max_score=max_score,
        score=max(0.0, float(submission.score) - penalty),
        late_penalty=penalty,
        needs_hand=bool(submission.needs_manual_grade),
        questions={grade.name: float(grade.score) for grade in grades},
    )
