"""Bars and lines."""

from __future__ import annotations

import matplotlib
import pytest
import torch

from mdcv.plot import show_lines, show_values
from mdcv.plot.style import BLUE, ORANGE


def color(bar) -> str:
    return matplotlib.colors.to_hex(bar.get_facecolor())


def test_bars_have_the_length_of_their_values_and_say_them():
    figure = show_values({"Chamfer": 1.25, "Hausdorff": torch.tensor(3.0)}, reference=1.0)
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [1.25, 3.0]
    assert [text.get_text() for text in axes.texts] == ["1.25", "3"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Chamfer", "Hausdorff"]
    assert axes.lines[0].get_xdata()[0] == 1.0
    assert axes.get_legend() is None


def test_a_bar_to_the_left_has_its_number_on_the_right_of_zero():
    (axes,) = show_values({"below": -0.3, "above": 1.0}).axes
    assert [label.xy[0] for label in axes.texts] == [0.0, 1.0]


def test_the_same_name_has_the_same_color_in_every_group():
    values = {"even": {"CD": 1.0, "EMD": 2.0}, "uneven": {"EMD": 4.0, "CD": 1.5}}
    (axes,) = show_values(values, title="title", xlabel="times").axes
    assert [color(bar) for bar in axes.patches] == [c.lower() for c in (BLUE, ORANGE, ORANGE, BLUE)]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["CD", "EMD"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["even", "uneven"]
    assert axes.get_title() == "title" and axes.get_xlabel() == "times"
    # The first group stands on top.
    assert axes.yaxis_inverted()


def test_lines_go_through_their_values():
    x = torch.tensor([1.0, 10.0, 100.0])
    figure = show_lines(x, {"a": x**2, "b": [3, 2, 1]}, xlabel="n", logx=True, logy=True)
    (axes,) = figure.axes
    assert [list(line.get_ydata()) for line in axes.lines] == [[1.0, 100.0, 10000.0], [3, 2, 1]]
    assert [line.get_label() for line in axes.lines] == ["a", "b"]
    assert axes.get_xscale() == axes.get_yscale() == "log" and axes.get_xlabel() == "n"
    assert len({line.get_marker() for line in axes.lines}) == 2


def test_nothing_to_show_and_lines_of_another_length_are_refused():
    with pytest.raises(ValueError, match="values is empty"):
        show_values({})
    with pytest.raises(ValueError, match="line 'a' has 2 values; expected 3"):
        show_lines([1, 2, 3], {"a": [1, 2]})
