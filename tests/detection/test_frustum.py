"""From a box in the image to a box in space, in scenes whose boxes are known."""

from __future__ import annotations

import math

import pytest
import torch

from mdcv.data import solid_scene
from mdcv.detection import (
    amodal_box,
    box_corners,
    depth_points,
    foreground_points,
    frustum_points,
)
from mdcv.seeds import generator

K = torch.tensor([[100.0, 0, 32], [0, 100.0, 24], [0, 0, 1]])


def test_points_project_to_the_centers_of_their_pixels(device):
    depth = 2 + torch.rand(48, 64, generator=generator(0)).to(device)
    points = depth_points(depth, K.to(device))
    pixels = points @ K.T.to(device)
    pixels = pixels[:, :, :2] / pixels[:, :, 2:]
    y, x = torch.meshgrid(torch.arange(48) + 0.5, torch.arange(64) + 0.5, indexing="ij")
    torch.testing.assert_close(pixels.cpu(), torch.stack([x, y], dim=-1))
    assert points[:, :, 2].equal(depth)


def test_skewed_pixels_are_undone_too():
    skewed = K.clone()
    skewed[0, 1] = 7.0
    pixels = depth_points(torch.full((48, 64), 3.0), skewed) @ skewed.T
    torch.testing.assert_close(pixels[20, 30, :2] / 3, torch.tensor([30.5, 20.5]))


def test_a_frustum_holds_the_pixels_whose_centers_are_in_the_box():
    depth = torch.full((48, 64), 2.0)
    depth[10, 10], depth[10, 11], depth[10, 12] = 0.0, math.nan, math.inf
    found = frustum_points(depth, K, torch.tensor([9.5, 9.0, 14.4, 12.5]))
    assert len(found) == 4 * 3 - 3  # columns 10 to 13, rows 9 to 11


def block(heading: float, size=(1.0, 0.6, 0.5), place=(0.3, 0.7, 4.0)) -> torch.Tensor:
    """Points on the faces of a box."""
    u = torch.rand(3000, 3, generator=generator(0)).double() - 0.5
    face = torch.arange(3000) % 3
    u[torch.arange(3000), face] = u[torch.arange(3000), face].sign() / 2
    cos, sin = math.cos(heading), math.sin(heading)
    turn = torch.tensor([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]).double()
    return (u * torch.tensor(size).double()) @ turn.T + torch.tensor(place).double()


@pytest.mark.parametrize("degrees", [-40, 0, 17, 33])
def test_the_box_of_a_whole_object_is_found(device, degrees):
    box = amodal_box(block(math.radians(degrees)).to(device))
    assert box[:3].tolist() == pytest.approx([0.3, 0.7, 4.0], abs=0.01)
    assert box[3:6].tolist() == pytest.approx([1.0, 0.6, 0.5], abs=0.03)
    assert math.degrees(box[6]) == pytest.approx(degrees, abs=1.01)


def test_a_known_size_names_the_sides_and_fills_what_is_hidden():
    points = block(math.radians(20))
    box = amodal_box(points, size=(0.5, 0.6, 1.0))
    assert box[3:6].tolist() == pytest.approx([0.5, 0.6, 1.0], abs=0.03)
    assert math.degrees(box[6]) == pytest.approx(110, abs=1.01)
    near = points[points[:, 2] < 4.0]  # the camera sees the near half only
    guess, known = amodal_box(near), amodal_box(near, size=(1.0, 0.6, 0.5))
    truth = torch.tensor([0.3, 0.7, 4.0]).double()
    assert (known[:3] - truth).norm() < 0.5 * (guess[:3] - truth).norm()


def test_hidden_legs_reach_the_floor():
    points = block(0.0)
    above = points[points[:, 1] < 0.8]
    assert float(amodal_box(above, floor=1.0)[1]) == pytest.approx(0.7, abs=0.01)
    assert float(amodal_box(above, floor=1.0)[4]) == pytest.approx(0.6, abs=0.01)


def test_corners_are_the_points_the_box_was_made_of():
    corners = box_corners(torch.tensor([[0.3, 0.7, 4.0, 1.0, 0.6, 0.5, 0.35]]))[0]
    again = amodal_box(corners.double(), size=(1.0, 0.6, 0.5))
    assert again.tolist() == pytest.approx([0.3, 0.7, 4.0, 1.0, 0.6, 0.5, 0.35], abs=0.02)
    assert box_corners(torch.zeros(0, 7)).shape == (0, 8, 3)


def test_solids_in_scenes_are_boxed_to_a_few_centimeters():
    errors = []
    for seed in range(4):
        scene = solid_scene(generator=generator(seed))
        floor = float(depth_points(scene.depth, scene.intrinsics)[..., 1].max())
        for box, true, mask in zip(scene.boxes, scene.boxes3d, scene.masks, strict=True):
            points = foreground_points(scene.depth, scene.intrinsics, box, floor=floor)
            own = depth_points(scene.depth, scene.intrinsics)[mask]
            lost = (torch.cdist(points, own).amin(dim=1) > 1e-6).float().mean()
            assert lost < 0.5, "most of the points are those of another object"
            found = amodal_box(points, floor=floor, size=tuple(true[3:6].tolist()))
            errors.append(float((found[:3] - true[:3]).norm()))
    assert sorted(errors)[len(errors) // 2] < 0.06


def test_a_frustum_of_nothing_is_empty():
    depth = torch.full((48, 64), math.inf)
    assert foreground_points(depth, K, torch.tensor([0.0, 0, 20, 20])).shape == (0, 3)


def test_a_wall_behind_and_a_neighbor_before_are_left_out():
    depth = torch.full((48, 64), 8.0)
    depth[10:30, 20:40] = 4.0
    depth[25:48, 10:24] = 2.0  # reaches into the corner of the box
    found = foreground_points(depth, K, torch.tensor([20.0, 10, 40, 30]))
    assert found[:, 2].unique().tolist() == [4.0] and len(found) == 20 * 20 - 5 * 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": torch.zeros(4, 4, 1)}, r"depth has shape \(4, 4, 1\)"),
        ({"intrinsics": torch.eye(4)}, "intrinsics is"),
        ({"intrinsics": torch.zeros(3, 3)}, "intrinsics is"),
        ({"intrinsics": torch.eye(3).double()}, "intrinsics has dtype"),
        ({"box": torch.zeros(1, 4)}, r"box has shape \(1, 4\)"),
        ({"box": torch.tensor([3.0, 0, 1, 1])}, "x1 <= x2"),
        ({"box": torch.tensor([0.0, 0, math.nan, 1])}, "expected finite"),
    ],
)
def test_bad_frustums_are_refused(at_the_door, change, message):
    good = {"depth": torch.ones(4, 4), "intrinsics": torch.eye(3), "box": torch.ones(4)}
    with pytest.raises(ValueError, match=message):
        frustum_points(**(good | change))


@pytest.mark.parametrize(
    ("points", "options", "message"),
    [
        (torch.zeros(2, 3), {}, "N >= 3"),
        (torch.zeros(5, 2), {}, r"points has shape \(5, 2\)"),
        (torch.full((5, 3), math.nan), {}, "points holds NaN"),
        (torch.rand(5, 3), {"size": (1.0, 0.0, 1.0)}, "size is"),
        (torch.rand(5, 3), {"size": (1.0, 1.0)}, "size is"),
    ],
)
def test_bad_points_are_refused(at_the_door, points, options, message):
    with pytest.raises(ValueError, match=message):
        amodal_box(points, **options)


def test_bad_boxes_have_no_corners(at_the_door):
    with pytest.raises(ValueError, match=r"expected \(N, 7\)"):
        box_corners(torch.zeros(2, 6))
