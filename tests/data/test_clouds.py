"""Labeled clouds: on their solids, of their parts, in the unit ball, even over the surface."""

from __future__ import annotations

import math

import pytest
import torch

from mdcv.data import CLASS_PARTS, PART_NAMES, SOLIDS, chair, plane, shape_clouds
from mdcv.data.clouds import _PART_OF_PRIMITIVE, unit_ball
from mdcv.seeds import generator


def test_classes_come_in_turn_and_every_part_belongs_to_its_class():
    clouds = shape_clouds(13, points=256, generator=generator(0))
    assert clouds.points.shape == (13, 256, 3) and clouds.points.dtype == torch.float32
    assert clouds.labels.dtype == clouds.parts.dtype == torch.int64
    assert clouds.labels.tolist() == [0, 1, 2, 3, 4, 5] * 2 + [0]
    for label, parts in zip(clouds.labels.tolist(), clouds.parts, strict=True):
        assert set(parts.tolist()) == set(CLASS_PARTS[label])


def test_parts_are_numbered_over_all_classes_and_named_by_their_class():
    assert sorted(sum(CLASS_PARTS, ())) == list(range(len(PART_NAMES)))
    for family, parts in zip(SOLIDS, CLASS_PARTS, strict=True):
        assert all(PART_NAMES[part].split()[0] == family for part in parts)


def test_every_primitive_of_every_family_has_a_part():
    for (name, family), parts in zip(SOLIDS.items(), _PART_OF_PRIMITIVE, strict=True):
        assert len(family(generator=generator(1)).parts) == len(parts), name


def test_a_point_lies_on_the_primitives_of_its_part():
    for label, (name, family) in enumerate(SOLIDS.items()):
        solid = family(generator=generator(label))
        points, primitive = solid.sample_parts(2000, generator=generator(2))
        for index, part in enumerate(solid.parts):
            distance = part.signed_distance(points[primitive == index].double())
            assert float(distance.abs().max()) < 1e-6, (name, index)


def test_one_seed_gives_the_points_of_a_plain_sample():
    expected = chair().sample(300, generator=generator(3))
    points, _ = chair().sample_parts(300, generator=generator(3))
    assert points.equal(expected)


def test_parts_are_where_their_names_say():
    clouds = shape_clouds(60, points=1024, generator=generator(4))
    height = {}
    for label, name in ((0, "chair leg"), (0, "chair seat"), (0, "chair back"), (2, "lamp foot")):
        chosen = clouds.labels == label
        is_part = clouds.parts[chosen] == PART_NAMES.index(name)
        height[name] = clouds.points[chosen][is_part][:, 1]
    assert height["chair leg"].mean() < height["chair seat"].mean() < height["chair back"].mean()
    assert float(height["lamp foot"].max()) < 0
    # The tail of an airplane that flies along +z lies behind its wings.
    flying = clouds.labels == 3
    points, parts = clouds.points[flying], clouds.parts[flying]
    tail, wing = (
        points[parts == PART_NAMES.index(f"plane {name}")][:, 2] for name in ("tail", "wing")
    )
    assert float(tail.max()) < float(wing.mean())


def test_parts_are_drawn_in_proportion_to_their_visible_area():
    # The areas follow from the mesh, whose triangles each belong to the part they lie next to.
    solid = plane()
    vertices, faces = solid.mesh(160)
    corners = vertices.double()[faces]
    a, b, c = corners.unbind(dim=1)
    area = torch.linalg.cross(b - a, c - a).norm(dim=1) / 2
    distances = [part.signed_distance(corners.mean(dim=1)).abs() for part in solid.parts]
    owner = torch.stack(distances).argmin(dim=0)
    expected = torch.zeros(6).double().index_add_(0, owner, area) / area.sum()
    _, primitive = solid.sample_parts(40_000, generator=generator(5))
    found = primitive.bincount(minlength=6) / 40_000
    torch.testing.assert_close(found.double(), expected, atol=0.015, rtol=0)


def test_clouds_are_centered_and_fill_the_unit_ball():
    points = shape_clouds(6, points=500, generator=generator(6)).points
    torch.testing.assert_close(points.mean(dim=1), torch.zeros(6, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(points.norm(dim=2).amax(dim=1), torch.ones(6))


def test_points_on_the_sphere_are_uniform():
    points = shape_clouds(30, points=1000, generator=generator(7)).points[4::6].reshape(-1, 3)
    # Archimedes: the height of a uniform point on a sphere is uniform.
    counts = torch.histc(points[:, 1], bins=10, min=-0.97, max=0.97)
    expected = float(counts.mean())
    assert float(((counts - expected) ** 2 / expected).sum()) < 40


def test_a_cloud_of_one_place_becomes_the_origin():
    assert unit_ball(torch.full((2, 5, 3), 7.0)).equal(torch.zeros(2, 5, 3))


def test_proportions_differ_from_cloud_to_cloud():
    points = shape_clouds(36, points=800, generator=generator(8)).points[1::6]
    extents = points.amax(dim=1) - points.amin(dim=1)
    assert float(extents.std(dim=0).min()) > 0.02


def test_a_seed_gives_the_same_clouds_again_and_another_seed_others():
    first, again, other = (shape_clouds(7, points=40, generator=generator(s)) for s in (1, 1, 2))
    assert all(a.equal(b) for a, b in zip(first, again, strict=True))
    assert not first.points.equal(other.points)


def test_clouds_lie_on_the_device_of_the_generator(device):
    clouds = shape_clouds(6, points=32, generator=generator(0, device))
    assert all(part.device.type == device for part in clouds)


def test_no_cloud_is_a_batch_too():
    assert shape_clouds(0, points=8, generator=generator(0)).points.shape == (0, 8, 3)


@pytest.mark.parametrize(("count", "points"), [(-1, 8), (2, 0), (2.0, 8), (2, math.inf)])
def test_sizes_that_are_none_are_refused(count, points, at_the_door):
    with pytest.raises(ValueError, match="expected an integer"):
        shape_clouds(count, points=points, generator=generator(0))
