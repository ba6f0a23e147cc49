"""What was graded, and from what: a table of ours in nbgrader's gradebook.

A row is written in the same transaction as the marks it tells of. So at any moment, and after
any death, a student's marks and the row stand both or neither, and a run that is started again
knows whom it may pass over.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from mdcv.grading.gradebook import refusals
from mdcv.grading.marks import Mark

if TYPE_CHECKING:
    from nbgrader.api import Gradebook
    from sqlalchemy import Engine, Row, Table


@dataclass(frozen=True)
class Entry:
    """One graded submission.

    Args:
        fingerprint: of everything the marks depend on.
        page: a digest of the autograded notebook that was written.
        marks: as they were given, before any person changed them.
    """

    fingerprint: str
    page: str
    marks: dict[str, Mark]
    problems: list[str]


def _table() -> Table:
    from sqlalchemy import Column, MetaData, String, Table, Text

    return Table(
        "mdcv_graded",
        MetaData(),
        Column("assignment", String(128), primary_key=True),
        Column("student", String(128), primary_key=True),
        Column("fingerprint", String(64), nullable=False),
        Column("page", String(64), nullable=False),
        Column("entry", Text, nullable=False),
    )


class Journal:
    """The rows of one assignment in one open gradebook."""

    def __init__(self, gradebook: Gradebook, assignment: str):
        self.session, self.assignment, self.table = gradebook.db, assignment, _table()
        self.database = str(gradebook.engine.url)
        with refusals(self.database):
            if not _is_ours(gradebook.engine, self.table):
                self.table.drop(gradebook.engine)
            self.table.metadata.create_all(gradebook.engine)

    def entries(self) -> dict[str, Entry]:
        """All rows by student. One that cannot be read is none: its submission is run again."""
        table = self.table
        with refusals(self.database):
            rows = self.session.execute(table.select().where(table.c.assignment == self.assignment))
            entries = {row.student: _read(row) for row in rows}
            self.session.rollback()  # nothing was changed; the database is free again
        return {student: entry for student, entry in entries.items() if entry is not None}

    def write(self, student: str, entry: Entry | None) -> None:
        """Puts an entry in the place of the student's old one; None only takes the old one out.

        Nothing is committed here.
        """
        table = self.table
        this = (table.c.assignment == self.assignment) & (table.c.student == student)
        self.session.execute(table.delete().where(this))
        if entry is not None:
            marks = {name: asdict(mark) for name, mark in entry.marks.items()}
            text = json.dumps({"marks": marks, "problems": entry.problems})
            row = {"assignment": self.assignment, "student": student, "entry": text}
            row |= {"fingerprint": entry.fingerprint, "page": entry.page}
            self.session.execute(table.insert().values(**row))


def _is_ours(engine: Engine, table: Table) -> bool:
    """Whether the table is not there yet, or has the columns of this version."""
    from sqlalchemy import inspect

    found = inspect(engine)
    if not found.has_table(table.name):
        return True
    columns = {column["name"] for column in found.get_columns(table.name)}
    return columns == set(table.columns.keys())


def _read(row: Row) -> Entry | None:
    try:
        content = json.loads(row.entry)
        marks = {name: Mark(**mark) for name, mark in content["marks"].items()}
        return Entry(row.fingerprint, row.page, marks, list(content["problems"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
