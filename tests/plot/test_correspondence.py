"""The turning figure: its segments are the matches, and it lives without a kernel."""

from __future__ import annotations

import json
import math

import numpy as np
import plotly.graph_objects as go
import plotly.io
import pytest
import torch

from mdcv.plot import correspondence_figure
from mdcv.seeds import generator


def pair(n: int = 6, m: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    draws = generator(0)
    return torch.rand(n, 3, generator=draws), torch.rand(m, 3, generator=draws)


def coordinates(trace) -> np.ndarray:
    return np.column_stack((trace.x, trace.y, trace.z))


def test_a_segment_joins_each_point_to_its_partner():
    x, y = pair()
    partner = torch.tensor([3, 1, 7, 0, 0, 5])
    figure = correspondence_figure(x, y, partner, names=("first", "second"), title="pairs")
    first, second, segments = figure.data
    assert [trace.name for trace in figure.data] == ["first", "second", "matches"]
    np.testing.assert_array_equal(coordinates(first), x.numpy())
    np.testing.assert_array_equal(coordinates(second), y.numpy())
    start, end, gap = coordinates(segments).reshape(6, 3, 3).transpose(1, 0, 2)
    np.testing.assert_array_equal(start, x.numpy())
    np.testing.assert_array_equal(end, y[partner].numpy())
    assert np.isnan(gap).all()
    assert figure.layout.title.text == "pairs"
    assert figure.layout.scene.aspectmode == "data"  # one unit is as long on every axis


def test_a_point_without_a_partner_has_no_segment():
    x, y = pair()
    figure = correspondence_figure(x, y, torch.tensor([-1, 1, -1, -1, 2, -1]))
    assert len(figure.data[2].x) == 2 * 3


def test_buttons_switch_between_named_matches():
    x, y = pair()
    matches = {"nearest": torch.zeros(6, dtype=torch.int64), "bijection": torch.arange(6)}
    figure = correspondence_figure(x, y, matches)
    assert [trace.visible for trace in figure.data[2:]] == [True, False]
    choices = figure.layout.updatemenus[1].buttons
    assert [button.label for button in choices] == ["nearest", "bijection"]
    change, traces = choices[1].args
    assert list(change["visible"]) == [False, True] and list(traces) == [2, 3]


def test_it_turns_once_around_with_y_up():
    figure = correspondence_figure(*pair(), torch.zeros(6, dtype=torch.int64), frames=8)
    up = figure.layout.scene.camera.up
    assert (up.x, up.y, up.z) == (0, 1, 0)
    eyes = [frame.layout.scene.camera.eye for frame in figure.frames]
    angles = np.unwrap([math.atan2(eye.x, eye.z) for eye in eyes])
    np.testing.assert_allclose(np.diff(angles), 2 * math.pi / 8, atol=2e-3)
    assert [button.label for button in figure.layout.updatemenus[0].buttons] == ["turn", "stop"]
    still = correspondence_figure(*pair(), torch.zeros(6, dtype=torch.int64), frames=0)
    assert len(still.frames) == 0 and len(still.layout.updatemenus) == 0


def test_it_survives_the_way_into_a_file_and_back_and_is_small():
    x, y = pair(512, 512)
    matches = {"nearest": torch.zeros(512, dtype=torch.int64), "bijection": torch.arange(512)}
    figure = correspondence_figure(x, y, matches)
    text = figure.to_json()
    assert len(text) < 100_000
    assert "http" not in text
    back = plotly.io.from_json(text)
    assert isinstance(back, go.Figure) and len(back.frames) == len(figure.frames)
    assert json.loads(back.to_json()) == json.loads(text)


@pytest.mark.parametrize(
    ("x", "y", "matches", "message"),
    [
        (torch.rand(6, 2), torch.rand(8, 3), torch.zeros(6).long(), r"x has shape \(6, 2\)"),
        (torch.rand(6, 3), torch.rand(0, 3), torch.zeros(6).long(), r"y has shape \(0, 3\)"),
        (torch.rand(6, 3), torch.rand(8, 3), torch.zeros(5).long(), r"an index per point of x"),
        (torch.rand(6, 3), torch.rand(8, 3), torch.zeros(6), r"an index per point of x"),
        (torch.rand(6, 3), torch.rand(8, 3), torch.full((6,), 8), r"expected 0 to 7"),
    ],
)
def test_matches_that_fit_no_points_are_refused(x, y, matches, message):
    with pytest.raises(ValueError, match=message):
        correspondence_figure(x, y, matches)
