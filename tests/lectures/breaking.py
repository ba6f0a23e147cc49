"""Breaks the claims of a lecture, one at a time, as a reader might, and looks who objects.

A lecture's tests are a class that derives from `LectureTests` and says in data how each equation
can be broken, and which answers to its exercises are right and which are wrong.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

import lecture_rules as rules
import pytest
import torch

from mdcv.claims import ClaimError

LECTURES = Path(__file__).resolve().parents[2] / "lectures"

#: A cell, what stands in it, and what is to stand there instead.
Edit = tuple[str, str, str]


def notebook(lecture: str) -> dict:
    """A lecture by the stem of its file."""
    return json.loads((LECTURES / f"{lecture}.ipynb").read_text(encoding="utf-8"))


def code_cells(lecture: str) -> dict[str, str]:
    """The code of a lecture by cell id, in order, without the pictures that cells end with."""
    cells = notebook(lecture)["cells"]
    code = {c["id"]: "".join(c["source"]) for c in cells if c["cell_type"] == "code"}
    return {cell_id: re.split(r"(?m)^plot\.", source)[0] for cell_id, source in code.items()}


def with_claims(cells: dict[str, str], needed: Sequence[str]) -> dict[str, str]:
    """The cells that claim something, predict, or are needed."""
    return {
        cell_id: source
        for cell_id, source in cells.items()
        if cell_id in needed or cell_id.startswith("predict") or re.search(r'claim\("\d', source)
    }


def edited(cells: dict[str, str], cell_id: str, right: str, wrong: str) -> dict[str, str]:
    """The cells with one passage of one cell replaced."""
    assert cells[cell_id].count(right) == 1, f"{right!r} does not stand once in {cell_id}"
    return {**cells, cell_id: cells[cell_id].replace(right, wrong)}


class Moment(NamedTuple):
    """What is known where a cell begins: the names, and the default dtype."""

    names: dict
    dtype: torch.dtype


def moment(names: dict) -> Moment:
    """A copy of the names as they are now, in which random generators go on by themselves."""
    copied = {
        name: value.clone_state() if isinstance(value, torch.Generator) else value
        for name, value in names.items()
    }
    return Moment(copied, torch.get_default_dtype())


@contextlib.contextmanager
def default_dtype_kept() -> Iterator[None]:
    """A lecture may choose the default dtype; the tests after it should not notice."""
    before = torch.get_default_dtype()
    try:
        yield
    finally:
        torch.set_default_dtype(before)


class Rehearsal:
    """One quick run through the claims of a lecture: what it printed, and every moment of it."""

    def __init__(self, cells: dict[str, str], epilogue: str) -> None:
        self.cells = cells
        self.begins: dict[str, Moment] = {}
        names: dict = {}
        torch.manual_seed(0)
        with default_dtype_kept(), contextlib.redirect_stdout(io.StringIO()) as printed:
            for cell_id, source in cells.items():
                self.begins[cell_id] = moment(names)
                exec(source, names)
            exec(epilogue, names)
            self.end = moment(names)
        self.printed = printed.getvalue()

    def run(self, sources: Sequence[str], start: Moment) -> None:
        """Runs some code as if it stood at that moment of the lecture."""
        names = moment(start.names).names
        torch.manual_seed(0)
        with default_dtype_kept():
            torch.set_default_dtype(start.dtype)
            for source in sources:
                exec(source, names)


class LectureTests:
    """The tests of one lecture; a class of its own says what there is to break and to answer."""

    #: The stem of the lecture's file.
    lecture: ClassVar[str]
    #: For every equation the edit that breaks its claim.
    broken: ClassVar[Mapping[str, Edit]]
    #: Cells without a claim whose names later cells need.
    needed: ClassVar[Sequence[str]] = ("setup",)
    #: Edits that make trainings short on which no claim depends.
    quick: ClassVar[Sequence[Edit]] = ()
    #: Cells of which everything from this passage on is left out.
    cut: ClassVar[Mapping[str, str]] = {}
    #: Code that stands in for cells the exercises need and no claim does.
    epilogue: ClassVar[str] = ""
    #: The blank of each exercise cell.
    blanks: ClassVar[Mapping[str, str]] = {}
    #: Cells and right answers; cells, wrong answers, and a piece of what objects.
    right: ClassVar[Sequence[tuple[str, str]]] = ()
    wrong: ClassVar[Sequence[tuple[str, str, str]]] = ()

    @classmethod
    def quick_cells(cls) -> dict[str, str]:
        """The cells that are run, with their trainings cut short."""
        cells = code_cells(cls.lecture)
        for edit in cls.quick:
            cells = edited(cells, *edit)
        for cell_id, begin in cls.cut.items():
            cells[cell_id] = cells[cell_id].split(begin)[0]
        return with_claims(cells, cls.needed)

    @pytest.fixture(scope="class")
    @classmethod
    def rehearsal(cls) -> Rehearsal:
        return Rehearsal(cls.quick_cells(), cls.epilogue)

    def test_unbroken_every_claim_holds(self, rehearsal):
        assert [n for n in self.broken if f"({n}) holds" not in rehearsal.printed] == []

    def test_every_equation_is_broken_here(self):
        assert list(self.broken) == rules.tags(notebook(self.lecture))

    def test_a_claim_fails_when_its_equation_is_broken(self, rehearsal, number):
        first = self.broken[number][0]
        cells = edited(rehearsal.cells, *self.broken[number])
        order = list(cells)
        # A claim that is made in a loop has no number in its cell: then all that follows is run.
        named = [cell_id for cell_id in order if f'claim("{number}"' in cells[cell_id]]
        last = named[0] if named else order[-1]
        between = [cells[c] for c in order[order.index(first) : order.index(last) + 1]]
        with pytest.raises(ClaimError, match=re.escape(f"({number}) FAILS")):
            rehearsal.run(between, rehearsal.begins[first])

    def answer(self, rehearsal: Rehearsal, cell_id: str, filled: str | None) -> None:
        """Runs an exercise cell with an answer in the place of its blank; None leaves it blank."""
        source, blank = code_cells(self.lecture)[cell_id], self.blanks[cell_id]
        assert len(re.findall(blank, source, flags=re.MULTILINE)) == 1, f"{cell_id} has no blank"
        if filled is not None:
            source = re.sub(blank, lambda _: filled, source, flags=re.MULTILINE)
        rehearsal.run([source], rehearsal.end)

    def test_a_right_answer_is_accepted(self, rehearsal, cell_id, filled, capsys):
        self.answer(rehearsal, cell_id, filled)
        assert "(exercise" in capsys.readouterr().out

    def test_a_wrong_answer_is_refused(self, rehearsal, cell_id, filled, objection):
        with pytest.raises(ClaimError, match=objection):
            self.answer(rehearsal, cell_id, filled)

    def test_a_missing_answer_is_met_with_a_friendly_line(self, rehearsal, blank_cell, capsys):
        self.answer(rehearsal, blank_cell, None)
        assert capsys.readouterr().out.startswith("Not yet: write")
