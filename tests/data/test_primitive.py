"""Exact primitives: closed forms, brute force, and theorems that bind distance and samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import trimesh

from mdcv.data.cores import Ball, Box, Capsule, Ring
from mdcv.data.outlines import Frustum, Prism
from mdcv.seeds import generator

TRAPEZOID = ((-0.3, -0.1), (0.25, -0.15), (0.1, 0.4), (-0.2, 0.35))

PRIMITIVES = {
    "ball": Ball((0.1, -0.2, 0.05), 0.3),
    "ring": Ring(0.33, 0.13),
    "box": Box((0.1, 0.2, -0.1), (0.3, 0.2, 0.15)),
    "rounded box": Box((0.1, 0.2, -0.1), (0.3, 0.2, 0.15), radius=0.06),
    "box rounded to a ball": Box((0.0, 0.0, 0.0), (0.3, 0.3, 0.3), radius=0.3),
    "capsule": Capsule((-0.2, 0.1, 0.0), (0.3, -0.1, 0.25), 0.12),
    "cylinder": Frustum((0.1, -0.2, 0.0), 0.5, 0.2, 0.2),
    "frustum": Frustum((0.1, -0.2, 0.0), 0.5, 0.3, 0.12),
    "cone": Frustum((0.0, -0.2, 0.1), 0.4, 0.0, 0.25),
    "prism along x": Prism(0, TRAPEZOID, -0.1, 0.2),
    "prism along y": Prism(1, TRAPEZOID, -0.1, 0.2),
    "prism along z": Prism(2, TRAPEZOID, -0.1, 0.2),
}

#: area and volume from the formulas of the school book.
_HEIGHT, _WIDE, _NARROW = 0.5, 0.3, 0.12
_SLANT = math.hypot(_HEIGHT, _WIDE - _NARROW)
_CORE = (0.24, 0.14, 0.09)  # half the rounded box without its rounding of 0.06
_FACES = _CORE[0] * _CORE[1] + _CORE[1] * _CORE[2] + _CORE[2] * _CORE[0]
_LENGTH = math.dist((-0.2, 0.1, 0.0), (0.3, -0.1, 0.25))
KNOWN = {
    "ball": (4 * math.pi * 0.3**2, 4 / 3 * math.pi * 0.3**3),
    "ring": (4 * math.pi**2 * 0.33 * 0.13, 2 * math.pi**2 * 0.33 * 0.13**2),
    "box": (8 * (0.3 * 0.2 + 0.2 * 0.15 + 0.15 * 0.3), 8 * 0.3 * 0.2 * 0.15),
    # Steiner: faces, four quarter cylinders per axis, eight eighths of a sphere.
    "rounded box": (
        8 * _FACES + 4 * math.pi * 0.06 * sum(_CORE) + 4 * math.pi * 0.06**2,
        8 * math.prod(_CORE)
        + 8 * 0.06 * _FACES
        + 2 * math.pi * 0.06**2 * sum(_CORE)
        + 4 / 3 * math.pi * 0.06**3,
    ),
    "box rounded to a ball": (4 * math.pi * 0.3**2, 4 / 3 * math.pi * 0.3**3),
    "capsule": (
        2 * math.pi * 0.12 * _LENGTH + 4 * math.pi * 0.12**2,
        math.pi * 0.12**2 * _LENGTH + 4 / 3 * math.pi * 0.12**3,
    ),
    "cylinder": (2 * math.pi * 0.2 * (0.5 + 0.2), math.pi * 0.2**2 * 0.5),
    "frustum": (
        math.pi * (_WIDE**2 + _NARROW**2 + (_WIDE + _NARROW) * _SLANT),
        math.pi * _HEIGHT / 3 * (_WIDE**2 + _WIDE * _NARROW + _NARROW**2),
    ),
}

every = pytest.mark.parametrize("primitive", PRIMITIVES.values(), ids=PRIMITIVES.keys())


def space(n: int, seed: int = 0) -> torch.Tensor:
    """Positions in float64, inside and outside of the primitives."""
    return 1.6 * torch.rand(n, 3, generator=generator(seed), dtype=torch.float64) - 0.8


def normals(primitive, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Signed distances and their gradients."""
    points = points.clone().requires_grad_()
    distance = primitive.signed_distance(points)
    (gradient,) = torch.autograd.grad(distance.sum(), points)
    return distance.detach(), gradient


@pytest.mark.parametrize("name", KNOWN)
def test_area_is_the_one_of_the_school_book(name):
    assert PRIMITIVES[name].area == pytest.approx(KNOWN[name][0], rel=1e-12)


@every
def test_samples_lie_on_the_surface_and_within_the_bounds(primitive):
    points = primitive.sample(5000, generator(1))
    torch.testing.assert_close(
        primitive.signed_distance(points), torch.zeros(5000).double(), atol=1e-12, rtol=0
    )
    low, high = (torch.tensor(corner, dtype=torch.float64) for corner in primitive.bounds)
    assert bool((points >= low - 1e-12).all() and (points <= high + 1e-12).all())
    # The bounds are tight: the samples come close to every side.
    torch.testing.assert_close(points.amin(dim=0), low, atol=0.02, rtol=0)
    torch.testing.assert_close(points.amax(dim=0), high, atol=0.02, rtol=0)


@every
def test_distance_is_exact_inside_and_outside(primitive):
    # A function that never changes faster than the position, and whose gradient step lands on
    # its zero set, can be neither larger nor smaller than the distance to that set.
    points, others = space(20_000), space(20_000, seed=1)
    near = points + 0.01 * others
    for q in (others, near):
        steepness = (primitive.signed_distance(points) - primitive.signed_distance(q)).abs()
        assert bool((steepness <= (points - q).norm(dim=1) + 1e-12).all())
    distance, gradient = normals(primitive, points)
    landed = primitive.signed_distance(points - distance.unsqueeze(1) * gradient)
    torch.testing.assert_close(landed, torch.zeros_like(landed), atol=1e-9, rtol=0)
    torch.testing.assert_close(
        gradient.norm(dim=1), torch.ones(len(points)).double(), atol=1e-9, rtol=0
    )


@every
def test_distance_equals_brute_force_over_the_samples(primitive):
    points = space(300)
    surface = primitive.sample(60_000, generator(2))
    nearest = torch.cdist(points, surface).amin(dim=1)
    # The nearest of the samples is a little farther away than the surface, never nearer.
    distance = primitive.signed_distance(points).abs()
    assert bool((nearest >= distance - 1e-12).all())
    torch.testing.assert_close(nearest, distance, atol=0.012, rtol=0)


def hull(corners: np.ndarray) -> trimesh.Trimesh:
    return trimesh.convex.convex_hull(corners)


@pytest.mark.parametrize("name", ["box", "prism along x", "prism along y", "prism along z"])
def test_distance_to_a_polyhedron_agrees_with_trimesh(name):
    primitive = PRIMITIVES[name]
    if name == "box":
        signs = np.stack(np.meshgrid([-1, 1], [-1, 1], [-1, 1]), -1).reshape(-1, 3)
        corners = np.array(primitive.center) + signs * np.array(primitive.half)
    else:
        flat = np.array(TRAPEZOID)
        corners = np.concatenate([np.column_stack((np.full(4, z), flat)) for z in (-0.1, 0.2)])
        corners = np.roll(corners, primitive.axis, axis=1)
    body, points = hull(corners), space(500)
    expected = -trimesh.proximity.signed_distance(body, points.numpy())
    torch.testing.assert_close(
        primitive.signed_distance(points), torch.from_numpy(expected), atol=1e-6, rtol=0
    )
    assert primitive.area == pytest.approx(body.area, rel=1e-9)


def test_known_distances():
    ring = Ring(0.3, 0.1)
    points = torch.tensor([[0.0, 0.0, 0.0], [0.3, 0.0, 0.0], [0.0, 0.5, 0.3]])
    torch.testing.assert_close(ring.signed_distance(points), torch.tensor([0.2, -0.1, 0.4]))
    cone = Frustum((0.0, 0.0, 0.0), 3.0, 4.0, 0.0)  # its slanted side is 5 long
    points = torch.tensor([[0.0, -1.0, 0.0], [0.0, 4.0, 0.0], [2.0, 1.5, 0.0], [5.0, -1.0, 0.0]])
    expected = torch.tensor([1.0, 1.0, 0.0, math.sqrt(2)])
    torch.testing.assert_close(cone.signed_distance(points), expected, atol=1e-6, rtol=0)


@every
def test_samples_are_uniform_over_the_area(primitive):
    # The divergence theorem over the surface, for many fields at once: the mean of field · normal
    # times the area is the integral of the divergence. A patch drawn too often breaks it.
    points = primitive.sample(40_000, generator(3))
    _, normal = normals(primitive, points)
    x, y, z = points.unbind(1)
    nx, ny, nz = normal.unbind(1)
    free_of_divergence = torch.stack(
        (
            *(nx, ny, nz),
            *(y * nx, z * nx, x * ny, z * ny, x * nz, y * nz),
            *(y * y * nx, z * z * nx, x * x * ny, z * z * ny, x * x * nz, y * y * nz),
            *(x * nx - y * ny, y * ny - z * nz),
        ),
        dim=1,
    )
    score = free_of_divergence.mean(0) / free_of_divergence.std(0) * math.sqrt(len(points))
    assert float(score.abs().max()) < 5


@pytest.mark.parametrize("name", KNOWN)
def test_area_and_samples_together_give_the_volume(name):
    primitive, (_, volume) = PRIMITIVES[name], KNOWN[name]
    points = primitive.sample(40_000, generator(4))
    _, normal = normals(primitive, points)
    flux = (points * normal).sum(dim=1) * primitive.area / 3
    score = (flux.mean() - volume) / max(float(flux.std()), 1e-9) * math.sqrt(len(points))
    assert abs(float(score)) < 5


def test_heights_on_a_ball_are_uniform():
    # Archimedes: slices of equal height have equal area. 20 slices, chi-square with 19 degrees.
    heights = Ball((0.0, 0.0, 0.0), 1.0).sample(20_000, generator(5))[:, 1]
    counts = torch.histc(heights, bins=20, min=-1, max=1)
    chi_square = float(((counts - 1000) ** 2 / 1000).sum())
    assert 4 < chi_square < 50


def test_a_polygon_that_runs_clockwise_is_refused():
    with pytest.raises(ValueError, match="counterclockwise"):
        Prism(1, TRAPEZOID[::-1], 0.0, 1.0)
    with pytest.raises(ValueError, match="convex"):
        Prism(1, ((0.0, 0.0), (1.0, 0.0), (0.2, 0.2), (0.0, 1.0)), 0.0, 1.0)
