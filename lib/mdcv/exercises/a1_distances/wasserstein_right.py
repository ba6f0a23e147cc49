"""Right ways to write `wasserstein_1d`, each written differently."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.exercises.exercise import Right


def _by_norm(x: Tensor, y: Tensor, *, p: float = 1) -> Tensor:
    if x.shape != y.shape or x.shape[-1] == 0 or p < 1:
        raise ValueError(f"{tuple(x.shape)}, {tuple(y.shape)}, p={p}")
    moves = torch.sort(x, dim=-1)[0] - torch.sort(y, dim=-1)[0]
    return torch.linalg.vector_norm(moves, ord=p, dim=-1) / x.shape[-1] ** (1 / p)


def _by_loops(x: Tensor, y: Tensor, *, p: float = 1) -> Tensor:
    """Row by row; the root is not taken where nothing moves."""
    if p < 1:
        raise ValueError("p below 1")
    if x.shape != y.shape:
        raise ValueError("unequal")
    if x.ndim > 1:
        return torch.stack([_by_loops(a, b, p=p) for a, b in zip(x, y, strict=True)])
    if x.numel() == 0:
        raise ValueError("empty")
    pairs = zip(sorted(x, key=float), sorted(y, key=float), strict=True)
    moves = [(a - b).abs() for a, b in pairs]
    if all(float(move) == 0 for move in moves) and p > 1:
        return 0 * sum(moves)
    total = sum(move**p for move in moves) / len(moves)
    return total if p == 1 else total ** (1 / p)


def _by_assignment(x: Tensor, y: Tensor, *, p: float = 1) -> Tensor:
    """The cheapest of all bijections, found without knowing that sorting gives it."""
    from scipy.optimize import linear_sum_assignment

    if not p >= 1 or x.shape != y.shape or not x.shape[-1]:
        raise ValueError("not two samples of one size, or p < 1")
    values = []
    for a, b in zip(x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1]), strict=True):
        cost = (a[:, None] - b[None, :]).detach().abs() ** p
        rows, columns = linear_sum_assignment(cost.double())
        moves = a[rows] - b[columns]
        values.append(torch.linalg.vector_norm(moves, ord=p) / len(moves) ** (1 / p))
    return torch.stack(values).reshape(x.shape[:-1])


def _by_gathering(x: Tensor, y: Tensor, *, p: float = 1) -> Tensor:
    if x.shape != y.shape:
        raise ValueError("shapes")
    if x.shape[-1] < 1:
        raise ValueError("no numbers")
    if p < 1:
        raise ValueError("order")
    ranked = [s.gather(-1, s.argsort(dim=-1, descending=True)) for s in (x, y)]
    powers = (ranked[0] - ranked[1]).abs().pow(p)
    mean = powers.mean(-1)
    still = mean == 0
    safe = torch.where(still, torch.ones_like(mean), mean)
    return torch.where(still, torch.zeros_like(mean), safe ** (1.0 / p))


RIGHT = (
    Right("by the norm", _by_norm),
    Right("by loops", _by_loops),
    Right("by assignment", _by_assignment),
    Right("by gathering", _by_gathering),
)
