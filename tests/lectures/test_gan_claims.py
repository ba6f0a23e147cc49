"""The claims of lectures 05 and 06 can fail, and their exercises tell right from wrong."""

from __future__ import annotations

import re
from functools import cache

import breaking
import lecture_rules as rules
import pytest
import torch

from mdcv.claims import ClaimError

NOTEBOOKS = {5: "05_gan", 6: "06_wasserstein_gan"}

#: Cells whose names later cells need; the other cells without claims only train or draw.
RUN = {
    5: ("setup", "ring-data", "predict-ratio-answer"),
    6: ("setup", "ring-and-blob"),
}

#: The cell that is edited, what stood there, and what stands there now: the claim must object.
BROKEN = {
    "5.1": ("game-claims", "x.sqrt() * torch.exp(-x), x", "x * torch.exp(-x), x"),
    "5.2": ("game-claims", "paid = 2 *", "paid = 1 *"),
    "5.3": ("best-claims", "learned, p / (p + q)", "learned, q / (p + q)"),
    "5.4": ("best-claims", "2 * js_divergence(p, q)", "js_divergence(p, q)"),
    "5.5": ("best-claims", "-math.log(4) - best", "-math.log(2) - best"),
    "5.6": ("on-the-line-claim", "half = (p_x + q_x) / 2", "half = p_x + q_x"),
    "5.7": ("algorithm-claims", "torch.zeros_like(a), -a)", "torch.zeros_like(a), a)"),
    "5.8": ("algorithm-claims", "log_sigmoid(-D(points))", "log_sigmoid(D(points))"),
    "5.9": ("reveal-ratio", "torch.stack([-d, d - 1])", "torch.stack([-d, -d])"),
    "5.10": ("reveal-ratio", "saturating / other", "other / saturating"),
    "5.11": ("what-they-minimize-claims", "slope(2 * js)", "slope(js)"),
    "5.12": ("what-they-minimize-claims", "kl_divergence(q5, p5)", "kl_divergence(p5, q5)"),
    "5.13": ("coverage-claim", "3 * ring.std", "2 * ring.std"),
    "5.14": ("break-claims", "/ (2 * K - 1)) + math.log(2) / K", "/ (2 * K - 1)) + math.log(2)"),
    "5.15": ("break-claims", "costs.amin(dim=1)", "costs.amax(dim=1)"),
    "5.16": ("break-claims", ".amin(dim=1).max()", ".amax(dim=1).max()"),
    "5.17": ("break-claims", "2 * js_divergence(p3", "js_divergence(p3"),
    "6.1": ("transport-claims", "(2 * n,), 1 / n)", "(2 * n,), 2 / n)"),
    "6.2": ("transport-claims", "line_x, line_y = x[:, :1], y[:, :1]", "line_x, line_y = x, y"),
    "6.3": ("transport-claims", "offers = (heights +", "offers = 9 * (heights +"),
    "6.4": ("transport-claims", "program_prices(ways(x, y))", "program_prices(2 * ways(x, y))"),
    "6.5": ("critic-claim", "torch.eye(81).double()[1:]", "torch.eye(81).double()[:-1]"),
    "6.6": ("slope-claims", "down, -climb / 7", "down, climb / 7"),
    "6.7": ("slope-claims", "(x - y[partner]).norm(dim=1)", "(x - y).norm(dim=1)"),
    "6.8": ("slope-claims", "* y[partner]), torch.ones", "* y), torch.ones"),
    "6.9": ("keeping-claims", "spectral = math.prod(", "spectral = 0.01 * math.prod("),
    "6.10": ("keeping-claims", "slope.flatten(start_dim=1).norm(dim=1)", "slope.norm(dim=1)"),
    "6.11": ("keeping-claims", "1 + d / 20", "1 + d / 10"),
    "6.12": ("translation-claim", "v.norm(), tol", "v.abs().sum(), tol"),
    "6.13": ("break-claims", "(slope.norm(dim=0) - 1)", "(slope.norm(dim=1) - 1)"),
    "6.14": ("break-claims", "1 - 2 * w.abs().mean() +", "1 - w.abs().mean() +"),
    "6.15": ("break-claims", "((10 * s - 1) ** 2)", "(10 * (s - 1) ** 2)"),
}

#: Per exercise cell: the blank, answers that are accepted, and answers that are not.
EXERCISES = {
    "5 exercise-slopes": (
        r"^my_probability = None",
        ["my_probability = 0.5"],
        ["my_probability = 0.49", "my_probability = 0.9"],
    ),
    "5 exercise-prior": (
        r"^    raise NotImplementedError",
        [
            "    return share * p / (share * p + (1 - share) * q)",
            "    odds = p * share / (q * (1 - share))\n    return odds / (1 + odds)",
        ],
        ["    return p / (p + q)", "    return (1 - share) * p / ((1 - share) * p + share * q)"],
    ),
    "5 exercise-ratio": (
        r"^    raise NotImplementedError",
        [
            "    return (x * logits.exp()).mean()",
            "    return (x * logits.softmax(0)).sum()",
        ],
        ["    return x.mean()", "    return (x * logits.sigmoid()).sum() / logits.sigmoid().sum()"],
    ),
    "6 exercise-leash": (
        r"^my_lambda = None",
        ["my_lambda = 150", "my_lambda = 3 / (2 * 0.01)"],
        ["my_lambda = 300", "my_lambda = 10"],
    ),
    "6 exercise-one-sided": (
        r"^    raise NotImplementedError",
        [
            "    a = alpha.view(-1, 1, 1, 1)\n"
            "    u = (a * x + (1 - a) * y).requires_grad_()\n"
            "    (g,) = torch.autograd.grad(f(u).sum(), u, create_graph=True)\n"
            "    return (g.flatten(1).norm(dim=1) - 1).clamp(min=0).square().mean()",
            "    a = alpha[:, None, None, None]\n"
            "    u = (y + a * (x - y)).requires_grad_()\n"
            "    (g,) = torch.autograd.grad(f(u).sum(), u, create_graph=True)\n"
            "    return torch.relu(g.square().sum(dim=(1, 2, 3)).sqrt() - 1).pow(2).mean()",
        ],
        [
            "    return slope_penalty(f, x, y, alpha)",
            "    u = (x + y).div(2).requires_grad_()\n"
            "    (g,) = torch.autograd.grad(f(u).sum(), u, create_graph=True)\n"
            "    return (g.norm(dim=1) - 1).clamp(min=0).square().mean()",
        ],
    ),
    "6 exercise-spectral": (
        r"^    raise NotImplementedError",
        [
            "    return [W / torch.linalg.matrix_norm(W, 2) for W in layers]",
            "    return [W / (W.T @ W).trace() ** 0.5 if 1 in W.shape "
            "else W / torch.linalg.eigvalsh(W.T @ W).max().sqrt() for W in layers]",
        ],
        [
            "    return [W / W.norm() for W in layers]",
            "    return [torch.linalg.qr(W).Q for W in layers]",
        ],
    ),
}


def needed_cells(number: int) -> dict[str, str]:
    """The cells that claim something, and those they need, without their last picture."""
    return {
        cell_id: source
        for cell_id, source in breaking.code_cells(NOTEBOOKS[number]).items()
        if cell_id in RUN[number] or f'claim("{number}.' in source
    }


@cache
def names_before(number: int) -> dict[str, dict]:
    """For each needed cell the names that are known when it begins; the last entry is the end.

    The lecture's random generator is the same object throughout, so its state is kept beside it.
    """
    names: dict = {}
    known = {}
    for cell_id, source in needed_cells(number).items():
        known[cell_id] = snapshot(names)
        exec(source, names)
    known["the end"] = snapshot(names)
    return known


def snapshot(names: dict) -> dict:
    """A copy of the names with a random generator of its own, in the present state."""
    copied = dict(names)
    if "rng" in names:
        copied["rng"] = names["rng"].clone_state()
    return copied


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_unbroken_every_claim_holds(number, capsys):
    names_before.cache_clear()
    names_before(number)
    judged = capsys.readouterr().out
    tags = rules.tags(breaking.notebook(NOTEBOOKS[number]))
    assert [tag for tag in tags if f"({tag}) holds" not in judged] == []


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_every_equation_is_broken_here(number):
    broken = [tag for tag in BROKEN if tag.startswith(f"{number}.")]
    assert broken == rules.tags(breaking.notebook(NOTEBOOKS[number]))


@pytest.mark.parametrize("tag", BROKEN)
def test_a_claim_fails_when_its_equation_is_broken(tag):
    number = int(tag.split(".")[0])
    edited, right, wrong = BROKEN[tag]
    cells = breaking.edited(needed_cells(number), edited, right, wrong)
    order = list(cells)
    last = next(cell_id for cell_id in order if f'claim("{tag}"' in cells[cell_id])
    names = snapshot(names_before(number)[edited])
    with pytest.raises(ClaimError, match=re.escape(f"({tag}) FAILS")):
        for cell_id in order[order.index(edited) : order.index(last) + 1]:
            exec(cells[cell_id], names)


def answer(key: str, filled: str | None) -> None:
    """Runs an exercise cell, with the reader's answer in the place of its blank."""
    number, cell_id = key.split()
    torch.manual_seed(0)
    names = snapshot(names_before(int(number))["the end"])
    breaking.answer(NOTEBOOKS[int(number)], cell_id, EXERCISES[key][0], filled, names)


def answers(which: int) -> list:
    return [
        pytest.param(key, filled, id=f"{key.replace(' ', '-')}-{k}")
        for key, parts in EXERCISES.items()
        for k, filled in enumerate(parts[which])
    ]


@pytest.mark.parametrize(("key", "filled"), answers(1))
def test_a_right_answer_is_accepted(key, filled, capsys):
    answer(key, filled)
    assert "(exercise" in capsys.readouterr().out


@pytest.mark.parametrize(("key", "filled"), answers(2))
def test_a_wrong_answer_is_refused(key, filled):
    with pytest.raises(ClaimError, match="exercise"):
        answer(key, filled)


@pytest.mark.parametrize("key", EXERCISES)
def test_a_missing_answer_is_met_with_a_friendly_line(key, capsys):
    names_before(int(key.split()[0]))
    capsys.readouterr()
    answer(key, None)
    assert capsys.readouterr().out.startswith("Not yet: write")
