"""The gradebook as a table and as files that a learning platform takes in."""

from __future__ import annotations

import csv
import io

import pytest

from mdcv.grading.course import CannotRun
from mdcv.grading.gradebook import open_gradebook, record_marks
from mdcv.grading.marks import BY_HAND, Mark
from mdcv.grading.platforms import FORMATS
from mdcv.grading.release import enter_assignment
from mdcv.grading.report import rows


@pytest.fixture
def graded(toy):
    """Two students with marks, one without a submission; the names come from the roster."""
    enter_assignment(toy, "toy")
    by_hand = Mark(None, 4.0, BY_HAND, by_hand=True)
    names = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org"}
    with open_gradebook(toy) as gradebook:
        full = {"double": Mark(3.0, 3.0, ""), "triple": Mark(2.0, 2.0, ""), "why": by_hand}
        record_marks(gradebook, "toy", "ada", full, names=names)
        half = {**full, "triple": Mark(0.125, 2.0, ""), "why": Mark(0.0, 4.0, "", by_hand=True)}
        record_marks(gradebook, "toy", "ben, the second", half)
        gradebook.add_student("cleo")
    return toy


def lines(toy, format: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(FORMATS[format](toy, "toy", rows(toy, "toy")))))


def test_csv_has_one_row_a_student_and_one_column_a_question(graded):
    head, ada, ben, cleo = lines(graded, "csv")
    assert head[-3:] == ["double", "triple", "why"]
    assert dict(zip(head, ada, strict=True)) == {
        "student": "ada",
        "last_name": "Lovelace",
        "first_name": "Ada",
        "email": "ada@example.org",
        "handed_in": "yes",
        "score": "5",
        "max_score": "9",
        "late_penalty": "0",
        "needs_grading_by_hand": "yes",
        "double": "3",
        "triple": "2",
        "why": "0",
    }
    assert ben[0] == "ben, the second" and ben[5] == "3.125" and ben[8] == "no"
    assert cleo[4:6] == ["no", "0"] and cleo[-3:] == ["", "", ""]


def test_canvas_gets_its_columns_and_the_points_possible(graded):
    head, possible, ada, _, cleo = lines(graded, "canvas")
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "toy"]
    assert possible[0].strip() == "Points Possible" and possible[-1] == "9"
    assert ada == ["Lovelace, Ada", "", "", "ada", "", "5"]
    assert cleo[-1] == ""


def test_moodle_gets_names_and_one_grade(graded):
    head, ada, _, cleo = lines(graded, "moodle")
    assert head[2:] == ["ID number", "Email address", "Assignment: toy (Real)"]
    assert ada == ["Ada", "Lovelace", "ada", "ada@example.org", "5"]
    assert cleo[-1] == "-"


def test_platforms_get_the_ids_and_titles_that_the_tables_tell(graded):
    (graded.root / "roster.csv").write_text(
        "id,canvas_id,sis_user_id,section,moodle_id,username\nada,17,S-1,Tue,900,alovelace\n"
        "cleo,,,,,\n"
    )
    (graded.root / "schedule.csv").write_text(
        "assignment,due,canvas_title,moodle_title\ntoy,,Toys (123),Toys of week 2\n"
    )
    head, _, ada, ben, cleo = lines(graded, "canvas")
    assert head[-1] == "Toys (123)"
    assert ada == ["Lovelace, Ada", "17", "S-1", "", "Tue", "5"]
    assert ben[1:4] == ["", "", "ben, the second"] and cleo[3] == "cleo"
    head, ada, ben, _ = lines(graded, "moodle")
    assert head[2:] == [
        "ID number",
        "Username",
        "Email address",
        "Assignment: Toys of week 2 (Real)",
    ]
    assert ada[2:4] == ["900", "alovelace"] and ben[2:4] == ["ben, the second", ""]


def test_a_gradebook_that_is_not_there_is_not_made(toy):
    (toy.root / "gradebook.db").unlink()
    with pytest.raises(CannotRun, match="there is no gradebook"):
        rows(toy, "toy")
    assert not (toy.root / "gradebook.db").exists()


def test_an_assignment_that_nobody_was_graded_for_is_named(toy):
    with pytest.raises(CannotRun, match="the gradebook holds nothing of toy yet"):
        rows(toy, "toy")
    with pytest.raises(CannotRun, match="there is no assignment 'a9'"):
        rows(toy, "a9")


@pytest.mark.parametrize("format", FORMATS)
def test_no_name_becomes_a_formula_of_a_spreadsheet(graded, format):
    odd = ["=HYPERLINK(1)", "@SUM(A1)", "+1", "-2+3", " =1", "\t=1", "two\nlines", "a;'\"b"]
    with open_gradebook(graded) as gradebook:
        for student in odd:
            gradebook.add_student(student, first_name="=1+1", last_name="@x", email="=mailto()")
    told = lines(graded, format)
    assert not [cell for row in told for cell in row if cell.lstrip()[:1] in ("=", "@", "+")]
    assert not [cell for row in told for cell in row if cell.startswith("-") and len(cell) > 1]
    assert len(told) == len(odd) + 4 + (format == "canvas")
    assert {"'=HYPERLINK(1)", "two\nlines", "a;'\"b"} <= {cell for row in told for cell in row}
