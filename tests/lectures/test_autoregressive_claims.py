"""The claims of lecture 04 can fail, and its exercises tell right answers from wrong ones."""

from __future__ import annotations

import re

import breaking
import lecture_rules as rules
import pytest

from mdcv.claims import ClaimError

LECTURE = "04_autoregressive"

#: The cell that is edited, what stood there, what stands there now.
BROKEN = {
    "4.1": (
        "chain-rule-claims",
        "upto / upto.sum(dim=-1, keepdim=True)",
        "upto / upto.sum(dim=0, keepdim=True)",
    ),
    "4.2": ("chain-rule-claims", "conditional_table(i)[..., 1].numel()", "i"),
    "4.3": ("first-network-claims", "for j in range(i)))", "for j in range(i + 1)))"),
    "4.4": (
        "first-network-claims",
        'claim("4.4", in_one_pass(all_images, below)',
        'claim("4.4", in_one_pass(all_images, W)',
    ),
    "4.5": ("bits-claims", "(joint * (joint.log() - model_log_p)).sum()", "0 * joint.sum()"),
    "4.6": ("bits-claims", "(3 * 4 * 5 * math.log(2))", "(3 * 4 * 5)"),
    "4.7": ("bits-claims", "while Fraction(k + 1, 2**n) > low + width:", "while n < 30:"),
    "4.8": ("masks-by-hand", "(u < 0 or v < 0)", "(u < 0 or v <= 0)"),
    "4.9": ("jacobian-claims", 'HandMasked(1, 1, "A")', 'HandMasked(1, 1, "B")'),
    "4.10": ("jacobian-claims", "table_of(layer, y) @ chained", "chained @ table_of(layer, y)"),
    "4.11": ("sum-claim", 'HandMasked(1, 6, "A")', 'HandMasked(1, 6, "B")'),
    "4.12": ("blind-spot-claim", "columns - 2 <= 6 - rows", "columns - 2 < 6 - rows"),
    "4.13": ("gated-claims", "above[:, 8:].sigmoid(), block", "above[:, 8:].relu(), block"),
    "4.14": ("gated-claims", "before = before + block.link.bias[:, None, None]\n", ""),
    "4.15": ("no-blind-spot-claim", "PixelCNN(channels=6, blocks=5)", "PlainPixelCNN(channels=6)"),
    "4.16": ("sampling-claims", "[8 * 8, 1]", "[8, 1]"),
    "4.17": ("sampling-claims", "torch.arange(8, -1, -1, dtype", "torch.arange(0, 9, dtype"),
    "4.18": ("row-lstm-claim", "[:, :, :2].sum(dim=(1, 2))", ".sum(dim=(1, 2))"),
    "4.19": ("bound-claim", "inside = given_z + prior.log_prob(z) - ", "inside = given_z - "),
    "4.20": ("break-leak-claim", "(-strengths).exp())) ** 9", "(-strengths).exp())) ** 8"),
}

#: Cells whose names later claims need.
NEEDED = ("setup", "reveal-mask-a")

#: Training is left out where only the shapes of the networks matter.
QUICK = [
    ("train-networks", "steps=300", "steps=20"),
    ("row-lstm-claim", "fit_pixels(recurrent)\n", ""),
]


def quick_cells() -> dict[str, str]:
    cells = breaking.code_cells(LECTURE)
    for edit in QUICK:
        cells = breaking.edited(cells, *edit)
    return cells


def test_unbroken_every_claim_holds(capsys):
    breaking.run(breaking.with_claims(quick_cells(), (*NEEDED, "train-networks")))
    judged = capsys.readouterr().out
    assert [number for number in BROKEN if f"({number}) holds" not in judged] == []


def test_every_equation_is_broken_here():
    assert list(BROKEN) == rules.tags(breaking.notebook(LECTURE))


@pytest.fixture(scope="module")
def before() -> dict[str, dict]:
    """For every cell what is known when it begins, so that no break runs the whole lecture."""
    known, names = {}, {}
    cells = breaking.with_claims(quick_cells(), (*NEEDED, "train-networks"))
    for cell_id, source in cells.items():
        known[cell_id] = dict(names)
        breaking.run({cell_id: source}, names)
    return known


@pytest.mark.parametrize("number", BROKEN)
def test_a_claim_fails_when_its_equation_is_broken(before, number):
    cells = breaking.edited(quick_cells(), *BROKEN[number])
    cells = breaking.with_claims(cells, (*NEEDED, "train-networks"), upto=number)
    first = list(cells).index(BROKEN[number][0])
    with pytest.raises(ClaimError, match=re.escape(f"({number}) FAILS")):
        breaking.run(dict(list(cells.items())[first:]), dict(before[BROKEN[number][0]]))


BLANKS = {
    "exercise-ignorance": r"^my_bits = None",
    "exercise-backward": r"^    raise NotImplementedError",
    "exercise-hole": r"^    raise NotImplementedError",
}

RIGHT = [
    ("exercise-ignorance", "my_bits = math.log2(17)"),
    ("exercise-ignorance", "my_bits = 4.0875"),
    ("exercise-backward", '    return mask_by_hand(size, "A").flip(0, 1)'),
    (
        "exercise-backward",
        "    n = size * size\n    return (torch.arange(n) > n // 2).view(size, size)",
    ),
    (
        "exercise-hole",
        "    black, white = images.clone(), images.clone()\n"
        "    black[:, :, 1, 1], white[:, :, 1, 1] = 0, 1\n"
        "    return torch.sigmoid(model.log_prob(white) - model.log_prob(black))",
    ),
    (
        "exercise-hole",
        "    p = []\n"
        "    for ink in (0.0, 1.0):\n"
        "        filled = images.flatten(1).clone()\n"
        "        filled[:, 4] = ink\n"
        "        p.append(model.log_prob(filled.view_as(images)).exp())\n"
        "    return p[1] / sum(p)",
    ),
]

WRONG = [
    ("exercise-ignorance", "my_bits = math.log(17)", "exercise A"),
    ("exercise-ignorance", "my_bits = 64 * math.log2(17)", "exercise A"),
    ("exercise-backward", '    return mask_by_hand(size, "A").T', "exercise B, sees"),
    ("exercise-backward", '    return 1 - mask_by_hand(size, "A")', "exercise B, sees"),
    ("exercise-hole", "    return model(images)[:, 1, 0, 1, 1].sigmoid()", "exercise C"),
    ("exercise-hole", "    return model(images).softmax(dim=1)[:, 1, 0, 1, 1]", "exercise C"),
]


@pytest.fixture(scope="module")
def names() -> dict:
    """What is known where the exercises stand."""
    cells = quick_cells()
    needed = ("setup", "masks-by-hand", "jacobian-claims", "train-networks")
    needed = (*needed, "predict-passes", "sampling-claims")
    return breaking.run({c: cells[c] for c in needed})


@pytest.mark.parametrize(("cell_id", "filled"), RIGHT)
def test_a_right_answer_is_accepted(names, cell_id, filled, capsys):
    answer(names, cell_id, filled)
    assert "(exercise" in capsys.readouterr().out


@pytest.mark.parametrize(("cell_id", "filled", "objection"), WRONG)
def test_a_wrong_answer_is_refused(names, cell_id, filled, objection):
    with pytest.raises(ClaimError, match=objection):
        answer(names, cell_id, filled)


@pytest.mark.parametrize("cell_id", BLANKS)
def test_a_missing_answer_is_met_with_a_friendly_line(names, cell_id, capsys):
    answer(names, cell_id, None)
    assert capsys.readouterr().out.startswith("Not yet: write")


def answer(names: dict, cell_id: str, filled: str | None) -> None:
    breaking.answer(LECTURE, cell_id, BLANKS[cell_id], filled, names)
