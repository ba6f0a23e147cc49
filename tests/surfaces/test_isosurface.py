"""The mesh of a level surface."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdcv.seeds import generator
from mdcv.surfaces import marching_cubes

skimage = pytest.importorskip("skimage.measure", reason="scikit-image is not installed")


def grid(n: int = 33, size: float = 1.0, dtype: torch.dtype = torch.float64):
    """Coordinates on [-size, size]³, with a little shift so that no node falls on a surface."""
    axis = torch.linspace(-size, size, n, dtype=dtype) + 0.0123
    return torch.meshgrid(axis, axis, axis, indexing="ij"), 2 * size / (n - 1)


def ball(n: int = 33, radius: float = 0.6) -> tuple[torch.Tensor, float]:
    (x, y, z), step = grid(n)
    return (x * x + y * y + z * z).sqrt() - radius, step


def torus(n: int = 41, ring: float = 0.55, tube: float = 0.25) -> tuple[torch.Tensor, float]:
    (x, y, z), step = grid(n)
    return (((x * x + y * y).sqrt() - ring).square() + z * z).sqrt() - tube, step


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64)


def closed(volume: torch.Tensor, value: float = 9.0) -> torch.Tensor:
    """The volume within a wall of outside nodes."""
    return torch.nn.functional.pad(volume, (1,) * 6, value=value)


def sides(faces: torch.Tensor) -> Counter:
    """How often each side occurs, from one vertex to the next."""
    return Counter(pair for a, b, c in faces.tolist() for pair in itertools.pairwise((a, b, c, a)))


def is_closed(faces: torch.Tensor) -> bool:
    """Every side once in each direction: closed, wound one way, two triangles at every side."""
    count = sides(faces)
    return all(times == 1 and count[b, a] == 1 for (a, b), times in list(count.items()))


def euler_number(vertices: torch.Tensor, faces: torch.Tensor) -> int:
    return len(vertices) - len({frozenset(side) for side in sides(faces)}) + len(faces)


def bodies(vertices: torch.Tensor, faces: torch.Tensor) -> int:
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    a, b = faces[:, [0, 1]].T.numpy()
    size = len(vertices)
    return connected_components(coo_array((np.ones(len(a)), (a, b)), (size, size)))[0]


def test_a_ball_has_its_volume_its_area_and_no_hole():
    volume, step = ball(65)
    mesh = marching_cubes(volume, spacing=(step,) * 3)
    assert is_closed(mesh.faces)
    assert euler_number(*mesh) == 2
    assert mesh.volume() == pytest.approx(4 / 3 * math.pi * 0.6**3, rel=3e-3)
    assert mesh.area() == pytest.approx(4 * math.pi * 0.6**2, rel=3e-3)


def test_a_torus_has_its_volume_and_one_hole():
    volume, step = torus()
    mesh = marching_cubes(volume, spacing=(step,) * 3)
    assert is_closed(mesh.faces)
    assert euler_number(*mesh) == 0
    assert mesh.volume() == pytest.approx(2 * math.pi**2 * 0.55 * 0.25**2, rel=2e-2)


def test_the_surface_follows_the_level():
    volume, step = ball()
    for level in (-0.2, 0.1, 0.25):
        mesh = marching_cubes(volume, level, spacing=(step,) * 3, origin=(-1 + 0.0123,) * 3)
        radius = torch.linalg.vector_norm(mesh.vertices, dim=1)
        torch.testing.assert_close(radius, torch.full_like(radius, 0.6 + level), rtol=0, atol=5e-3)
        assert mesh.volume() == pytest.approx(4 / 3 * math.pi * (0.6 + level) ** 3, rel=2e-2)


def test_vertices_stand_where_a_linear_field_has_the_level(device):
    i, j, k = torch.meshgrid(*(torch.arange(n, device=device) for n in (4, 5, 6)), indexing="ij")
    volume = (2.0 * i - 3.0 * j + 0.7 * k).double()
    vertices, faces = marching_cubes(volume, 0.35)
    assert vertices.device.type == faces.device.type == device
    slope = torch.tensor([2.0, -3.0, 0.7], dtype=vertices.dtype, device=device)
    torch.testing.assert_close(vertices @ slope, torch.full_like(vertices[:, 0], 0.35))
    a, b, c = vertices[faces].unbind(1)
    normal = torch.linalg.cross(b - a, c - a)
    areas = torch.linalg.vector_norm(normal, dim=1, keepdim=True)
    drawn = areas[:, 0] > 1e-9
    torch.testing.assert_close(
        (normal / areas)[drawn], (slope / slope.norm()).expand(int(drawn.sum()), 3)
    )


def test_spacing_and_origin_place_the_mesh():
    volume, _ = ball(17)
    plain = marching_cubes(volume)
    placed = marching_cubes(volume, spacing=(0.5, 2, 3), origin=torch.tensor([10.0, -4.0, 0.25]))
    expected = plain.vertices * torch.tensor([0.5, 2, 3]) + torch.tensor([10, -4, 0.25])
    torch.testing.assert_close(placed.vertices, expected.double())
    assert torch.equal(placed.faces, plain.faces)


def test_the_field_turned_inside_out_turns_the_faces():
    volume, _ = ball(17)
    outward, inward = marching_cubes(volume), marching_cubes(-volume)
    assert outward.volume() > 0
    assert inward.volume() == pytest.approx(-outward.volume(), rel=1e-3)


@pytest.mark.parametrize("make", [ball, torus])
def test_agrees_with_scikit_image_on_smooth_fields(make):
    volume, step = make()
    mesh = marching_cubes(volume, spacing=(step,) * 3)
    theirs, triangles, _, _ = skimage.marching_cubes(volume.numpy(), 0.0, spacing=(step,) * 3)
    assert len(theirs) == len(mesh.vertices) and len(triangles) == len(mesh.faces)
    ours, theirs = mesh.vertices.float().tolist(), theirs.tolist()
    for mine, other in zip(sorted(ours), sorted(theirs), strict=True):
        assert mine == pytest.approx(other, abs=1e-5)
    area = skimage.mesh_surface_area(torch.tensor(theirs).numpy(), triangles)
    assert mesh.area() == pytest.approx(area, rel=1e-3)


def test_trimesh_finds_nothing_to_complain_about():
    trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed")
    vertices, faces = marching_cubes(closed(noise(9, 8, 7)))
    mesh = trimesh.Trimesh(vertices.numpy(), faces.numpy(), process=False)
    assert mesh.is_watertight and mesh.is_winding_consistent
    assert mesh.euler_number == euler_number(vertices, faces)


@settings(deadline=None, max_examples=60)
@given(
    shape=st.tuples(*[st.integers(1, 7)] * 3),
    seed=st.integers(0, 10**6),
    level=st.sampled_from([-1.0, 0.0, 0.3]),
    steps=st.sampled_from([None, 1.0, 0.3]),
)
def test_no_cracks_in_noise(shape, seed, level, steps):
    """Every corner pattern beside every other one, with ties at the level where it has steps."""
    volume = noise(*shape, seed=seed)
    volume = volume if steps is None else (volume / steps).round() * steps
    mesh = marching_cubes(closed(volume), level)
    assert is_closed(mesh.faces)
    assert mesh.volume() >= -1e-9
    used = mesh.faces.unique()
    torch.testing.assert_close(used, torch.arange(len(mesh.vertices)))
    around = Counter(mesh.faces.flatten().tolist())
    assert min(around.values(), default=3) >= 3


def test_every_cell_within_a_wall_is_closed():
    for case in range(256):
        bits = torch.tensor([case >> c & 1 for c in range(8)])
        mesh = marching_cubes(closed(1.0 - 2.0 * bits.reshape(2, 2, 2)))
        assert is_closed(mesh.faces)
        assert (mesh.volume() > 0) == (case > 0)


def test_the_surface_is_open_only_at_the_border_of_the_volume():
    volume = noise(6, 7, 8)
    vertices, faces = marching_cubes(volume)
    count = sides(faces)
    assert max(count.values()) == 1
    last = torch.tensor(volume.shape, dtype=vertices.dtype) - 1
    for a, b in count:
        if count[b, a] == 0:
            together = (vertices[a] == vertices[b]) & ((vertices[a] == 0) | (vertices[a] == last))
            assert together.any()


def test_inside_nodes_that_meet_across_a_face_stay_apart_and_outside_ones_join():
    volume = torch.ones(5, 5, 5)
    volume[2, 2, 2] = volume[2, 3, 3] = -1
    apart, joined = marching_cubes(volume), marching_cubes(closed(-volume))
    assert bodies(*apart) == 2 and euler_number(*apart) == 4
    assert bodies(*joined) == 2 and is_closed(joined.faces)  # the outer wall and one hollow


def test_a_node_at_the_level_is_outside_and_leaves_no_crack():
    volume = torch.ones(5, 5, 5)
    volume[1:4, 1:4, 1:4] = 0
    volume[2, 2, 2] = -1
    mesh = marching_cubes(volume)
    assert is_closed(mesh.faces) and euler_number(*mesh) == 2
    assert mesh.volume() == pytest.approx(4 / 3)  # the octahedron with half axis 1
    empty = marching_cubes(volume.clamp(min=0))
    assert len(empty.vertices) == len(empty.faces) == 0


@pytest.mark.parametrize("level", [-2.0, 5.0])
def test_a_level_that_is_not_reached_gives_an_empty_mesh(level, device):
    volume = ball(9)[0].to(device).requires_grad_()
    vertices, faces = marching_cubes(volume, level)
    assert vertices.shape == (0, 3) and faces.shape == (0, 3)
    assert vertices.dtype == torch.float64 and faces.dtype == torch.int64
    vertices.sum().backward()
    torch.testing.assert_close(volume.grad, torch.zeros_like(volume))


def test_vertices_have_the_gradient_of_their_interpolation():
    volume = noise(4, 3, 5).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda v: marching_cubes(v, 0.1, spacing=(1, 2, 3), origin=(4, 5, 6)).vertices, (volume,)
    )


def test_following_the_gradient_fits_a_ball_to_a_volume():
    """d volume / d radius = area, through every vertex of the mesh."""
    (x, y, z), step = grid(25)
    radius = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    vertices, faces = marching_cubes((x * x + y * y + z * z).sqrt() - radius, spacing=(step,) * 3)
    a, b, c = vertices[faces].unbind(1)
    ((a * torch.linalg.cross(b, c)).sum() / 6).backward()
    assert radius.grad.item() == pytest.approx(4 * math.pi * 0.25, rel=1e-2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_follows_the_volume_which_stays_as_it_is(dtype, device):
    volume = ball(12)[0].to(device, dtype)
    before = volume.clone()
    vertices, faces = marching_cubes(volume)
    assert vertices.dtype == dtype and faces.dtype == torch.int64
    exact = marching_cubes(volume.double())
    assert torch.equal(faces, exact.faces)
    torch.testing.assert_close(vertices, exact.vertices.to(dtype), rtol=1e-2, atol=1e-2)
    assert torch.equal(volume, before)


@pytest.mark.usefixtures("at_the_door")
def test_compiles_as_one_graph():
    volume = noise(4, 5, 6)
    compiled = torch.compile(lambda v: marching_cubes(v, 0.2), fullgraph=True, backend="eager")
    for found, expected in zip(compiled(volume), marching_cubes(volume, 0.2), strict=True):
        torch.testing.assert_close(found, expected)


SMALL = torch.ones(3, 3, 3)


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((SMALL[0],), {}, r"volume has shape \(3, 3\); expected \(X, Y, Z\)"),
        ((SMALL[:1],), {}, r"volume has shape \(1, 3, 3\); expected at least two nodes"),
        ((SMALL[:, :, :0],), {}, "at least two nodes"),
        ((SMALL.long(),), {}, "volume has dtype torch.int64"),
        ((SMALL.numpy(),), {}, "volume is ndarray"),
        ((SMALL * torch.nan,), {}, "volume holds NaN"),
        ((SMALL, torch.nan), {}, "level is .*nan.*; expected finite numbers"),
        ((SMALL, None), {}, "level is .*None"),
        ((SMALL,), {"spacing": (1, 0, 1)}, "spacing is .*; expected three positive numbers"),
        ((SMALL,), {"spacing": (1, -1, 1)}, "expected three positive numbers"),
        ((SMALL,), {"spacing": (1, 1)}, r"spacing is \(1, 1\); expected finite numbers, 3 in all"),
        ((SMALL,), {"spacing": 2.0}, "spacing is 2.0"),
        ((SMALL,), {"spacing": ("a", 1, 1)}, "spacing is"),
        ((SMALL,), {"origin": (0, 0, torch.inf)}, "origin is"),
        ((SMALL,), {"origin": torch.zeros(4)}, "origin is"),
    ],
)
def test_bad_input_is_refused(arguments, options, words):
    with pytest.raises(ValueError, match=words):
        marching_cubes(*arguments, **options)


def test_no_compiler_is_loaded_until_called():
    code = "import sys, mdcv.surfaces; print(*{'numba', 'skimage', 'trimesh'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
