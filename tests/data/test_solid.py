"""Solids: the union's distance, the mesh and its convergence, even and uneven samples."""

from __future__ import annotations

import math

import pytest
import torch
import trimesh

from mdcv.data import SOLIDS, Solid, chair, sphere, torus
from mdcv.data import draws as draws_module
from mdcv.data.cores import Ball, Box
from mdcv.seeds import generator

#: 2 − 2 · (number of handles); the chair has three openings between its posts.
EULER = {"chair": -4, "table": 2, "lamp": 2, "plane": 2, "sphere": 2, "torus": 0}

every = pytest.mark.parametrize("name", SOLIDS)


def as_trimesh(mesh) -> trimesh.Trimesh:
    return trimesh.Trimesh(mesh.vertices.numpy(), mesh.faces.numpy(), process=False)


def in_bounds(solid: Solid, n: int, *, margin: float = 0.0, seed: int = 0) -> torch.Tensor:
    low, high = (torch.tensor(corner, dtype=torch.float64) for corner in solid.bounds)
    random = torch.rand(n, 3, generator=generator(seed), dtype=torch.float64)
    return low - margin + (high - low + 2 * margin) * random


# Distance


def test_distance_to_a_sphere_and_a_torus_is_the_formula():
    points = in_bounds(sphere(), 1000, margin=0.3)
    torch.testing.assert_close(sphere(radius=0.3).signed_distance(points), points.norm(dim=1) - 0.3)
    x, y, z = points.unbind(1)
    expected = torch.sqrt((torch.sqrt(x**2 + z**2) - 0.3) ** 2 + y**2) - 0.1
    torch.testing.assert_close(torus(major=0.3, minor=0.1).signed_distance(points), expected)


@every
def test_distance_outside_equals_brute_force_over_the_surface(name):
    solid = SOLIDS[name]()
    points = in_bounds(solid, 400, margin=0.3)
    distance = solid.signed_distance(points)
    points, distance = points[distance > 0], distance[distance > 0]
    nearest = torch.cdist(points, solid.sample(60_000, generator=generator(1)).double())
    nearest = nearest.amin(dim=1)
    assert bool((nearest >= distance - 1e-6).all())
    torch.testing.assert_close(nearest, distance, atol=0.012, rtol=0)


@every
def test_depth_inside_is_never_overstated(name):
    solid = SOLIDS[name]()
    points = in_bounds(solid, 4000)
    distance = solid.signed_distance(points)
    inside = distance < 0
    assert int(inside.sum()) > 40
    surface = solid.sample(30_000, generator=generator(2)).double()
    nearest = torch.cdist(points[inside], surface).amin(dim=1)
    assert bool((-distance[inside] <= nearest + 1e-6).all())


@every
def test_sign_agrees_with_the_mesh(name):
    solid = SOLIDS[name]()
    points = in_bounds(solid, 300)
    distance = solid.signed_distance(points)
    clear = distance.abs() > 0.015  # the mesh cuts edges; a point next to it proves nothing
    expected = as_trimesh(solid.mesh(40)).contains(points[clear].numpy())
    assert torch.equal(distance[clear] < 0, torch.from_numpy(expected))


@every
def test_gradient_outside_has_length_one(name):
    solid = SOLIDS[name](generator=generator(3))
    points = in_bounds(solid, 2000, margin=0.3).requires_grad_()
    distance = solid.signed_distance(points)
    (gradient,) = torch.autograd.grad(distance.sum(), points)
    lengths = gradient[distance > 0].norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones_like(lengths), atol=1e-9, rtol=0)


def test_distance_keeps_shape_dtype_and_device(device):
    for dtype in (torch.float32, torch.float64):
        points = torch.zeros(2, 5, 3, dtype=dtype, device=device)
        distance = chair().signed_distance(points)
        assert distance.shape == (2, 5)
        assert distance.dtype == dtype and distance.device == points.device
    assert chair().signed_distance(torch.zeros(0, 3)).shape == (0,)


def test_points_that_are_no_positions_are_refused(at_the_door):
    with pytest.raises(ValueError, match=r"shape \(4, 2\); expected \(..., 3\)"):
        chair().signed_distance(torch.zeros(4, 2))
    with pytest.raises(ValueError, match="dtype"):
        chair().signed_distance(torch.zeros(4, 3, dtype=torch.int64))


# Mesh


@every
@pytest.mark.parametrize("seed", [None, 0, 1])
def test_mesh_is_one_closed_surface_that_faces_outward(name, seed):
    solid = SOLIDS[name](generator=None if seed is None else generator(seed))
    mesh = solid.mesh(64)
    assert mesh.vertices.dtype == torch.float32 and mesh.faces.dtype == torch.int64
    surface = as_trimesh(mesh)
    assert surface.is_watertight and surface.is_winding_consistent
    assert surface.euler_number == EULER[name]
    assert surface.body_count == 1
    assert surface.area_faces.min() > 0
    assert mesh.volume() > 0
    # Where the surface is curved or straight its vertices lie on it, at edges within a cell.
    low, high = (torch.tensor(corner) for corner in solid.bounds)
    cell = float((high - low).max()) / 64
    assert float(solid.signed_distance(mesh.vertices).abs().max()) < 0.4 * cell


@pytest.mark.parametrize(
    ("solid", "area", "volume"),
    [
        (sphere(radius=0.5), math.pi, math.pi / 6),
        (
            torus(major=0.33, minor=0.13),
            4 * math.pi**2 * 0.33 * 0.13,
            2 * math.pi**2 * 0.33 * 0.13**2,
        ),
    ],
    ids=["sphere", "torus"],
)
def test_area_and_volume_converge_with_the_square_of_the_cell(solid, area, volume):
    cells = torch.tensor([16.0, 32.0, 64.0, 128.0]).log()
    meshes = [solid.mesh(n) for n in (16, 32, 64, 128)]
    for truth, values in (
        (area, [mesh.area() for mesh in meshes]),
        (volume, [mesh.volume() for mesh in meshes]),
    ):
        errors = (torch.tensor(values).double() / truth - 1).abs().log()
        centered = cells - cells.mean()
        order = -float((centered * errors).sum() / (centered**2).sum())
        assert 1.8 < order < 2.2


@every
def test_volume_of_the_mesh_is_the_share_of_space_inside(name):
    solid = SOLIDS[name]()
    low, high = (torch.tensor(corner).double() for corner in solid.bounds)
    inside = (solid.signed_distance(in_bounds(solid, 200_000)) < 0).double()
    expected, error = inside.mean(), inside.std() / math.sqrt(len(inside))
    box = float((high - low).prod())
    assert solid.mesh(160).volume() == pytest.approx(
        float(expected) * box, abs=5 * float(error) * box + 0.006 * float(expected) * box
    )


def test_resolution_below_eight_is_refused():
    with pytest.raises(ValueError, match="resolution is 4; expected an integer >= 8"):
        sphere().mesh(4)


# Even samples


@every
def test_samples_lie_on_the_surface(name):
    for seed in range(3):
        solid = SOLIDS[name](generator=generator(seed))
        points = solid.sample(3000, generator=generator(seed))
        assert points.shape == (3000, 3) and points.dtype == torch.float32
        assert float(solid.signed_distance(points.double()).abs().max()) < 1e-6


@every
@pytest.mark.parametrize("seed", [None, 0, 1])
def test_samples_are_uniform_over_the_area(name, seed):
    # On a closed surface the mean of field · normal vanishes for every field without divergence.
    # A patch that two parts share, or that one part hides, would be drawn too often and break it.
    solid = SOLIDS[name](generator=None if seed is None else generator(seed))
    points = solid.sample(60_000, generator=generator(7)).double().requires_grad_()
    (normal,) = torch.autograd.grad(solid.signed_distance(points).sum(), points)
    x, y, z = points.detach().unbind(1)
    nx, ny, nz = normal.unbind(1)
    fields = torch.stack(
        (
            *(nx, ny, nz),
            *(y * nx, z * nx, x * ny, z * ny, x * nz, y * nz),
            *(y * y * nx, z * z * nx, x * x * ny, z * z * ny, x * x * nz, y * y * nz),
            *(x * nx - y * ny, y * ny - z * nz),
        ),
        dim=1,
    )
    score = fields.mean(dim=0) / fields.std(dim=0) * math.sqrt(len(points))
    assert float(score.abs().max()) < 5


@every
def test_samples_agree_with_those_of_the_mesh(name):
    solid = SOLIDS[name]()
    mesh = as_trimesh(solid.mesh(160))
    expected, _ = trimesh.sample.sample_surface(mesh, 4000, seed=0)
    ours, theirs = solid.sample(4000, generator=generator(8)).double(), torch.tensor(expected)
    for power in (1, 2):
        a, b = ours**power, theirs**power
        error = torch.sqrt((a.var(dim=0) + b.var(dim=0)) / 4000)
        assert float(((a.mean(dim=0) - b.mean(dim=0)) / error).abs().max()) < 5


def test_a_hidden_surface_is_never_drawn():
    outer = Box((0.0, 0.0, 0.0), (0.4, 0.4, 0.4))
    solid = Solid("box with a ball inside", (outer, Ball((0.0, 0.0, 0.0), 0.3)))
    points = solid.sample(2000, generator=generator(0))
    torch.testing.assert_close(points.abs().amax(dim=1), torch.full((2000,), 0.4))


def test_the_first_points_are_no_different_from_the_last():
    points = chair().sample(20_000, generator=generator(9))
    first, last = points[:10_000], points[10_000:]
    error = torch.sqrt((first.var(dim=0) + last.var(dim=0)) / 10_000)
    assert float(((first.mean(dim=0) - last.mean(dim=0)) / error).abs().max()) < 5


@every
def test_one_seed_gives_one_cloud(name):
    first, again, other = (SOLIDS[name]().sample(50, generator=generator(s)) for s in (1, 1, 2))
    assert first.equal(again)
    assert not first.equal(other)


def test_samples_are_drawn_on_the_device_of_the_generator(device):
    points = chair().sample(100, generator=generator(0, device=device))
    assert points.device.type == device
    assert float(chair().signed_distance(points.double()).abs().max()) < 1e-6


def test_no_points_may_be_asked_for_but_no_fewer():
    assert chair().sample(0).shape == (0, 3)
    with pytest.raises(ValueError, match="n is -1; expected an integer >= 0"):
        chair().sample(-1)


# Uneven samples


def test_uneven_samples_have_the_density_of_the_weight():
    # The mean of f under the weighted density is mean(weight f) / mean(weight) under the even one.
    solid, n = chair(), 20_000

    def weight(points):
        return torch.exp(3 * points[:, 1])

    uneven = solid.sample_unevenly(n, weight=weight, generator=generator(3)).double()
    even = solid.sample(n, generator=generator(4)).double()
    assert float(solid.signed_distance(uneven).abs().max()) < 1e-6
    share = weight(even) / weight(even).mean()
    for power in (1, 2):
        ours, theirs = uneven**power, even**power * share.unsqueeze(1)
        error = torch.sqrt((ours.var(dim=0) + theirs.var(dim=0)) / n)
        assert float(((ours.mean(dim=0) - theirs.mean(dim=0)) / error).abs().max()) < 5
    # And it is not the even density.
    assert float(uneven[:, 1].mean() - even[:, 1].mean()) > 0.1


def test_a_constant_weight_is_no_weight():
    points = sphere(radius=0.5).sample_unevenly(
        20_000, weight=lambda p: torch.full((len(p),), 7.0), generator=generator(5)
    )
    counts = torch.histc(points[:, 1], bins=20, min=-0.5, max=0.5)
    assert float(((counts - 1000) ** 2 / 1000).sum()) < 50


def test_uneven_samples_repeat_with_their_seed():
    first, again = (
        chair().sample_unevenly(64, weight=lambda p: p[:, 1] + 1, generator=generator(6))
        for _ in range(2)
    )
    assert first.shape == (64, 3) and first.equal(again)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (lambda p: p, r"weight returned \(\d+, 3\); expected a tensor of shape \(\d+,\)"),
        (lambda p: 1.0, "weight returned float"),
        (lambda p: p[:, 1], "negative or non-finite"),
        (lambda p: p[:, 1] * float("nan"), "negative or non-finite"),
        (lambda p: torch.zeros(len(p)), "on average 0 of its largest value"),
    ],
)
def test_a_weight_that_is_no_density_is_refused(weight, message, at_the_door):
    with pytest.raises(ValueError, match=message):
        sphere().sample_unevenly(10, weight=weight, generator=generator(0))


def test_what_was_drawn_before_is_drawn_again_untouched():
    def draws():
        source = generator(11)
        solid = SOLIDS["chair"]()
        uneven = solid.sample_unevenly(
            50, weight=lambda points: points.mul_(0)[:, 0] + 1, generator=source
        )
        return [
            uneven,
            solid.sample(50, generator=source),
            *solid.sample_parts(70, generator=source),
            torch.rand(3, generator=source),
        ]

    first = draws()
    kept = [values.clone() for values in first]
    for values in first:
        values.zero_()
    assert all(a.equal(b) for a, b in zip(draws(), kept, strict=True))
    draws_module._drawn.clear()
    assert all(a.equal(b) for a, b in zip(draws(), kept, strict=True))
