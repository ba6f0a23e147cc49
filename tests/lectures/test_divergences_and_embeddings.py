"""The claims of lectures 01 and 02 can fail; their exercises tell right answers from wrong ones."""

from __future__ import annotations

import re

import breaking
import divergences_cases
import embeddings_cases
import lecture_rules as rules
import pytest

from mdcv.claims import ClaimError

CASES = {"01_divergences": divergences_cases, "02_embeddings": embeddings_cases}
NEEDED = ("setup",)

LECTURES = pytest.mark.parametrize("lecture", CASES)
EQUATIONS = [(lecture, number) for lecture, cases in CASES.items() for number in cases.BROKEN]
BLANKS = [(lecture, cell_id) for lecture, cases in CASES.items() for cell_id in cases.BLANKS]
RIGHT = [(lecture, *answer) for lecture, cases in CASES.items() for answer in cases.RIGHT]
WRONG = [(lecture, *answer) for lecture, cases in CASES.items() for answer in cases.WRONG]


def quick(lecture: str) -> dict[str, str]:
    """The code of a lecture without its trainings, on which no claim depends."""
    cells = breaking.code_cells(lecture)
    for cell_id, begin in CASES[lecture].TRAININGS.items():
        cells[cell_id] = cells[cell_id].split(begin)[0]
    return cells


@LECTURES
def test_unbroken_every_claim_holds(lecture, capsys):
    breaking.run(breaking.with_claims(quick(lecture), NEEDED))
    judged = capsys.readouterr().out
    assert [n for n in CASES[lecture].BROKEN if f"({n}) holds" not in judged] == []


@LECTURES
def test_every_equation_is_broken_here(lecture):
    assert list(CASES[lecture].BROKEN) == rules.tags(breaking.notebook(lecture))


@pytest.mark.parametrize(("lecture", "number"), EQUATIONS)
def test_a_claim_fails_when_its_equation_is_broken(lecture, number):
    cells = breaking.edited(quick(lecture), *CASES[lecture].BROKEN[number])
    with pytest.raises(ClaimError, match=re.escape(f"({number}) FAILS")):
        breaking.run(breaking.with_claims(cells, NEEDED, upto=number))


@pytest.fixture(scope="module")
def names() -> dict[str, dict]:
    """What is known where the exercises of each lecture stand."""
    return {
        lecture: breaking.run(breaking.with_claims(quick(lecture), NEEDED)) for lecture in CASES
    }


@pytest.mark.parametrize(("lecture", "cell_id", "filled"), RIGHT)
def test_a_right_answer_is_accepted(names, lecture, cell_id, filled, capsys):
    blank = CASES[lecture].BLANKS[cell_id]
    breaking.answer(lecture, cell_id, blank, filled, names[lecture])
    assert "(exercise" in capsys.readouterr().out


@pytest.mark.parametrize(("lecture", "cell_id", "filled", "objection"), WRONG)
def test_a_wrong_answer_is_refused(names, lecture, cell_id, filled, objection):
    blank = CASES[lecture].BLANKS[cell_id]
    with pytest.raises(ClaimError, match=objection):
        breaking.answer(lecture, cell_id, blank, filled, names[lecture])


@pytest.mark.parametrize(("lecture", "cell_id"), BLANKS)
def test_a_missing_answer_is_met_with_a_friendly_line(names, lecture, cell_id, capsys):
    blank = CASES[lecture].BLANKS[cell_id]
    breaking.answer(lecture, cell_id, blank, None, names[lecture])
    assert capsys.readouterr().out.startswith("Not yet: write")
