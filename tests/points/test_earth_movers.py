import itertools
from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ot import emd2  # codespell:ignore ot
from scipy.optimize import linear_sum_assignment

from mdcv.points import earth_movers_assignment, earth_movers_distance, pairwise_distances


def optimum(x, y):
    """The least sum, by SciPy's solver, set by set."""
    tables = pairwise_distances(x.double(), y.double()).cpu()
    return torch.stack([table[linear_sum_assignment(table)].sum() for table in tables])


def test_a_bijection_may_not_use_a_target_twice():
    """Both points of x are nearest to 1; one must go to 5 all the same."""
    x = torch.tensor([[[0.0], [2.0]]])
    y = torch.tensor([[[1.0], [5.0]]])
    assert earth_movers_distance(x, y).tolist() == [4.0]
    assert earth_movers_distance(x, y, reduction="mean").tolist() == [2.0]
    cost, permutation, gap = earth_movers_assignment(x, y)
    assert (cost.tolist(), permutation.tolist(), gap.tolist()) == ([4.0], [[0, 1]], [0.0])


def test_each_point_goes_where_the_permutation_says(cloud):
    x = cloud(2, 9, 3, seed=0)
    order = torch.tensor([[3, 1, 4, 0, 8, 2, 6, 5, 7], [8, 7, 6, 5, 4, 3, 2, 1, 0]])
    # x_i stands again at y[order[i]], a little off.
    y = torch.empty_like(x)
    y.scatter_(1, order[..., None].expand(-1, -1, 3), x + 1e-3)
    assert earth_movers_assignment(x, y).permutation.equal(order)


def test_agrees_with_all_bijections(device, cloud):
    x = cloud(4, 6, 2, seed=0, dtype=torch.float64).to(device)
    y = cloud(4, 6, 2, seed=1, dtype=torch.float64).to(device)
    table = pairwise_distances(x, y)
    totals = [table[:, range(6), list(p)].sum(dim=1) for p in itertools.permutations(range(6))]
    torch.testing.assert_close(earth_movers_distance(x, y), torch.stack(totals).amin(dim=0))


def test_agrees_with_optimal_transport(cloud):
    x, y = (
        cloud(1, 60, 3, seed=0, dtype=torch.float64),
        cloud(1, 60, 3, seed=1, dtype=torch.float64),
    )
    transport = emd2([], [], pairwise_distances(x, y)[0].numpy())
    found = earth_movers_distance(x, y, reduction="mean").item()
    assert found == pytest.approx(transport, rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(
    b=st.integers(1, 2),
    n=st.integers(1, 90),
    d=st.integers(1, 4),
    seed=st.integers(0, 99),
    rounded=st.booleans(),
    tolerance=st.sampled_from([0.0, 1e-6, 1e-2, 0.5]),
)
def test_cost_gap_and_permutation_keep_their_promises(cloud, b, n, d, seed, rounded, tolerance):
    x, y = (
        cloud(b, n, d, seed=seed, dtype=torch.float64),
        cloud(b, n, d, seed=seed + 1, dtype=torch.float64),
    )
    if rounded:
        x, y = x.round(), y.round()
    cost, permutation, gap = earth_movers_assignment(x, y, tolerance=tolerance)
    least = optimum(x, y)
    assert permutation.sort(dim=1).values.equal(torch.arange(n).expand(b, n))
    partners = torch.take_along_dim(y, permutation[..., None], dim=1)
    torch.testing.assert_close(cost, (x - partners).norm(dim=-1).sum(dim=1))
    assert (gap >= 0).all() and (gap <= tolerance).all()
    assert (cost - least <= gap * least + 1e-12 * n).all()
    distance = earth_movers_distance(x, y, tolerance=tolerance)
    torch.testing.assert_close(distance, cost)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_the_gap_keeps_its_promise_in_narrow_dtypes(cloud, dtype):
    x, y = cloud(1, 200, 3, seed=0, dtype=dtype), cloud(1, 200, 3, seed=1, dtype=dtype)
    for tolerance in (0.05, 0.01, 1e-3):
        cost, permutation, gap = earth_movers_assignment(x, y, tolerance=tolerance)
        assert cost.dtype == gap.dtype == dtype
        assert gap <= tolerance
        partners = torch.take_along_dim(y.double(), permutation[..., None], dim=1)
        total = (x.double() - partners).norm(dim=-1).sum()
        least = optimum(x, y)[0]
        assert total - least <= gap.double() * least + 1e-9
        torch.testing.assert_close(cost.double(), total[None], rtol=torch.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@settings(max_examples=30, deadline=None)
@given(tolerance=st.floats(1e-3, 1.0))
def test_a_gap_is_rounded_up_but_not_past_the_tolerance(dtype, tolerance):
    """With a solver that goes as far as it may."""
    asked = []

    def solve(x, y, limit):
        asked.append(limit)
        return torch.arange(2).expand(1, 2), torch.tensor([limit], dtype=torch.float64)

    x = torch.zeros(1, 2, 3, dtype=dtype)
    with mock.patch("mdcv.points.earth_movers.solve_assignment", solve):
        gap = earth_movers_assignment(x, x, tolerance=tolerance).gap
    assert asked[0] <= gap.item() <= tolerance


def test_one_dimension_is_solved_by_sorting(cloud):
    x, y = (
        cloud(3, 100, 1, seed=0, dtype=torch.float64),
        cloud(3, 100, 1, seed=1, dtype=torch.float64),
    )
    sorted_cost = (x.sort(dim=1).values - y.sort(dim=1).values).abs().sum(dim=(1, 2))
    torch.testing.assert_close(earth_movers_distance(x, y), sorted_cost)


def test_is_a_metric_and_at_least_the_distance_of_the_means(cloud):
    x, y, z = (cloud(10, 12, 3, seed=s, dtype=torch.float64) for s in range(3))
    xy, yz, xz = (earth_movers_distance(*pair) for pair in ((x, y), (y, z), (x, z)))
    assert (xy + yz >= xz - 1e-12).all()
    torch.testing.assert_close(xy, earth_movers_distance(y, x))
    assert earth_movers_distance(x, x.flip(1)).tolist() == [0.0] * 10
    means = (x.mean(dim=1) - y.mean(dim=1)).norm(dim=-1)
    assert (earth_movers_distance(x, y, reduction="mean") >= means).all()
    moved = earth_movers_distance(x, x.flip(1) + torch.tensor([3.0, 0.0, 4.0]), reduction="mean")
    torch.testing.assert_close(moved, torch.full((10,), 5.0, dtype=torch.float64))


def test_gradients_are_exact_and_unit_vectors(cloud):
    x = cloud(2, 5, 3, seed=0, dtype=torch.float64).requires_grad_()
    y = cloud(2, 5, 3, seed=1, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(earth_movers_distance, (x, y))
    assert torch.autograd.gradgradcheck(earth_movers_distance, (x, y))
    earth_movers_distance(x, y).sum().backward()
    torch.testing.assert_close(x.grad.norm(dim=-1), torch.ones(2, 5, dtype=torch.float64))


def test_gradients_are_zero_where_partners_coincide(cloud):
    x = cloud(1, 6, 3, seed=0, dtype=torch.float64).requires_grad_()
    distance = earth_movers_distance(x, x.detach().flip(1))
    (first,) = torch.autograd.grad(distance.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    assert not first.any() and not second.any()


@pytest.mark.parametrize("tolerance", [0.0, 1e-3])
def test_is_accurate_far_from_the_origin(far_clouds, tolerance):
    x, y, near_x, near_y = far_clouds(100, 100)
    expected = earth_movers_distance(near_x, near_y).float()
    found = earth_movers_distance(x, y, tolerance=tolerance)
    torch.testing.assert_close(found, expected, rtol=max(1e-6, tolerance), atol=0)


def test_an_empty_batch_and_a_whole_number_as_tolerance():
    none = torch.zeros(0, 4, 3)
    cost, permutation, gap = earth_movers_assignment(none, none)
    assert (cost.shape, permutation.shape, gap.shape) == ((0,), (0, 4), (0,))
    assert (
        earth_movers_distance(torch.zeros(1, 2, 3), torch.zeros(1, 2, 3), tolerance=0).item() == 0
    )


def test_sets_of_unequal_size_are_refused_with_both_numbers(at_the_door):
    with pytest.raises(ValueError, match="5 and 7 points"):
        earth_movers_distance(torch.zeros(1, 5, 3), torch.zeros(1, 7, 3))


def test_empty_sets_are_refused():
    with pytest.raises(ValueError, match="empty set"):
        earth_movers_distance(torch.zeros(1, 0, 3), torch.zeros(1, 0, 3))


@pytest.mark.parametrize("tolerance", [-0.1, float("nan"), float("inf"), "0", None, True])
def test_a_tolerance_that_is_none_is_refused(at_the_door, tolerance):
    with pytest.raises(ValueError, match=r"tolerance is .*expected a finite number >= 0"):
        earth_movers_assignment(torch.zeros(1, 1, 3), torch.zeros(1, 1, 3), tolerance=tolerance)


def test_an_unknown_reduction_is_refused(at_the_door):
    with pytest.raises(ValueError, match="reduction is 'none'"):
        earth_movers_distance(torch.zeros(1, 1, 3), torch.zeros(1, 1, 3), reduction="none")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_nan_and_infinity_are_refused(cloud, bad):
    x, y = cloud(2, 4, 3, seed=0), cloud(2, 4, 3, seed=1)
    y[1, 2, 0] = bad
    with pytest.raises(ValueError, match="y holds NaN or infinity"):
        earth_movers_distance(x, y)


def test_sets_that_do_not_go_together_are_refused(mismatch, at_the_door):
    x, y, message = mismatch
    with pytest.raises(ValueError, match=message):
        earth_movers_distance(x, y)
