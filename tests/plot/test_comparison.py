"""Clouds beside the numbers about them."""

from __future__ import annotations

import pytest
import torch

from mdcv.plot import comparison_figure


def test_a_panel_per_cloud_and_a_bar_per_value():
    clouds = {"even": torch.rand(30, 3), "uneven": torch.rand(40, 3)}
    values = {"Chamfer": 1.1, "Earth Mover's": 4.5}
    figure = comparison_figure(
        clouds, values, title="times farther", reference=1.0, reference_label="noise"
    )
    *panels, bars = figure.axes
    assert [axes.get_title() for axes in panels] == ["even", "uneven"]
    assert [len(axes.collections[0]._offsets3d[0]) for axes in panels] == [30, 40]
    assert panels[0].get_xlim() == panels[1].get_xlim()
    assert [bar.get_width() for bar in bars.patches] == [1.1, 4.5]
    assert bars.get_title(loc="left") == "times farther"
    assert "noise" in [text.get_text() for text in bars.texts]


def test_no_cloud_is_refused():
    with pytest.raises(ValueError, match="clouds is empty"):
        comparison_figure({}, {"a": 1.0})
