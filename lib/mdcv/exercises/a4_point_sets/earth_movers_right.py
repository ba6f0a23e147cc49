"""Right ways to write `earth_movers_distance`, each written differently."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mdcv.exercises.a4_point_sets.tables import distances
from mdcv.exercises.exercise import Right


def _by_scipy(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    from scipy.optimize import linear_sum_assignment

    if reduction not in ("sum", "mean"):
        raise ValueError(f"reduction is {reduction!r}")
    if x.ndim != 3 or x.shape != y.shape or x.shape[1] == 0:
        raise ValueError(f"no bijection between {tuple(x.shape)} and {tuple(y.shape)}")
    values = []
    for a, b in zip(x, y, strict=True):
        cost = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
        rows, columns = linear_sum_assignment(cost.detach().numpy())
        matched = cost[torch.as_tensor(rows), torch.as_tensor(columns)]
        values.append(getattr(matched, reduction)())
    return torch.stack(values)


def _by_hungarian(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    """Shortest augmenting paths with potentials, in plain Python."""
    if reduction != "sum" and reduction != "mean":
        raise ValueError("unknown reduction")
    if len(x.shape) != 3 or len(y.shape) != 3 or list(x.shape) != list(y.shape):
        raise ValueError("shapes differ")
    n = x.shape[1]
    if n < 1 or bool(torch.isnan(x).any() | torch.isnan(y).any()):
        raise ValueError("empty set or NaN")
    partners = torch.tensor([_augment(cost.tolist()) for cost in distances(x, y).detach()])
    found = torch.gather(y, 1, partners[:, :, None].expand_as(y))
    total = torch.linalg.vector_norm(x - found, dim=2).sum(1)
    return total / n if reduction == "mean" else total


def _augment(cost: list[list[float]]) -> list[int]:
    n = len(cost)
    row_price, column_price = [0.0] * (n + 1), [0.0] * (n + 1)
    row_of = [n] * (n + 1)
    for row in range(n):
        row_of[n], column = row, n
        slack, came_from, done = [float("inf")] * n, [n] * n, [False] * (n + 1)
        while row_of[column] != n:
            done[column] = True
            here = row_of[column]
            for j in range(n):
                reduced = cost[here][j] - row_price[here] - column_price[j]
                if not done[j] and reduced < slack[j]:
                    slack[j], came_from[j] = reduced, column
            following = min((j for j in range(n) if not done[j]), key=slack.__getitem__)
            step = slack[following]
            for j in range(n + 1):
                if done[j]:
                    row_price[row_of[j]] += step
                    column_price[j] -= step
                elif j < n:
                    slack[j] -= step
            column = following
        while column != n:
            row_of[column], column = row_of[came_from[column]], came_from[column]
    return [row_of[:n].index(row) for row in range(n)]


def _by_linear_program(x: Tensor, y: Tensor, *, reduction: str = "sum") -> Tensor:
    """The least cost over doubly stochastic plans, whose corners are the bijections."""
    from scipy.optimize import linprog
    from scipy.sparse import eye, kron

    if {"sum", "mean"}.isdisjoint({reduction}):
        raise ValueError("sum or mean")
    if x.dim() != 3 or x.size() != y.size() or not x.shape[1]:
        raise ValueError(f"{x.size()} and {y.size()}")
    n = x.shape[1]
    ones = np.ones((1, n))
    margins = [kron(eye(n), ones), kron(ones, eye(n))]
    table = distances(x, y)
    if table.isnan().any():
        raise ValueError("NaN")
    plans = []
    for cost in table.detach().double().numpy():
        from scipy.sparse import vstack

        found = linprog(cost.ravel(), A_eq=vstack(margins), b_eq=np.ones(2 * n), method="highs-ds")
        plans.append(torch.as_tensor(found.x.reshape(n, n).round()))
    matched = (table * torch.stack(plans).to(table)).sum(2)
    return matched.sum(1) if reduction == "sum" else matched.mean(1)


RIGHT = (
    Right("by SciPy", _by_scipy),
    Right("by augmenting paths", _by_hungarian),
    Right("by linear programming", _by_linear_program),
)
