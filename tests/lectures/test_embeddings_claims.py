"""The claims of lecture 02 can fail, and its exercises tell right answers from wrong ones."""

from __future__ import annotations

import re

import breaking
import lecture_rules as rules
import pytest

from mdcv.claims import ClaimError

LECTURE = "02_embeddings"

#: The cell that is edited, what stood there, what stands there now.
BROKEN = {
    "2.1": ("near-claims", "2 * pixels.var(", "pixels.var("),
    "2.2": ("autoencoder-claims", " - code.square().sum())", ")"),
    "2.3": ("autoencoder-claims", "[:-8].sum()", "[:-9].sum()"),
    "2.4": ("reveal-code", "A.inverse()", "A"),
    "2.5": ("siamese-claims", "(d**2 if alike else", "(d if alike else"),
    "2.6": ("siamese-claims", "-(4.0 - d) * (a - b) / d", "-(a - b) / d"),
    "2.7": ("siamese-claims", "(1 - share) * 2.0, by", "share * 2.0, by"),
    "2.8": ("siamese-claims", "(1 - same.double().mean())", "same.double().mean()"),
    "2.9": ("triplet-claims", "for t in zip(a, p, n,", "for t in zip(a, n, p,"),
    "2.10": ("triplet-claims", "sum(by_hand) / 500 / 1.0", "sum(by_hand) / 500 / 10"),
    "2.11": ("triplet-claims", "unit(a - p) - unit(a - n)", "unit(a - p) + unit(a - n)"),
    "2.12": ("flat-claims", "(costs > 0).double().mean() * active", "active"),
    "2.13": ("flat-claims", "gap[a == k].max()", "gap[a == k].mean()"),
    "2.14": ("break-collapse", "* (hardest_loss(noise) - 1.0)", "* hardest_loss(noise)"),
}

NEEDED = ("setup",)


def quick() -> dict[str, str]:
    """The code of the lecture without its trainings, on which no claim depends."""
    cells = breaking.code_cells(LECTURE)
    cells["reveal-code"] = cells["reveal-code"].split("torch.manual_seed")[0]
    cells["break-collapse"] = cells["break-collapse"].split("torch.manual_seed")[0]
    return cells


def test_unbroken_every_claim_holds(capsys):
    breaking.run(breaking.with_claims(quick(), NEEDED))
    judged = capsys.readouterr().out
    assert [number for number in BROKEN if f"({number}) holds" not in judged] == []


def test_every_equation_is_broken_here():
    assert list(BROKEN) == rules.tags(breaking.notebook(LECTURE))


@pytest.mark.parametrize("number", BROKEN)
def test_a_claim_fails_when_its_equation_is_broken(number):
    cells = breaking.edited(quick(), *BROKEN[number])
    with pytest.raises(ClaimError, match=re.escape(f"({number}) FAILS")):
        breaking.run(breaking.with_claims(cells, NEEDED, upto=number))


BLANKS = {
    "exercise-opinions": r"^my_rest = None",
    "exercise-tear": r"^my_A = None",
    "exercise-hardest": r"^    raise NotImplementedError",
}

RIGHT = [
    ("exercise-opinions", "my_rest = 1.2"),
    ("exercise-tear", "my_A = torch.diag(torch.tensor([1.0] * 7 + [1e5]))"),
    (
        "exercise-hardest",
        "    d = torch.cdist(e, e)\n"
        "    alike = labels[:, None] == labels\n"
        "    farthest = d.masked_fill(~alike, -torch.inf).amax(dim=1)\n"
        "    nearest = d.masked_fill(alike, torch.inf).amin(dim=1)\n"
        "    return (farthest - nearest + margin).clamp(min=0)",
    ),
    (
        "exercise-hardest",
        "    i, j, k = embedding.mine_triplets(e, labels)\n"
        "    return triplet_costs(e[i], e[j], e[k], margin)",
    ),
]

WRONG = [
    ("exercise-opinions", "my_rest = 2.8", "exercise A"),
    ("exercise-tear", "my_A = torch.eye(8)", "exercise B, recall"),
    ("exercise-tear", "my_A = torch.diag(torch.tensor([1.0] * 7 + [1e-18]))", "exercise B"),
    (
        "exercise-hardest",
        "    d = torch.cdist(e, e)\n"
        "    nearest = d.amin(dim=1)\n"
        "    return (d.amax(dim=1) - nearest + margin).clamp(min=0)",
        "exercise C",
    ),
]


@pytest.fixture(scope="module")
def names() -> dict:
    """What is known where the exercises stand."""
    return breaking.run(breaking.with_claims(quick(), NEEDED))


@pytest.mark.parametrize(("cell_id", "filled"), RIGHT)
def test_a_right_answer_is_accepted(names, cell_id, filled, capsys):
    breaking.answer(LECTURE, cell_id, BLANKS[cell_id], filled, names)
    assert "(exercise" in capsys.readouterr().out


@pytest.mark.parametrize(("cell_id", "filled", "objection"), WRONG)
def test_a_wrong_answer_is_refused(names, cell_id, filled, objection):
    with pytest.raises(ClaimError, match=objection):
        breaking.answer(LECTURE, cell_id, BLANKS[cell_id], filled, names)


@pytest.mark.parametrize("cell_id", BLANKS)
def test_a_missing_answer_is_met_with_a_friendly_line(names, cell_id, capsys):
    breaking.answer(LECTURE, cell_id, BLANKS[cell_id], None, names)
    assert capsys.readouterr().out.startswith("Not yet: write")
