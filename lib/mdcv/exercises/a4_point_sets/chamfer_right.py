"""Right ways to write `chamfer_distance`, each written differently."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.exercises.exercise import Right
from mdcv.points.norms import zero_safe_root


def _by_broadcasting(
    x: Tensor, y: Tensor, *, squared: bool = True, reduction: str = "sum", one_sided: bool = False
) -> Tensor:
    if reduction not in ("sum", "mean"):
        raise ValueError(f"reduction {reduction} is neither sum nor mean")
    if x.ndim != 3 or y.ndim != 3 or x.shape[0] != y.shape[0] or x.shape[2] != y.shape[2]:
        raise ValueError(f"expected (b, n, d) and (b, m, d), not {x.shape} and {y.shape}")
    if x.shape[1] == 0 or y.shape[1] == 0:
        raise ValueError("empty point set")
    difference = x.unsqueeze(2) - y.unsqueeze(1)
    table = (difference**2).sum(-1) if squared else difference.norm(dim=-1)
    reduce = torch.sum if reduction == "sum" else torch.mean
    total = reduce(table.min(dim=2).values, dim=1)
    return total if one_sided else total + reduce(table.min(dim=1).values, dim=1)


def _by_loops(x, y, *, squared=True, reduction="sum", one_sided=False):
    if len(x.shape) != 3 or len(y.shape) != 3:
        raise ValueError("three axes, please")
    if len(x) != len(y):
        raise ValueError("as many x as y, please")
    if x.shape[-1] != y.shape[-1]:
        raise ValueError("points of one dimension, please")
    if reduction != "sum" and reduction != "mean":
        raise ValueError("sum or mean, please")

    def one_way(start, goal):
        if len(start) == 0 or len(goal) == 0:
            raise ValueError("no points")
        total = 0.0
        for p in start:
            nearest = torch.stack([((p - q) ** 2).sum() for q in goal]).min()
            total = total + (nearest if squared else zero_safe_root(nearest))
        return total / len(start) if reduction == "mean" else total

    values = [
        one_way(a, b) if one_sided else one_way(a, b) + one_way(b, a)
        for a, b in zip(x, y, strict=True)
    ]
    return torch.stack(values)


def _by_indices(
    x: Tensor, y: Tensor, *, squared: bool = True, reduction: str = "sum", one_sided: bool = False
) -> Tensor:
    """Searches without a graph, then measures the found pairs with one."""
    if {"sum": 0, "mean": 0}.get(reduction) is None:
        raise ValueError("unknown reduction")
    if x.ndim + y.ndim != 6 or x.shape[::2] != y.shape[::2] or 0 in (x.shape[1], y.shape[1]):
        raise ValueError("bad shapes")
    with torch.no_grad():
        table = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
        to_y, to_x = table.argmin(dim=2), table.argmin(dim=1)

    def measure(start: Tensor, goal: Tensor, index: Tensor) -> Tensor:
        found = goal.gather(1, index[..., None].expand(-1, -1, goal.shape[2]))
        gap = start - found
        each = gap.pow(2).sum(2) if squared else torch.linalg.vector_norm(gap, dim=2)
        return getattr(each, reduction)(1)

    forth = measure(x, y, to_y)
    return forth if one_sided else forth + measure(y, x, to_x)


RIGHT = (
    Right("by broadcasting", _by_broadcasting),
    Right("by loops", _by_loops),
    Right("by indices", _by_indices),
)
