"""The gradebook as a table, and as the files that Canvas and Moodle take in."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
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


def as_csv(assignment: str, students: list[Row]) -> str:
    """One row a student, with a column for each question."""
    questions = list(dict.fromkeys(name for row in students for name in row.questions))
    head = ["student", "last_name", "first_name", "email", "handed_in", "score", "max_score"]
    lines = [[*head, "late_penalty", "needs_grading_by_hand", *questions]]
    for row in students:
        about = [row.student, row.last_name, row.first_name, row.email, _yes(row.handed_in)]
        total = [_points(row.score), _points(row.max_score), _points(row.late_penalty)]
        each = [_points(row.questions[name]) if row.handed_in else "" for name in questions]
        lines.append([*about, *total, _yes(row.needs_hand), *each])
    return _written(lines)


def as_canvas(assignment: str, students: list[Row]) -> str:
    """The file for Canvas's gradebook import: its five columns, then the assignment.

    The second row holds the points possible. The student's id stands as SIS Login ID, by which
    Canvas finds its own user. Without a submission the cell is empty, and Canvas keeps what it has.
    """
    lines = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", assignment]]
    possible = _points(students[0].max_score) if students else ""
    lines.append(["    Points Possible", "", "", "", "", possible])
    for row in students:
        lines.append([_full_name(row), "", "", row.student, "", _score(row)])
    return _written(lines)


def as_moodle(assignment: str, students: list[Row]) -> str:
    """The file for Moodle's grade import; map the user by "ID number" or "Email address"."""
    lines = [
        [
            "First name",
            "Last name",
            "ID number",
            "Email address",
            f"Assignment: {assignment} (Real)",
        ]
    ]
    for row in students:
        lines.append([row.first_name, row.last_name, row.student, row.email, _score(row) or "-"])
    return _written(lines)


#: The formats that are text; "table" is drawn by the command line.
FORMATS: dict[str, Callable[[str, list[Row]], str]] = {
    "csv": as_csv,
    "canvas": as_canvas,
    "moodle": as_moodle,
}


def _full_name(row: Row) -> str:
    return f"{row.last_name}, {row.first_name}" if row.last_name else row.student


def _score(row: Row) -> str:
    return _points(row.score) if row.handed_in else ""


def _points(value: float) -> str:
    return f"{round(value, 4):g}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _written(lines: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()
