"""The style holds inside its block, colors can be told apart, and nothing loads early."""

from __future__ import annotations

import itertools
import subprocess
import sys

import matplotlib
import torch

from mdcv.plot import house_style
from mdcv.plot.style import PALETTE

#: What eyes without red-sensitive or green-sensitive cones see of linear RGB (Viénot 1999).
_DICHROMATS = {
    "protan": [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]],
    "deutan": [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]],
}


def test_the_style_ends_with_its_block():
    before = dict(matplotlib.rcParams)
    with house_style():
        assert not matplotlib.rcParams["axes.spines.top"]
        colors = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
        assert tuple(colors) == PALETTE
    assert dict(matplotlib.rcParams) == before


def test_a_backend_chosen_inside_stays_interactive(monkeypatch):
    monkeypatch.setitem(matplotlib.rcParams, "interactive", False)
    with house_style():
        matplotlib.interactive(True)  # what the inline backend does with a notebook's first figure
    assert matplotlib.is_interactive()


def test_colors_stay_apart_for_color_blind_eyes():
    rgb = torch.tensor([matplotlib.colors.to_rgb(color) for color in PALETTE[:4]]).double()
    for matrix in _DICHROMATS.values():
        seen = (rgb**2.2 @ torch.tensor(matrix).double().T).clamp(0, 1) ** (1 / 2.2)
        for a, b in itertools.combinations(seen, 2):
            assert float((a - b).norm()) > 0.15


def test_plotting_libraries_load_only_with_the_first_picture():
    heavy = "{'matplotlib', 'plotly', 'ipywidgets'}"
    code = f"import sys, mdcv.plot; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
