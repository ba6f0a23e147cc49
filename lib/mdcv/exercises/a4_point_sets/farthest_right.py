"""Right ways to write `farthest_point_sample`, each written differently."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mdcv.exercises.exercise import Right


def _by_recomputing(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    """Asks for the distances to all picks anew in each round."""
    if points.ndim != 3 or points.isnan().any():
        raise ValueError("expected (B, N, D) without NaN")
    if k < 1 or k > points.shape[1] or start not in range(points.shape[1]):
        raise ValueError(f"k={k} or start={start} is out of range")
    picks = torch.full((len(points), 1), start)
    for _ in range(k - 1):
        chosen = points.gather(1, picks[:, :, None].expand(-1, -1, points.shape[2]))
        gaps = (points[:, :, None] - chosen[:, None]).square().sum(3).amin(2)
        gaps = gaps.scatter(1, picks, -1.0)
        picks = torch.cat([picks, gaps.argmax(1, keepdim=True)], dim=1)
    return picks


def _by_loops(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    if len(points.shape) != 3:
        raise ValueError("three axes, please")
    n = points.shape[1]
    if not (0 < k <= n and 0 <= start < n):
        raise ValueError("k or start is out of range")
    if torch.isnan(points).sum() > 0:
        raise ValueError("NaN")

    def gap(p: list[float], q: list[float]) -> float:
        return sum((a - b) ** 2 for a, b in zip(p, q, strict=True))

    result = []
    for cloud in points.double().tolist():
        picks = [start]
        while len(picks) < k:
            free = [i for i in range(n) if i not in picks]
            picks.append(max(free, key=lambda i: min(gap(cloud[i], cloud[p]) for p in picks)))
        result.append(picks)
    return torch.tensor(result)


def _by_numpy(points: Tensor, k: int, *, start: int = 0) -> Tensor:
    cloud = points.detach().numpy()
    if cloud.ndim != 3 or np.isnan(cloud).any():
        raise ValueError(f"shape {cloud.shape}")
    if not 1 <= k <= cloud.shape[1]:
        raise ValueError(f"k={k}")
    if not 0 <= start <= cloud.shape[1] - 1:
        raise ValueError(f"start={start}")
    picks = np.empty((len(cloud), k), dtype=np.int64)
    for b, one in enumerate(cloud):
        nearest = np.full(len(one), np.inf)
        index = start
        for round_ in range(k):
            picks[b, round_] = index
            nearest = np.minimum(nearest, np.linalg.norm(one - one[index], axis=1))
            nearest[index] = -np.inf
            index = int(nearest.argmax())
    return torch.from_numpy(picks)


RIGHT = (
    Right("by recomputing", _by_recomputing),
    Right("by loops", _by_loops),
    Right("by NumPy", _by_numpy),
)
