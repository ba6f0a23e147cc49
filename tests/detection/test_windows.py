"""Sliding windows: where they lie, and how many there are."""

from __future__ import annotations

import pytest
import torch

from mdcv.detection import sliding_window


def test_windows_lie_at_every_step_that_fits(device):
    boxes = sliding_window((7, 10), [(3, 4), (7, 10)], 2, device=device)
    corners = [(x, y) for y in (0, 2, 4) for x in (0, 2, 4, 6)]
    expected = [[x, y, x + 4, y + 3] for x, y in corners] + [[0, 0, 10, 7]]
    assert boxes.tolist() == expected


@pytest.mark.parametrize("stride", [1, 3, 5])
def test_their_number_follows_the_formula(stride):
    boxes = sliding_window((31, 17), [(8, 5)], stride)
    assert len(boxes) == ((31 - 8) // stride + 1) * ((17 - 5) // stride + 1)
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= torch.tensor([17.0, 31.0])).all()


def test_a_window_larger_than_the_image_fits_nowhere():
    assert sliding_window((4, 4), [(5, 2)], 1).shape == (0, 4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": (4,)}, "size holds"),
        ({"size": (4, 0)}, "size is 0"),
        ({"windows": []}, "windows is"),
        ({"windows": [(2, 2.5)]}, "windows is 2.5"),
        ({"windows": [3]}, "windows holds 3"),
        ({"stride": 0}, "stride is 0"),
    ],
)
def test_bad_input_is_refused(at_the_door, change, message):
    good = {"size": (4, 4), "windows": [(2, 2)], "stride": 1}
    with pytest.raises(ValueError, match=message):
        sliding_window(**(good | change))
