import math

import pytest
import torch

from mdcv.points import ball_query


def test_the_first_in_index_order_not_the_nearest():
    points = torch.tensor([[[2.0], [0.5], [9.0], [0.0], [1.0]]])
    found = ball_query(points, torch.tensor([[[0.0], [20.0]]]), 2.0, 3)
    assert found.tolist() == [[[0, 1, 3], [-1, -1, -1]]]
    assert ball_query(points, torch.tensor([[[0.0]]]), 1.5, 4).tolist() == [[[1, 3, 4, -1]]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("point", "radius"),
    [
        ((0.1, 0, 0), 0.1),
        ((0.3, 0.4, 0), 0.5),
        ((0.6, 0, 0.8), 1.0),
        ((2, 3, 6), 7),
        ((0, 0, 0), 0.0),
    ],
)
def test_a_distance_equal_to_the_radius_counts(device, dtype, point, radius):
    points = torch.tensor([[point]], dtype=dtype, device=device)
    centers = torch.zeros(1, 1, 3, dtype=dtype, device=device)
    assert ball_query(points, centers, radius, 1).tolist() == [[[0]]]
    if radius > 0:
        assert ball_query(points, centers, radius * 0.98, 1).tolist() == [[[-1]]]


def test_agrees_with_the_table_of_distances(device, cloud):
    points = cloud(2, 300, 3, seed=0, dtype=torch.float64).to(device)
    centers = cloud(2, 20, 3, seed=1, dtype=torch.float64).to(device)
    found = ball_query(points, centers, 0.8, 12)
    inside = torch.cdist(centers, points) <= 0.8
    for b in range(2):
        for c in range(20):
            expected = inside[b, c].nonzero()[:12, 0].tolist()
            assert found[b, c].tolist() == expected + [-1] * (12 - len(expected))


def test_far_from_the_origin_the_neighborhoods_are_the_same(far_clouds):
    x, y, near_x, near_y = far_clouds(300, 40)
    assert ball_query(x, y, 0.01, 50).equal(ball_query(near_x.float(), near_y.float(), 0.01, 50))


def test_infinity_takes_all_and_duplicates_are_separate_points():
    points = torch.ones(1, 5, 3)
    assert ball_query(points, torch.zeros(1, 1, 3), math.inf, 6).tolist() == [[[0, 1, 2, 3, 4, -1]]]


def test_empty_sets_have_empty_neighborhoods():
    some, none = torch.zeros(2, 3, 3), torch.zeros(2, 0, 3)
    assert ball_query(none, some, 1.0, 2).tolist() == [[[-1, -1]] * 3] * 2
    assert ball_query(some, none, 1.0, 2).shape == (2, 0, 2)
    assert ball_query(some[:0], some[:0], 1.0, 2).shape == (0, 3, 2)


def test_memory_with_gaps_and_a_gradient_tape(cloud):
    points = cloud(3, 2, 80, seed=0).permute(1, 2, 0)[:, ::2]
    centers = cloud(2, 9, 3, seed=1).flip(1)
    expected = ball_query(points.clone(memory_format=torch.contiguous_format), centers, 1.0, 5)
    assert ball_query(points, centers, 1.0, 5).equal(expected)
    assert ball_query(points.clone().requires_grad_(), centers, 1.0, 5).equal(expected)


@pytest.mark.parametrize("radius", [-1.0, float("nan"), None, "1", True])
def test_a_radius_that_is_none_is_refused(at_the_door, radius):
    with pytest.raises(ValueError, match=r"radius is .*expected a number >= 0"):
        ball_query(torch.zeros(1, 4, 3), torch.zeros(1, 1, 3), radius, 2)


@pytest.mark.parametrize("k", [0, -1, 2.0, None])
def test_k_below_one_is_refused(at_the_door, k):
    with pytest.raises(ValueError, match=r"k is .*expected an integer >= 1"):
        ball_query(torch.zeros(1, 4, 3), torch.zeros(1, 1, 3), 1.0, k)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("side", [0, 1])
def test_nan_and_infinity_are_refused(cloud, bad, side):
    sets = [cloud(2, 4, 3, seed=0), cloud(2, 4, 3, seed=1)]
    sets[side][1, 2, 0] = bad
    with pytest.raises(ValueError, match=f"{('points', 'centers')[side]} holds NaN or infinity"):
        ball_query(*sets, 1.0, 2)


def test_sets_that_do_not_go_together_are_refused(mismatch, at_the_door):
    points, centers, message = mismatch
    with pytest.raises(ValueError, match=message):
        ball_query(points, centers, 1.0, 2)
