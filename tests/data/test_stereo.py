"""The motorcycle: published facts, and the geometry of two cameras."""

from __future__ import annotations

import pytest
import torch

from mdcv.data import back_project, stereo_cloud
from mdcv.data.stereo import BASELINE, CENTER_SHIFT, CENTER_X, CENTER_Y, FOCAL_LENGTH
from mdcv.seeds import generator


def test_the_scene_has_its_published_size_and_depth():
    points, colors = stereo_cloud()
    assert points.shape == colors.shape == (343_274, 3)
    assert points.dtype == colors.dtype == torch.float32
    assert bool(torch.isfinite(points).all())
    assert 0 <= float(colors.min()) and float(colors.max()) <= 1
    # Middlebury's calibration gives disparities from 7.2 to 59.9 pixels at this size.
    depth = -points[:, 2]
    assert float(depth.min()) == pytest.approx(
        FOCAL_LENGTH * BASELINE / (59.9 + CENTER_SHIFT), rel=0.01
    )
    assert float(depth.max()) == pytest.approx(
        FOCAL_LENGTH * BASELINE / (7.2 + CENTER_SHIFT), rel=0.01
    )


def test_the_floor_is_below_and_the_fender_is_red():
    points, colors = stereo_cloud()
    near = points[:, 2] > -2.6
    red = near & (colors[:, 0] > 0.6) & (colors[:, 1:].amax(dim=1) < 0.25)
    lowest = points[near, 1].min()
    assert int(red.sum()) > 500
    assert float(points[red, 1].mean()) > float(lowest) + 0.2


def test_projecting_a_point_into_both_cameras_gives_its_disparity_back():
    from skimage.data import stereo_motorcycle

    disparity = torch.from_numpy(stereo_motorcycle()[2].copy()).double()
    points = back_project(disparity)
    x, y, z = points.unbind(-1)
    left = CENTER_X - FOCAL_LENGTH * x / z
    right = CENTER_X + CENTER_SHIFT - FOCAL_LENGTH * (x - BASELINE) / z
    row = CENTER_Y + FOCAL_LENGTH * y / z
    seen = torch.isfinite(disparity)
    height, width = disparity.shape
    v, u = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    torch.testing.assert_close(left[seen], u[seen].double())
    torch.testing.assert_close(row[seen], v[seen].double())
    torch.testing.assert_close((left - right)[seen], disparity[seen])


def test_a_random_part_is_a_part_and_repeats():
    points, colors = stereo_cloud(500, generator=generator(0))
    again, _ = stereo_cloud(500, generator=generator(0))
    other, _ = stereo_cloud(500, generator=generator(1))
    assert points.shape == colors.shape == (500, 3)
    assert points.equal(again) and not points.equal(other)
    everything, everything_colors = stereo_cloud(10**6)
    nearest = torch.cdist(points, everything).argmin(dim=1)
    torch.testing.assert_close(everything_colors[nearest], colors)
    assert len(points.unique(dim=0)) == 500


def test_a_number_of_points_below_one_is_refused():
    with pytest.raises(ValueError, match="max_points is 0; expected an integer >= 1"):
        stereo_cloud(0)
