"""Optimal transport as a linear program."""

from __future__ import annotations

import ot
import pytest
import torch

from mdcv.divergence import optimal_coupling, wasserstein_1d
from mdcv.points import earth_movers_distance
from mdcv.seeds import generator


def problem(n: int, m: int, dimension: int = 2, seed: int = 0):
    """Weights p and q, and the distances between random points."""
    rng = generator(seed)
    x, y = (torch.randn(k, dimension, generator=rng, dtype=torch.float64) for k in (n, m))
    p, q = (torch.rand(k, generator=rng, dtype=torch.float64) + 0.1 for k in (n, m))
    return p / p.sum(), q / q.sum(), torch.cdist(x, y), x, y


def test_a_known_plan(device):
    """One unit at 0 goes half to 1 and half to 3."""
    at = torch.tensor([0.0, 1.0, 3.0], device=device)
    p, q = torch.tensor([1.0, 0, 0], device=device), torch.tensor([0, 0.5, 0.5], device=device)
    cost, plan, (u, v) = optimal_coupling(p, q, (at[:, None] - at).abs())
    assert cost.item() == pytest.approx(2.0)
    torch.testing.assert_close(plan[0], q)
    assert plan.device.type == u.device.type == v.device.type == device


def test_agrees_with_the_network_simplex_of_pot():
    for n, m in ((5, 7), (11, 8), (30, 30)):
        p, q, cost, *_ = problem(n, m)
        torch.testing.assert_close(optimal_coupling(p, q, cost).cost, ot.emd2(p, q, cost))


def test_the_plan_carries_p_to_q_and_the_prices_prove_that_none_is_cheaper():
    p, q, cost, *_ = problem(13, 9)
    found, plan, (u, v) = optimal_coupling(p, q, cost)
    torch.testing.assert_close(plan.sum(dim=1), p)
    torch.testing.assert_close(plan.sum(dim=0), q)
    assert (plan >= 0).all()
    torch.testing.assert_close(found, (plan * cost).sum())
    slack = cost - u[:, None] - v
    assert (slack > -1e-9).all() and (slack[plan > 1e-9] < 1e-9).all()
    torch.testing.assert_close(p @ u + q @ v, found)


@pytest.mark.parametrize("p", [1, 2])
def test_on_a_line_sorting_gives_the_same(p):
    _, _, _, x, y = problem(17, 17, dimension=1)
    even = torch.full((17,), 1 / 17, dtype=torch.float64)
    cost = optimal_coupling(even, even, (x - y.T).abs() ** p).cost
    torch.testing.assert_close(cost ** (1 / p), wasserstein_1d(x[:, 0], y[:, 0], p=p))


def test_with_equal_weights_it_is_the_earth_movers_distance():
    _, _, cost, x, y = problem(12, 12, dimension=3)
    even = torch.full((12,), 1 / 12, dtype=torch.float64)
    expected = earth_movers_distance(x[None], y[None], reduction="mean")[0]
    torch.testing.assert_close(optimal_coupling(even, even, cost).cost, expected)


def test_gradients_are_the_plan_and_the_prices():
    p, q, cost, *_ = problem(6, 5)
    leaf = cost.clone().requires_grad_()
    found = optimal_coupling(p, q, leaf)
    found.cost.backward()
    torch.testing.assert_close(leaf.grad, found.plan)

    step, direction = 1e-6, torch.tensor([1, -1, 0, 0, 0, 0], dtype=torch.float64)
    leaf = p.clone().requires_grad_()
    optimal_coupling(leaf, q, cost).cost.backward()
    both = [optimal_coupling(p + s * step * direction, q, cost).cost for s in (1, -1)]
    slope = (both[0] - both[1]) / (2 * step)
    torch.testing.assert_close(leaf.grad @ direction, slope, rtol=1e-5, atol=1e-8)


def test_sums_that_differ_by_rounding_are_no_trouble():
    p, q = torch.full((3,), 1 / 3), torch.full((7,), 1 / 7)
    assert p.double().sum() != q.double().sum()
    assert optimal_coupling(p, q, torch.ones(3, 7)).cost.item() == pytest.approx(1.0)


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(
    ("p", "q", "cost", "words"),
    [
        (torch.ones(2), torch.full((2,), 0.5), torch.zeros(2, 2), "p has a row that sums to 2"),
        (torch.full((2,), 0.5), torch.ones(1), torch.zeros(2, 2), r"expected \(N,\), \(M,\)"),
        (torch.ones(1, 1), torch.ones(1), torch.zeros(1, 1), r"expected \(N,\), \(M,\)"),
        (torch.ones(1), torch.ones(1), torch.tensor([[torch.inf]]), "cost holds NaN or infinity"),
        (torch.ones(1), torch.ones(1), torch.zeros(1), r"cost has shape \(1,\)"),
        (torch.ones(1), torch.ones(1).double(), torch.zeros(1, 1), "q has dtype torch.float64"),
    ],
)
def test_bad_input_is_refused(p, q, cost, words):
    with pytest.raises(ValueError, match=words):
        optimal_coupling(p, q, cost)
