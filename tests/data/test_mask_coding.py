"""Polygons and run lengths become masks; pycocotools and matplotlib decide beside us."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path as Outline
from pycocotools import mask as theirs

from mdcv.data.mask_coding import polygon_mask, run_length_mask

# What pycocotools hands to NumPy has an older form than NumPy 2 likes.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def star(seed, corners=7):
    """A simple polygon around the middle of a 20 by 30 image, with corners anywhere."""
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = rng.uniform(3, 12, corners)
    return np.stack((14.3 + reach * np.cos(angle), 9.7 + reach * np.sin(angle)), axis=1)


def distance_to_outline(corners, points):
    start, end = corners, np.roll(corners, -1, axis=0)
    way = end - start
    share = ((points[:, None] - start) * way).sum(-1) / (way**2).sum(-1)
    foot = start + share.clip(0, 1)[..., None] * way
    return np.linalg.norm(points[:, None] - foot, axis=-1).min(axis=1)


def middles(height, width):
    y, x = np.mgrid[:height, :width] + 0.5
    return np.stack((x.ravel(), y.ravel()), axis=1)


@pytest.mark.parametrize("seed", range(8))
def test_a_pixel_is_in_the_mask_if_its_middle_is_in_the_polygon(seed):
    corners = star(seed)
    expected = Outline(corners).contains_points(middles(20, 30)).reshape(20, 30)
    assert polygon_mask([corners.ravel().tolist()], (20, 30)).equal(torch.from_numpy(expected))


@pytest.mark.parametrize("seed", range(8))
def test_pycocotools_differs_only_next_to_the_outline(seed):
    corners = star(seed)
    (coded,) = theirs.frPyObjects([corners.ravel().tolist()], 20, 30)
    differs = (
        theirs.decode(coded).astype(bool)
        != polygon_mask([corners.ravel().tolist()], (20, 30)).numpy()
    )
    near = distance_to_outline(corners, middles(20, 30)).reshape(20, 30)
    assert near[differs].max(initial=0) < 0.2
    assert differs.mean() < 0.03


def test_several_polygons_are_one_mask_and_may_overlap_and_leave_the_image():
    first, second = [1, 1, 4, 1, 4, 4, 1, 4], [3, 3, 40, 3, 40, 9, 3, 9]
    mask = polygon_mask([first, second], (6, 8))
    expected = torch.zeros(6, 8, dtype=torch.bool)
    expected[1:4, 1:4] = True
    expected[3:, 3:] = True
    assert mask.equal(expected)


def test_the_direction_of_a_polygon_does_not_matter():
    corners = star(3)
    ways = [polygon_mask([c.ravel().tolist()], (20, 30)) for c in (corners, corners[::-1])]
    assert ways[0].equal(ways[1])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 9), st.integers(1, 70), st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 30])
)
def test_what_pycocotools_writes_is_read_back(height, width, seed, runs):
    rng = np.random.default_rng(seed)
    flips = rng.random((height, width)) < (0.5 if runs == 1 else runs / 900)
    mask = flips if runs == 1 else (flips.T.ravel().cumsum() % 2).reshape(width, height).T
    coded = theirs.encode(np.asfortranarray(mask.astype(np.uint8)))
    expected = torch.from_numpy(mask.astype(bool))
    assert run_length_mask(coded["counts"], (height, width)).equal(expected)
    assert run_length_mask(coded["counts"].decode(), (height, width)).equal(expected)


def test_plain_run_lengths_are_those_of_pycocotools():
    counts = [4, 7, 0, 3, 5, 1]
    coded = theirs.frPyObjects({"counts": counts, "size": [4, 5]}, 4, 5)
    expected = torch.from_numpy(theirs.decode(coded).astype(bool))
    assert run_length_mask(counts, (4, 5)).equal(expected)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([4, 5], "add up to 9; expected 3 \\* 4 = 12"),
        ([4, 9], "add up to 13"),
        ([], "add up to 0"),
        ([14, -2], "no integer from 0 up"),
        ([4.0, 8.0], "no integer"),
        ([True, 11], "no integer"),
        ("4`", "stop in the middle"),
        ("4 8", "' ', which stands for nothing"),
        ("48é", "stands for nothing"),
        ("44", "add up to 8"),
    ],
)
def test_run_lengths_that_are_none_are_refused(counts, message, at_the_door):
    with pytest.raises(ValueError, match=message):
        run_length_mask(counts, (3, 4))


@pytest.mark.parametrize(
    ("polygon", "message"),
    [
        ([1, 1, 2, 2], "has 4 numbers"),
        ([1, 1, 2, 2, 3], "has 5 numbers"),
        ([1, 1, 2, 2, 3, 3, 4], "has 7 numbers"),
        ([1, 1, 2, 2, 3, float("nan")], "not finite"),
        ([1, 1, 2, 2, 3, "a"], "no number"),
        ([1, 1, 2, 2, 3, None], "no.* finite|no number"),
        (7, "expected a list"),
        ("123456", "expected a list"),
    ],
)
def test_polygons_that_are_none_are_refused(polygon, message, at_the_door):
    with pytest.raises(ValueError, match=message):
        polygon_mask([polygon], (4, 4))
