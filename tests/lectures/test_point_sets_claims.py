"""The claims of lecture 09 can fail: each is broken once, as a reader might break it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import lecture_rules as rules
import pytest

from mdcv.claims import ClaimError

NOTEBOOK = Path(__file__).resolve().parents[2] / "lectures" / "09_point_sets.ipynb"

#: The cell that is edited, what stood there, what stands there now, and the cell that must object.
BROKEN = {
    "9.1": ("direct-time-of-flight", "C * arrival / 2", "C * arrival"),
    "9.2": ("phase-claims", "a[1] - a[3], a[0] - a[2]", "a[0] - a[2], a[1] - a[3]"),
    "9.3": ("phase-claims", "phase(wall + C / (2 * f), f)", "phase(wall + C / (4 * f), f)"),
    "9.4": ("stereo-claims", "torch.tensor([baseline, 0, 0])", "torch.tensor([0, baseline, 0])"),
    "9.5": ("stereo-claims", "P[:, 2] ** 2 / (focal", "P[:, 2] / (focal"),
    "9.6": ("voxel-claim", "area = 4 * math.pi**2", "area = 2 * math.pi**2"),
    "9.7": ("surface-sampler", "multinomial(areas,", "multinomial(torch.ones_like(areas),"),
    "9.8": ("sampling-claims", "s**2, by", "s, by"),
    "9.9": ("surface-sampler", "s = u.sqrt()", "s = u"),
    "9.10": ("triangle-claims", "torch.ones(3, 3) + torch.eye(3)", "torch.ones(3, 3)"),
    "9.11": ("farthest-points-claim", "gap = torch.minimum(", "gap = torch.maximum("),
    "9.12": ("hausdorff-fast", "return torch.maximum(", "return torch.minimum("),
    "9.13": (
        "reveal-gradient",
        "hausdorff_distance(X, Y) + hausdorff",
        "0 * X[:, 0, 0] + hausdorff",
    ),
    "9.14": ("reveal-gradient", "normalize(here[i] - there[j]", "normalize(there[j] - here[i]"),
    "9.15": ("chamfer-claims", " + (d.amin(dim=0) ** p).sum()", ""),
    "9.16": ("chamfer-claims", " + 2 * (x[i] - y[m == i]).sum(dim=0)", ""),
    "9.17": ("chamfer-triangle-claim", "[0, 1], [0.9, 1]", "[0.5, 1], [0.9, 1]"),
    "9.18": ("earth-movers-claim", "d[rows, columns].sum()", "d.amin(dim=1).sum()"),
    "9.19": ("earth-movers-bound-claims", "(line_x.sort().values -", "(line_x -"),
    "9.20": ("earth-movers-bound-claims", "lean = 9 *", "lean = 18 *"),
    "9.21": ("earth-movers-bound-claims", "torch.maximum(*halves)", "sum(halves)"),
    "9.22": ("earth-movers-bound-claims", "emd(X, Z), emd(X, Y) + ", "emd(X, Z), "),
    "9.23": ("density-limit-claims", 'squared=False, reduction="mean"', "squared=False"),
    "9.24": ("density-limit-claims", "abs(2 * s - 1) / 4", "abs(2 * s - 1) / 2"),
    "9.25": ("break-expanded-square", "- 2 * x @ y.T", "- x @ y.T"),
    "9.26": ("break-expanded-square", "5 * 2**-24", "5 * 2**-32"),
}

#: Cells whose names later cells need; the rest only draws.
RUN = ("setup", "surface-sampler", "hausdorff-slow", "predict-gradient")


def code_cells() -> dict[str, str]:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return {c["id"]: "".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"}


def without_pictures(source: str) -> str:
    """The cell without its last expression, if that is a picture."""
    return re.split(r"^plot\.", source, flags=re.MULTILINE)[0]


def run(cells: dict[str, str]) -> None:
    """The cells that claim something, and those they need, from top to bottom."""
    names: dict = {}
    for cell_id, source in cells.items():
        if cell_id in RUN or re.search(r'claim\("9', source):
            exec(without_pictures(source), names)


def test_unbroken_every_claim_holds(capsys):
    run(code_cells())
    judged = capsys.readouterr().out
    assert [number for number in BROKEN if f"({number}) holds" not in judged] == []


def test_every_equation_is_broken_here():
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert list(BROKEN) == rules.tags(notebook)


@pytest.mark.parametrize("number", BROKEN)
def test_a_claim_fails_when_its_equation_is_broken(number):
    cell_id, right, wrong = BROKEN[number]
    cells = code_cells()
    assert cells[cell_id].count(right) == 1, f"{right!r} does not stand once in {cell_id}"
    cells[cell_id] = cells[cell_id].replace(right, wrong)
    # The edit may reach other cells that check by assertion: only this claim is to object.
    needed = [c for c in cells if c in RUN or re.search(r'claim\("9', cells[c])]
    last = next(c for c in needed if f'claim("{number}"' in cells[c])
    upto = {c: cells[c] for c in needed[: needed.index(last) + 1]}
    with pytest.raises(ClaimError, match=re.escape(f"({number}) FAILS")):
        run(upto)
