"""One writer, one transaction for each student."""

from __future__ import annotations

import dataclasses

import pytest

from mdcv.grading.course import CannotRun
from mdcv.grading.gradebook import one_commit, open_gradebook, record_marks
from mdcv.grading.marks import BY_HAND, NOT_ANSWERED, Mark
from mdcv.grading.release import enter_assignment

MARKS = {
    "double": Mark(3.0, 3.0, "all right"),
    "triple": Mark(0.5, 2.0, "half right"),
    "why": Mark(None, 4.0, BY_HAND, by_hand=True),
}


@pytest.fixture
def book(toy):
    enter_assignment(toy, "toy")
    with open_gradebook(toy) as gradebook:
        yield gradebook


def scores(points) -> dict[str, float]:
    return {name: row.score for name, row in points.items()}


def test_marks_stand_in_nbgraders_gradebook(book):
    names = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org"}
    points, _ = record_marks(book, "toy", "ada", MARKS, names=names)
    assert scores(points) == {"double": 3.0, "triple": 0.5, "why": 0.0}
    submission = book.find_submission("toy", "ada")
    assert (submission.score, submission.max_score) == (3.5, 9.0)
    assert submission.needs_manual_grade
    assert book.find_student("ada").last_name == "Lovelace"


def test_points_that_a_person_gave_stand_when_the_class_is_graded_again(book):
    record_marks(book, "toy", "ada", MARKS)
    row = book.find_grade("why", "toy", "toy", "ada")
    row.manual_score, row.needs_manual_grade = 2.5, False
    book.db.commit()
    right = {**MARKS, "triple": Mark(2.0, 2.0, "now right")}
    points, _ = record_marks(book, "toy", "ada", right)
    assert scores(points) == {"double": 3.0, "triple": 2.0, "why": 2.5}
    assert book.find_grade("why", "toy", "toy", "ada").needs_manual_grade


def test_an_untouched_answer_gets_nbgraders_comment(book):
    untouched = Mark(0.0, 4.0, NOT_ANSWERED, by_hand=True)
    record_marks(book, "toy", "ada", {**MARKS, "why": untouched})
    assert book.find_comment("why", "toy", "toy", "ada").comment == "No response."
    assert not book.find_submission("toy", "ada").needs_manual_grade


def test_a_student_is_written_in_one_commit(book, monkeypatch):
    from sqlalchemy import event

    commits = []
    event.listen(book.engine, "commit", lambda connection: commits.append(1))
    record_marks(book, "toy", "ada", MARKS)
    assert len(commits) == 1


def test_after_an_error_nothing_of_the_student_is_written(book):
    from nbgrader.api import MissingEntry

    with pytest.raises(RuntimeError), one_commit(book):
        book.update_or_create_student("eve")
        raise RuntimeError("power cut")
    with pytest.raises(MissingEntry):
        book.find_student("eve")
    record_marks(book, "toy", "ada", MARKS)  # the next one is written as ever


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////no/such/folder/gradebook.db",
        "nonsense",
        "nosuchkind://user@host/name",
        "sqlite:///file:{path}?mode=ro&uri=true",
    ],
)
def test_a_database_that_cannot_be_used_is_named(toy, url):
    enter_assignment(toy, "toy")
    url = url.format(path=toy.root / "gradebook.db")
    broken = dataclasses.replace(toy, database=url)
    with pytest.raises(CannotRun, match=r"the gradebook .* cannot be used"), open_gradebook(broken):
        pass


def test_a_database_that_goes_away_is_named_and_keeps_what_it_has(toy, book):
    from sqlalchemy import create_engine, text

    record_marks(book, "toy", "ada", MARKS)
    with create_engine(f"sqlite:///{toy.root / 'gradebook.db'}").begin() as other:
        other.execute(text("DROP TABLE comment"))
    with pytest.raises(CannotRun, match="cannot be used: no such table: comment"):
        record_marks(book, "toy", "ben", MARKS)
    assert book.find_grade("double", "toy", "toy", "ada").score == 3.0


def test_a_file_that_is_no_database_is_named(toy):
    (toy.root / "gradebook.db").write_text("not a database at all, only words " * 40)
    with pytest.raises(CannotRun, match="file is not a database"), open_gradebook(toy):
        pass


def test_a_fresh_gradebook_needs_nothing_on_the_path(toy, monkeypatch):
    (toy.root / "gradebook.db").unlink()
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with open_gradebook(toy) as gradebook:
        assert gradebook.students == []


@pytest.mark.parametrize("lost", ["grade", "submitted_notebook"])
def test_rows_that_somebody_else_left_out_are_made(book, lost):
    """A tool that was killed may have made some of a submission's rows only."""
    from sqlalchemy import text

    record_marks(book, "toy", "ada", MARKS)
    for table in {"grade", lost}:
        book.db.execute(text(f"DELETE FROM {table}"))
    book.db.commit()
    points, _ = record_marks(book, "toy", "ada", MARKS)
    assert scores(points) == {"double": 3.0, "triple": 0.5, "why": 0.0}
    assert book.find_submission("toy", "ada").score == 3.5
