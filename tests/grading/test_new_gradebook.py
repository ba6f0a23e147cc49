"""A gradebook that was made here is one that nbgrader would have made."""

from __future__ import annotations

import sqlite3

from mdcv.grading.gradebook import open_gradebook
from mdcv.grading.new_gradebook import make_tables


def tables(path) -> dict[str, list[tuple]]:
    """The columns of each table, and what alembic calls the version of them all."""
    with sqlite3.connect(path) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        found = {
            name: [column[1:3] for column in database.execute(f"PRAGMA table_info({name})")]
            for (name,) in names
        }
        version = database.execute("SELECT version_num FROM alembic_version").fetchall()
    return {**found, "version": version}


def test_it_holds_the_tables_and_the_version_that_nbgrader_writes(tmp_path, empty_gradebook):
    path = tmp_path / "gradebook.db"
    assert make_tables(f"sqlite:///{path}")
    assert tables(path) == tables(empty_gradebook)
    assert not make_tables(f"sqlite:///{path}")


def test_one_that_is_there_is_left_as_it_is(empty_gradebook):
    before = empty_gradebook.read_bytes()
    assert not make_tables(f"sqlite:///{empty_gradebook}")
    assert empty_gradebook.read_bytes() == before


def test_a_course_gets_its_gradebook_though_no_program_can_be_run(toy, monkeypatch):
    (toy.root / "gradebook.db").unlink()
    monkeypatch.setenv("PATH", "")
    with open_gradebook(toy) as gradebook:
        assert gradebook.assignments == []
