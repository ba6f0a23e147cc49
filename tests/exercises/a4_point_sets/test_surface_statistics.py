"""The statistics that judge a sampler: known places, known shares, and what is even."""

from __future__ import annotations

import math

import pytest
import torch

from mdcv.exercises.a4_point_sets.surface import closed_mesh, loose_triangles
from mdcv.exercises.a4_point_sets.surface_statistics import (
    areas,
    fingerprint,
    place,
    surprise,
    trouble_off_the_mesh,
    trouble_with_evenness,
    trouble_with_form,
    trouble_with_shares,
)
from mdcv.exercises.cases import Draw
from mdcv.points import sample_surface
from mdcv.seeds import generator

TRIANGLE = torch.tensor([[0.0, 0, 0], [2, 0, 0], [0, 1, 0]]).double()
ONE = torch.tensor([[0, 1, 2]])


def even_points(mesh, n, seed):
    return sample_surface(*mesh, n, generator=generator(seed))


def test_a_place_is_found_with_its_weights():
    points = torch.tensor([[0.0, 0, 0], [1, 0.5, 0], [0.5, 0.25, 0.75], [-3, 0, 0]]).double()
    placed = place(points, TRIANGLE, ONE)
    expected = torch.tensor([[1, 0, 0], [0, 0.5, 0.5], [0.5, 0.25, 0.25], [2.5, -1.5, 0]]).double()
    torch.testing.assert_close(placed.weights, expected)
    torch.testing.assert_close(placed.off[:3], torch.tensor([0, 0, 0.75]).double())
    assert placed.off[3] > 1


def test_areas_are_known():
    torch.testing.assert_close(areas(TRIANGLE, ONE), torch.ones(1).double())


def test_surprise_is_zero_for_what_was_expected_and_grows_with_n():
    p = torch.tensor([0.25, 0.75]).double()
    assert surprise(torch.tensor([25.0, 75.0]).double(), p) == pytest.approx(0, abs=1e-12)
    some = surprise(torch.tensor([50.0, 50.0]).double(), p)
    assert some == pytest.approx(100 * (0.5 * math.log(2) + 0.5 * math.log(2 / 3)))
    assert surprise(torch.tensor([500.0, 500.0]).double(), p) == pytest.approx(10 * some)


@pytest.mark.parametrize("make", [loose_triangles, closed_mesh])
@pytest.mark.parametrize("seed", range(5))
def test_even_points_give_no_trouble(make, seed):
    mesh = make(Draw(seed, "mesh"))
    points = even_points(mesh, 6000, seed)
    placed = place(points, *mesh)
    assert trouble_with_form(points, 6000, mesh[0], "a mesh") is None
    assert trouble_off_the_mesh(placed, points.dtype, mesh[0], "a mesh") is None
    assert trouble_with_shares(placed, "a mesh") is None
    assert trouble_with_evenness(placed, "a mesh") is None


def test_points_off_the_mesh_give_trouble():
    mesh = loose_triangles(Draw(0, "mesh"))
    points = even_points(mesh, 500, 0)
    points[7] += 0.01
    trouble = trouble_off_the_mesh(place(points, *mesh), points.dtype, mesh[0], "a mesh")
    assert "0.2 % of the points" in trouble.sentence


def test_a_slight_crowding_in_the_middle_gives_trouble():
    weights = torch.rand(8000, 3, generator=generator(1)).double() + 0.3
    points = weights / weights.sum(1, keepdim=True) @ TRIANGLE
    trouble = trouble_with_evenness(place(points, TRIANGLE, ONE), "a triangle")
    assert "in the middle" in trouble.sentence


def test_triangles_that_are_uneven_each_for_itself_give_trouble():
    mesh = loose_triangles(Draw(0, "mesh"))
    face = torch.randint(5, (8000,), generator=generator(1))
    weights = -torch.rand(8000, 3, generator=generator(2)).double().log()
    weights[face == 0, 0] *= 2
    weights[face == 1, 0] /= 2
    points = ((weights / weights.sum(1, keepdim=True))[:, None] @ mesh[0][mesh[1][face]])[:, 0]
    trouble = trouble_with_evenness(place(points, *mesh), "a mesh")
    assert "in a single one they are not" in trouble.sentence


def test_fingerprints_of_one_sampler_agree_and_of_two_differ():
    mesh = loose_triangles(Draw(0, "mesh"))
    (a, error_a), (b, error_b) = (fingerprint(even_points(mesh, 3000, s), *mesh) for s in (1, 2))
    bound = 5 * torch.hypot(error_a, error_b)
    assert bool(((a - b).abs() <= bound).all())
    vertices, faces = mesh
    corners = vertices[faces[torch.randint(5, (3000,), generator=generator(3)), 0]]
    c, _ = fingerprint(corners, *mesh)
    assert not bool(((a - c).abs() <= bound).all())
