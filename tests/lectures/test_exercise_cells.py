"""The exercises of a lecture accept right answers, refuse wrong ones, and wait for missing ones."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch

from mdcv.claims import ClaimError

LECTURES = Path(__file__).resolve().parents[2] / "lectures"

#: Cells of lecture 09 that its exercises build on.
NEEDED = (
    "setup",
    "direct-time-of-flight",
    "phase-claims",
    "hausdorff-slow",
    "hausdorff-fast",
    "chamfer-claims",
)


def source(cell_id: str) -> str:
    notebook = json.loads((LECTURES / "09_point_sets.ipynb").read_text(encoding="utf-8"))
    return next("".join(c["source"]) for c in notebook["cells"] if c.get("id") == cell_id)


@pytest.fixture(scope="module")
def lecture() -> dict:
    """The names that are known where the exercises of lecture 09 stand."""
    names: dict = {}
    for cell_id in NEEDED:
        exec(source(cell_id), names)
    return names


def answer(lecture: dict, cell_id: str, pattern: str, replacement: str) -> None:
    """Runs an exercise cell with the reader's answer in the place of its blank."""
    blank = source(cell_id)
    filled, count = re.subn(pattern, lambda _: replacement, blank, count=1, flags=re.MULTILINE)
    assert count == 1, f"{cell_id} has no blank to fill"
    exec(filled, dict(lecture))


CASES = {
    "exercise-two-frequencies": r"^my_range = None",
    "exercise-triangle": r"^my_X, my_Y, my_Z = None, None, None",
    "exercise-cdf": r"^    raise NotImplementedError",
}

RIGHT = [
    ("exercise-two-frequencies", "my_range = 0.299792458 / (2 * 0.005)"),
    ("exercise-two-frequencies", "my_range = 29.98"),
    (
        "exercise-triangle",
        "heap = torch.rand(12, 2, generator=generator(1)) / 100\n"
        "far = torch.tensor([1.0, 0.0])\n"
        "my_X, my_Y, my_Z = heap, torch.stack([heap[0], heap[0] + far]), heap + far",
    ),
    (
        "exercise-cdf",
        "    t = torch.cat([x, y]).sort().values\n"
        "    def below(s):\n"
        "        return torch.searchsorted(s.sort().values, t, right=True) / len(s)\n"
        "    return ((below(x) - below(y)).abs()[:-1] * t.diff()).sum()",
    ),
    (
        "exercise-cdf",
        "    from scipy.stats import wasserstein_distance\n    return wasserstein_distance(x, y)",
    ),
]

WRONG = [
    ("exercise-two-frequencies", "my_range = 0.299792458 / (2 * 0.025)"),
    ("exercise-two-frequencies", "my_range = 2 * 0.299792458 / (2 * 0.005)"),
    (
        "exercise-triangle",
        "my_X, my_Y, my_Z = [[0, 0], [0.1, 0]], [[0, 0], [1, 0]], [[0.9, 0], [1, 0]]",
    ),
    ("exercise-cdf", "    return (x.mean() - y.mean()).abs()"),
    ("exercise-cdf", "    return (x.sort().values[:4] - y.sort().values).abs().mean()"),
]


def numbered(answers: list[tuple[str, str]]) -> list[str]:
    return [f"{cell_id}-{k}" for k, (cell_id, _) in enumerate(answers)]


@pytest.mark.parametrize(("cell_id", "filled"), RIGHT, ids=numbered(RIGHT))
def test_a_right_answer_is_accepted(lecture, cell_id, filled, capsys):
    answer(lecture, cell_id, CASES[cell_id], filled)
    assert "(exercise" in capsys.readouterr().out


@pytest.mark.parametrize(("cell_id", "filled"), WRONG, ids=numbered(WRONG))
def test_a_wrong_answer_is_refused(lecture, cell_id, filled):
    with pytest.raises(ClaimError, match="exercise"):
        answer(lecture, cell_id, CASES[cell_id], filled)


def test_a_set_with_a_repeated_point_is_refused(lecture):
    heaps = "my_X, my_Y, my_Z = [[0, 0]] * 20, [[0, 0], [1, 0]], [[1, 0]] * 20"
    with pytest.raises(AssertionError, match="occurs twice"):
        answer(lecture, "exercise-triangle", CASES["exercise-triangle"], heaps)


@pytest.mark.parametrize("cell_id", CASES)
def test_a_missing_answer_is_met_with_a_friendly_line(lecture, cell_id, capsys):
    torch.manual_seed(0)
    exec(source(cell_id), dict(lecture))
    assert capsys.readouterr().out.startswith("Not yet: write")
