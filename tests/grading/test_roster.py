"""The class and its dates, as two small tables say."""

from __future__ import annotations

import pytest

from mdcv.grading.course import CannotRun, find_course
from mdcv.grading.roster import due_date, students


def test_the_roster_gives_names_by_id(toy):
    (toy.root / "roster.csv").write_text("id,first_name,last_name\nada,Ada,Lovelace\n,,\n")
    assert students(toy) == {"ada": {"first_name": "Ada", "last_name": "Lovelace", "email": ""}}


def test_without_tables_there_are_no_names_and_no_dates(toy):
    assert students(toy) == {}
    assert due_date(toy, "toy") is None


def test_a_table_without_its_key_is_refused(toy):
    (toy.root / "roster.csv").write_text("student,name\nada,Ada\n")
    with pytest.raises(CannotRun, match=r"roster\.csv has no column 'id'"):
        students(toy)


def test_a_table_that_a_spreadsheet_saved_is_read(toy):
    (toy.root / "roster.csv").write_bytes("id,first_name\r\nada,Zoë\r\n".encode("utf-8-sig"))
    assert students(toy)["ada"]["first_name"] == "Zoë"


def test_a_table_in_another_encoding_is_named(toy):
    (toy.root / "roster.csv").write_bytes("id,first_name\nada,Zoë\n".encode("latin-1"))
    with pytest.raises(CannotRun, match=r"roster\.csv cannot be read"):
        students(toy)


def test_the_repository_ships_a_roster_of_its_samples_and_a_schedule_of_its_assignments():
    course = find_course()
    samples = {path.stem for path in (course.root / "samples" / "a4_point_sets").glob("*.py")}
    assert set(students(course)) == samples
    for assignment in course.assignments():
        due_date(course, assignment)


def test_spaces_around_an_id_and_columns_without_a_name_do_no_harm(toy):
    (toy.root / "roster.csv").write_text("id,first_name\n ada ,Ada,more,and more\nben\n")
    assert {name: row["first_name"] for name, row in students(toy).items()} == {
        "ada": "Ada",
        "ben": "",
    }


def test_a_table_with_another_separator_is_refused_with_what_it_has(toy):
    (toy.root / "roster.csv").write_text("id;first_name\nada;Ada\n")
    with pytest.raises(CannotRun, match="no column 'id'; its columns are 'id;first_name'"):
        students(toy)
