"""Exact optimal transport between two weighted sets, by the linear program that defines it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.divergence.probabilities import check_probabilities
from mdcv.errors import check_finite, check_same_kind, check_tensor


class Coupling(NamedTuple):
    """The cheapest way to carry one distribution onto another, and the proof that it is.

    Args:
        cost: what it costs, Σ plan · cost.
        plan: how much goes from i to j (N, M); its rows sum to p, its columns to q.
        potentials: prices u (N,) and v (M,) with u_i + v_j ≤ cost_ij everywhere and equality where
            something is carried. Their worth Σ p u + Σ q v equals the cost, so no plan is cheaper.
    """

    cost: Tensor
    plan: Tensor
    potentials: tuple[Tensor, Tensor]


def optimal_coupling(
    p: Float[Tensor, " n"], q: Float[Tensor, " m"], cost: Float[Tensor, "n m"]
) -> Coupling:
    """The optimal transport plan between two discrete distributions, with its dual prices.

    min over γ ≥ 0 of Σ γ_ij c_ij,  rows of γ sum to p, columns to q

    Solved on the host in float64 by the simplex or interior-point method of HiGHS: exact, and meant
    for up to a few hundred points a side. Two samples of equal size are faster in
    `earth_movers_distance`, two samples on a line in `wasserstein_1d`.

    Args:
        p, q: probabilities of the N sources and the M goals.
        cost: of carrying a unit from each source to each goal; |x_i − y_j| gives the
            1-Wasserstein distance, its p-th power W_p^p.

    Returns:
        Cost, plan and potentials in the dtype and on the device of p. The cost has a gradient:
        the plan with respect to `cost`, the potentials with respect to p and q. Potentials are
        known up to a constant that u gains and v loses.

    Raises:
        ValueError: p or q is not a distribution, a cost is not finite, shapes, dtypes or devices
            do not fit together, or the sums of p and q differ by more than rounding.

    Source: Kantorovich 1942; Peyré and Cuturi 2019, arXiv:1803.00567, equations 2.11 and 2.20.

    >>> at = torch.tensor([0.0, 1.0, 3.0])
    >>> cost = (at[:, None] - at[None, :]).abs()
    >>> optimal_coupling(torch.tensor([1.0, 0, 0]), torch.tensor([0, 0.5, 0.5]), cost).cost
    tensor(2.)
    """
    _check_program(p, q, cost)
    plan, u, v = (value.to(p) for value in _solve(*(_on_host(value) for value in (p, q, cost))))
    # By the envelope theorem: plan and prices stand still while cost, p and q move a little.
    value = (plan * cost).sum() + u @ (p - p.detach()) + v @ (q - q.detach())
    return Coupling(value, plan, (u, v))


def _check_program(p: Tensor, q: Tensor, cost: Tensor) -> None:
    check_probabilities("p", p)
    check_probabilities("q", q)
    check_tensor("cost", cost, ndim=2, layout="(N, M)")
    if p.ndim != 1 or q.ndim != 1 or cost.shape != (len(p), len(q)):
        raise ValueError(
            f"p has shape {tuple(p.shape)}, q {tuple(q.shape)}, cost {tuple(cost.shape)}; "
            "expected (N,), (M,) and (N, M)"
        )
    check_same_kind("q", q, "p", p)
    check_same_kind("cost", cost, "p", p)
    check_finite("cost", cost)


def _on_host(value: Tensor) -> Tensor:
    return value.detach().to("cpu", torch.float64)


def _solve(p: Tensor, q: Tensor, cost: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Plan and prices of the linear program. Rows and columns carry the same total, p's."""
    import numpy as np
    from scipy.optimize import linprog
    from scipy.sparse import identity, kron, vstack

    n, m = cost.shape
    rows = kron(identity(n), np.ones((1, m)))
    columns = kron(np.ones((1, n)), identity(m))
    totals = torch.cat([p / p.sum(), q / q.sum()]).numpy()
    solved = linprog(cost.flatten().numpy(), A_eq=vstack([rows, columns]).tocsr(), b_eq=totals)
    if not solved.success:
        raise RuntimeError(f"the linear program was not solved: {solved.message}")
    prices = torch.from_numpy(solved.eqlin.marginals)
    return torch.from_numpy(solved.x).view(n, m), prices[:n], prices[n:]
