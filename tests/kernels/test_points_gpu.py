"""The Triton bodies for point sets: compiled on a GPU, or by Triton's interpreter without one."""

import pytest
import torch

from mdcv.kernels.ball_query import ball_query_reference, squared_limit
from mdcv.kernels.farthest_points import farthest_points_reference
from mdcv.kernels.nearest_neighbors import nearest_neighbors_reference

pytestmark = pytest.mark.usefixtures("triton_device")

DTYPES = (torch.float32, torch.float64)

#: Few, because the interpreter is slow: plain, full of ties, uneven, and prone to cancel.
kinds = pytest.mark.parametrize("kind", ("normal", "lattice", "cluster and outlier", "far"))


def assert_same_neighbors(x, y, k):
    """Distances to the last bit, and so the same winner of every tie."""
    from mdcv.kernels.nearest_neighbors_gpu import nearest_neighbors_gpu

    squared, indices = nearest_neighbors_gpu(x, y, k)
    expected_squared, expected = nearest_neighbors_reference(x, y, k)
    assert squared.equal(expected_squared)
    assert indices.equal(expected)


@kinds
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("b", "n", "m", "d", "k"),
    [
        (1, 1, 1, 3, 1),
        (2, 70, 65, 3, 1),
        (1, 5, 300, 2, 1),
        (2, 20, 64, 1, 1),
        (1, 9, 130, 5, 1),
        (1, 3, 130, 11, 1),
        (1, 1, 2, 3, 2),
        (2, 17, 150, 3, 3),
        (1, 5, 200, 1, 8),
        (1, 4, 32, 2, 32),
        (1, 4, 131, 11, 5),
    ],
)
def test_neighbors_agree_with_the_reference(device, dtype, kind, make_cloud, b, n, m, d, k):
    x = make_cloud(kind, (b, n, d), 0, dtype).to(device)
    y = make_cloud(kind, (b, m, d), 1, dtype).to(device)
    assert_same_neighbors(x, y, k)


@pytest.mark.parametrize("programs", [1, 4, 7, 1024])
def test_parts_of_the_targets_do_not_change_the_neighbors(
    device, monkeypatch, make_cloud, programs
):
    from mdcv.kernels import nearest_neighbors_gpu as body

    monkeypatch.setattr(body, "PROGRAMS", programs)
    x = make_cloud("lattice", (2, 70, 3), 0).to(device)
    assert_same_neighbors(x, make_cloud("lattice", (2, 450, 3), 1).to(device), 1)


@pytest.mark.parametrize("k", [1, 4])
def test_gaps_in_memory_do_not_change_the_neighbors(device, make_cloud, k):
    x = make_cloud("normal", (3, 2, 40), 0).to(device).permute(1, 2, 0)[:, ::2]
    y = make_cloud("normal", (3, 2, 40), 1).to(device).permute(1, 2, 0).flip(1)
    assert not x.is_contiguous()
    assert_same_neighbors(x, y, k)


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("k", [1, 3, 20])
def test_infinite_distances_go_to_the_lowest_indices(device, k):
    x = torch.tensor([[[1e30], [0.0]]], device=device)
    y = torch.full((1, 70, 1), -1e30, device=device)
    assert_same_neighbors(x, y, k)
    y[0, 40:] = 1.0
    assert_same_neighbors(x, y, k)


@pytest.mark.parametrize(("b", "n"), [(0, 5), (2, 0)])
@pytest.mark.parametrize("k", [1, 2])
def test_no_queries_have_no_neighbors(device, b, n, k):
    assert_same_neighbors(torch.zeros(b, n, 3, device=device), torch.zeros(b, 4, 3).to(device), k)


@kinds
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("in_registers", [True, False])
@pytest.mark.parametrize(
    ("b", "n", "d", "k", "start"),
    [(1, 1, 3, 1, 0), (2, 16, 3, 16, 3), (2, 40, 2, 40, 39), (2, 77, 1, 20, 1), (1, 100, 11, 9, 4)],
)
def test_farthest_points_agree_with_the_reference(
    device, monkeypatch, dtype, kind, make_cloud, in_registers, b, n, d, k, start
):
    from mdcv.kernels import farthest_points_gpu as body

    if not in_registers:
        monkeypatch.setattr(body, "IN_REGISTERS", 0)
        monkeypatch.setattr(body, "BLOCK", 32)
        monkeypatch.setattr(body, "WARPS", 1)
    points = make_cloud(kind, (b, n, d), 0, dtype).to(device)
    expected = farthest_points_reference(points, k, start)
    assert body.farthest_points_gpu(points, k, start).equal(expected)


def test_a_cloud_larger_than_the_registers_is_sampled_alike(device, make_cloud):
    from mdcv.kernels.farthest_points_gpu import IN_REGISTERS, farthest_points_gpu

    points = make_cloud("lattice", (1, IN_REGISTERS + 1, 3), 0).to(device)
    assert farthest_points_gpu(points, 12, 5).equal(farthest_points_reference(points, 12, 5))


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("in_registers", [True, False])
def test_infinitely_far_points_are_picked_from_the_lowest_index(device, monkeypatch, in_registers):
    from mdcv.kernels import farthest_points_gpu as body

    if not in_registers:
        monkeypatch.setattr(body, "IN_REGISTERS", 0)
    points = torch.tensor([[[1e30], [-1e30], [-1e30], [3e30]]], device=device)
    expected = farthest_points_reference(points, 4, 0)
    assert body.farthest_points_gpu(points, 4, 0).equal(expected)


@kinds
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, *DTYPES])
@pytest.mark.parametrize(
    ("b", "n", "c", "d", "k", "radius"),
    [
        (1, 1, 3, 3, 2, float("inf")),
        (2, 300, 17, 3, 4, 1.0),
        (1, 130, 5, 1, 200, 0.0),
        (1, 40, 20, 5, 1, 1.5),
        (1, 40, 2, 11, 3, 4.0),
    ],
)
def test_balls_agree_with_the_reference(device, dtype, kind, make_cloud, b, n, c, d, k, radius):
    from mdcv.kernels.ball_query_gpu import ball_query_gpu

    points = make_cloud(kind, (b, n, d), 0, dtype).to(device)
    centers = make_cloud(kind, (b, c, d), 1, dtype).to(device)
    expected = ball_query_reference(points, centers, radius, k)
    limit = squared_limit(radius, dtype)
    assert ball_query_gpu(points, centers, limit, k).equal(expected)


def test_gaps_in_memory_change_neither_picks_nor_balls(device, make_cloud):
    from mdcv.kernels.ball_query_gpu import ball_query_gpu
    from mdcv.kernels.farthest_points_gpu import farthest_points_gpu

    points = make_cloud("normal", (3, 2, 40), 0).to(device).permute(1, 2, 0)[:, ::2]
    centers = make_cloud("normal", (2, 3, 9), 1).to(device).mT
    copies = points.clone(), centers.clone()
    picks = farthest_points_gpu(points, 7, 2)
    assert picks.equal(farthest_points_reference(points.contiguous(), 7, 2))
    found = ball_query_gpu(points, centers, squared_limit(1.0, points.dtype), 5)
    assert found.equal(ball_query_reference(points.contiguous(), centers.contiguous(), 1.0, 5))
    assert points.equal(copies[0]) and centers.equal(copies[1])


@pytest.mark.parametrize("squared", [2.0, 5.0, 6.0])
def test_points_on_the_edge_of_a_ball_count_as_in_the_reference(device, squared):
    from mdcv.kernels.ball_query_gpu import ball_query_gpu

    grid = torch.cartesian_prod(*[torch.arange(-3.0, 4.0)] * 3)[None].to(device)
    center = torch.zeros(1, 1, 3, device=device)
    radius = squared**0.5
    expected = ball_query_reference(grid, center, radius, 400)
    assert ball_query_gpu(grid, center, squared_limit(radius, grid.dtype), 400).equal(expected)
