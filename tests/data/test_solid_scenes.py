"""Solids before a camera: depth is where the surface is, boxes hold what they claim to hold."""

from __future__ import annotations

import math

import pytest
import torch
import trimesh

from mdcv.data import SOLIDS, chair, mask_boxes, solid_scene, sphere
from mdcv.data.solid_scenes import WALL, _camera, _Pose, _trace
from mdcv.seeds import generator


@pytest.fixture(scope="module")
def scenes():
    return [solid_scene(generator=generator(seed)) for seed in range(8)]


def points_of(scene):
    """Where the camera sees each pixel, straight from the intrinsics."""
    height, width = scene.depth.shape
    rows, columns = torch.meshgrid(
        torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij"
    )
    pixels = torch.stack((columns, rows, torch.ones_like(rows)), dim=-1).double()
    rays = pixels @ torch.linalg.inv(scene.intrinsics.double()).T
    return rays * scene.depth.double()[..., None]


def in_box(points, box):
    """Coordinates along the box's own axes, in halves of its size: from -1 to 1 inside."""
    heading = box[6].double()
    cos, sin, zero, one = heading.cos(), heading.sin(), heading * 0, heading * 0 + 1
    rotation = torch.stack([cos, zero, sin, zero, one, zero, -sin, zero, cos]).view(3, 3)
    return (points - box[:3].double()) @ rotation / (box[3:6].double() / 2)


def test_shapes_and_dtypes_are_as_told(scenes):
    for scene in scenes:
        n = len(scene.labels)
        assert 2 <= n <= 4
        assert scene.image.shape == (3, 96, 128) and scene.depth.shape == (96, 128)
        assert scene.boxes.shape == (n, 4) and scene.boxes3d.shape == (n, 7)
        assert scene.masks.shape == (n, 96, 128) and scene.masks.dtype == torch.bool
        assert scene.labels.dtype == torch.int64 and int(scene.labels.max()) < len(SOLIDS)
        for part in (scene.image, scene.depth, scene.intrinsics, scene.boxes, scene.boxes3d):
            assert part.dtype == torch.float32
        assert 0 <= float(scene.image.min()) <= float(scene.image.max()) <= 1


def test_every_visible_point_lies_in_the_box_of_its_solid(scenes):
    for scene in scenes:
        points = points_of(scene)
        for mask, box in zip(scene.masks, scene.boxes3d, strict=True):
            assert float(in_box(points[mask], box).abs().max()) < 1 + 1e-3


@pytest.mark.parametrize("name", ["table", "chair", "plane"])
def test_boxes_in_space_are_tight(name):
    # Seen from front and back, and a little from above, a solid shows how far it reaches.
    _, rays = _camera((96, 128), torch.device("cpu"))
    solid = SOLIDS[name]()
    found = []
    for heading in (0.4, 0.4 + math.pi):
        pose = _Pose(solid, 1.2, heading, (0.1, 0.5, 2.8))
        depth = _trace(pose, rays)
        seen = torch.isfinite(depth)
        found.append(in_box((rays * depth[..., None])[seen], torch.tensor(pose.box())))
    reach = torch.cat(found)
    assert float(reach.abs().max()) < 1 + 1e-3
    assert float(reach.amax(dim=0).min()) > 0.92
    assert float(reach.amin(dim=0).max()) < -0.92


def test_the_depth_of_a_sphere_is_the_formula_and_nothing_shows_through_it(scenes):
    found = 0
    for scene in scenes:
        rays = points_of(scene) / scene.depth.double()[..., None]
        for label, mask, box in zip(scene.labels, scene.masks, scene.boxes3d.double(), strict=True):
            if list(SOLIDS)[int(label)] != "sphere":
                continue
            found += 1
            a, b, c = (rays**2).sum(-1), rays @ box[:3], box[:3] @ box[:3] - (box[3] / 2) ** 2
            # Where a ray grazes the sphere, a little across is a lot along.
            clear = b**2 - a * c > 0.02
            expected = (b - (b**2 - a * c).clamp(min=0).sqrt()) / a
            error = (scene.depth.double() - expected)[clear & mask]
            assert float(error.abs().max()) < 2e-3
            assert bool((scene.depth[clear] <= expected[clear] + 2e-3).all())
    assert found >= 2


def test_the_traced_chair_is_the_one_that_rays_find_on_its_mesh():
    solid = chair(generator=generator(3))
    pose = _Pose(solid, 1.2, 0.7, (0.1, 0.4, 3.0))
    _, rays = _camera((32, 40), torch.device("cpu"))
    depth = _trace(pose, rays)

    vertices, faces = solid.mesh(96)
    low, high = (torch.tensor(corner) for corner in solid.bounds)
    local = (vertices - (low + high) / 2).double() * torch.tensor([1.2, -1.2, -1.2])
    cos, sin = math.cos(0.7), math.sin(0.7)
    turn = torch.tensor([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]).double()
    placed = local @ turn.T + torch.tensor(pose.place)
    mesh = trimesh.Trimesh(placed.numpy(), faces.numpy(), process=False)
    flat = rays.reshape(-1, 3)
    places, which, _ = mesh.ray.intersects_location(
        torch.zeros_like(flat).numpy(), flat.numpy(), multiple_hits=False
    )
    expected = torch.full((len(flat),), math.inf).double()
    expected[torch.from_numpy(which)] = torch.from_numpy(places[:, 2].copy())
    hit, expected_hit = torch.isfinite(depth).flatten(), torch.isfinite(expected)
    assert int(expected_hit.sum()) > 40
    assert int((hit != expected_hit).sum()) <= 4
    error = (depth.flatten() - expected)[hit & expected_hit].abs()
    assert float((error < 0.02).double().mean()) > 0.97


def test_all_stand_on_one_floor_and_the_room_is_floor_and_wall(scenes):
    for scene in scenes:
        bottom = scene.boxes3d[:, 1] + scene.boxes3d[:, 4] / 2
        floor = float(bottom[0])
        torch.testing.assert_close(bottom, torch.full_like(bottom, floor))
        empty = ~scene.masks.any(dim=0)
        is_wall = empty & (scene.depth == WALL)
        height = points_of(scene)[..., 1]
        assert is_wall.any()
        assert float((height[empty & ~is_wall] - floor).abs().max()) < 1e-5
        assert float(height[is_wall].max()) <= floor + 1e-5


def test_boxes_in_the_image_are_those_of_the_visible_masks(scenes):
    for scene in scenes:
        assert scene.boxes.equal(mask_boxes(scene.masks))
        assert int(scene.masks.sum(dim=0).max()) <= 1


def test_enough_of_every_solid_is_seen(scenes, monkeypatch):
    assert all(int(mask.sum()) >= 30 for scene in scenes for mask in scene.masks)
    # Of spheres it can be told how much of each would be seen alone.
    monkeypatch.setattr("mdcv.data.solid_scenes.SOLIDS", {"sphere": sphere})
    monkeypatch.setattr("mdcv.data.solid_scenes.LEAST_SHARE", 0.9)
    for seed in range(4):
        scene = solid_scene(generator=generator(seed), objects=(4, 4))
        rays = points_of(scene) / scene.depth.double()[..., None]
        for mask, box in zip(scene.masks, scene.boxes3d.double(), strict=True):
            a, b, c = (rays**2).sum(-1), rays @ box[:3], box[:3] @ box[:3] - (box[3] / 2) ** 2
            alone = (b**2 - a * c > 0).sum()
            assert float(mask.sum() / alone) > 0.88


def test_headings_go_all_the_way_round(scenes):
    headings = torch.cat([scene.boxes3d[:, 6] for scene in scenes])
    assert float(headings.abs().max()) <= math.pi
    quarter = ((headings + math.pi) / (math.pi / 2)).long().clamp(max=3)
    assert quarter.bincount(minlength=4).min() >= 1


def test_an_empty_room_has_empty_truth():
    scene = solid_scene(generator=generator(0), objects=(0, 0))
    assert scene.boxes.shape == (0, 4) and scene.boxes3d.shape == (0, 7)
    assert scene.masks.shape == (0, 96, 128) and scene.labels.shape == (0,)


def test_a_seed_gives_the_same_scene_again_and_another_seed_another(scenes):
    again = solid_scene(generator=generator(0))
    assert all(a.equal(b) for a, b in zip(scenes[0], again, strict=True))
    assert not scenes[1].image.equal(again.image)


def test_the_scene_lies_on_the_device_of_the_generator(device):
    scene = solid_scene(generator=generator(0, device), size=(32, 40), objects=(2, 2))
    assert all(part.device.type == device for part in scene)


@pytest.mark.parametrize(
    "options", [{"size": (96,)}, {"size": (8, 96)}, {"objects": (3, 1)}, {"objects": 2}], ids=str
)
def test_options_out_of_range_are_refused_by_name(options, at_the_door):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name} is .*; expected"):
        solid_scene(generator=generator(0), **options)


def test_more_solids_than_the_room_holds_are_refused(monkeypatch):
    monkeypatch.setattr("mdcv.data.solid_scenes.ATTEMPTS", 4)
    with pytest.raises(ValueError, match="found no place in 4 attempts; expected fewer objects"):
        solid_scene(generator=generator(0), objects=(40, 40))
