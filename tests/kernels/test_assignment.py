import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdcv.kernels.arithmetic import squared_distances
from mdcv.kernels.assignment import assignment_reference, solve_assignment
from mdcv.kernels.assignment_cpu import EXACT_UP_TO


def test_the_reference_crosses_no_longer_than_it_must():
    x = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]])
    y = torch.tensor([[[2.0, 1.0], [0.0, 1.0], [1.0, 1.0]]])
    assert assignment_reference(x, y).tolist() == [[1, 2, 0]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_the_exact_body_costs_what_the_best_of_all_bijections_costs(
    device, kind, make_cloud, total_moved, dtype, n
):
    x = make_cloud(kind, (3, n, 3), 0, dtype).to(device)
    y = make_cloud(kind, (3, n, 3), 1, dtype).to(device)
    permutation, gap = solve_assignment(x, y, 0.0)
    assert permutation.sort(dim=1).values.equal(torch.arange(n, device=device).expand(3, n))
    assert not gap.any()
    best = total_moved(x, y, assignment_reference(x.double(), y.double()))
    torch.testing.assert_close(total_moved(x, y, permutation), best, rtol=1e-12, atol=0)


@pytest.mark.parametrize("tolerance", [0.3, 1e-2, 1e-4, 1e-7, 1e-15])
def test_the_auction_keeps_its_promise(device, kind, make_cloud, total_moved, tolerance):
    n = EXACT_UP_TO + 37
    x = make_cloud(kind, (2, n, 3), 0, torch.float64).to(device)
    y = make_cloud(kind, (2, n, 3), 1, torch.float64).to(device)
    permutation, gap = solve_assignment(x, y, tolerance)
    assert permutation.sort(dim=1).values.equal(torch.arange(n, device=device).expand(2, n))
    optimum = total_moved(x, y, solve_assignment(x, y, 0.0)[0])
    excess = total_moved(x, y, permutation) - optimum
    assert (excess <= (gap + 1e-14) * optimum).all()
    assert (gap >= 0).all() and (gap <= tolerance).all()


def test_a_loose_auction_is_not_exact_and_says_so(device, make_cloud, total_moved):
    x, y = (make_cloud("normal", (1, 300, 3), seed).to(device) for seed in (0, 1))
    permutation, gap = solve_assignment(x, y, 0.3)
    optimum = total_moved(x, y, solve_assignment(x, y, 0.0)[0])
    assert optimum < total_moved(x, y, permutation)
    assert 0 < gap <= 0.3


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), spread=st.floats(1e-6, 1e6), grid=st.booleans())
def test_the_certificate_holds_for_pairs_of_any_closeness(
    make_cloud, total_moved, seed, spread, grid
):
    """y is x moved by anything from a trifle to far away, with or without duplicates."""
    x = make_cloud("lattice" if grid else "normal", (1, 80, 3), seed, torch.float64)
    y = x.flip(1) + spread * make_cloud("normal", (1, 80, 3), seed + 1, torch.float64)
    permutation, gap = solve_assignment(x, y, 1e-3)
    optimum = total_moved(x, y, solve_assignment(x, y, 0.0)[0])
    excess = total_moved(x, y, permutation) - optimum
    assert excess <= (gap + 1e-14) * optimum
    assert gap <= 1e-3


def test_equal_sets_are_at_gap_zero_whatever_the_tolerance(device, make_cloud):
    x = make_cloud("normal", (1, 200, 3), 0).to(device)
    permutation, gap = solve_assignment(x, x.flip(1), 0.1)
    assert gap.item() == 0
    assert permutation.tolist() == [list(range(199, -1, -1))]


def test_an_auction_that_gives_up_leaves_it_to_the_exact_solver(monkeypatch, make_cloud):
    from mdcv.kernels import auction_cpu

    monkeypatch.setattr(auction_cpu, "auction", lambda x, y, tolerance: (None, math.inf))
    x, y = make_cloud("normal", (1, 100, 3), 0), make_cloud("normal", (1, 100, 3), 1)
    permutation, gap = solve_assignment(x, y, 0.1)
    assert gap.item() == 0
    assert permutation.equal(solve_assignment(x, y, 0.0)[0])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("side", [0, 1])
def test_what_is_not_finite_is_refused(bad, side):
    sets = [torch.zeros(1, 4, 3), torch.zeros(1, 4, 3)]
    sets[side][0, 1, 1] = bad
    with pytest.raises(ValueError, match=f"{'xy'[side]} holds NaN or infinity"):
        solve_assignment(*sets, 0.0)


@pytest.mark.parametrize("tolerance", [0.0, 0.1])
def test_the_door_is_a_good_citizen_of_torch(device, make_cloud, tolerance):
    x, y = (make_cloud("normal", (2, 70, 3), seed).to(device) for seed in (0, 1))
    torch.library.opcheck(solve_assignment, (x, y, tolerance))


def test_costs_are_distances_not_their_squares():
    """0, 1 → 1, 2.1 off a line: straight 1 + 1.1, crossed 2.1 + 0; squares say the opposite."""
    x = torch.tensor([[[0.0, 0.1], [1.0, 0.0]]])
    y = torch.tensor([[[1.0, 0.0], [2.1, 0.1]]])
    cost = squared_distances(x, y)[0]
    assert cost.diagonal().sum() < cost.flip(1).diagonal().sum()
    assert cost.sqrt().diagonal().sum() > cost.sqrt().flip(1).diagonal().sum()
    assert solve_assignment(x, y, 0.0)[0].tolist() == [[1, 0]]
