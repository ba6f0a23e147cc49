"""Assignment on the CPU: shortest augmenting paths, or an auction with a certificate."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.kernels.threads import over_ranges

#: Up to this many points the exact solver is done before an auction has opened.
EXACT_UP_TO = 64


def assignment_cpu(x: Tensor, y: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    """Permutations (B, N) and relative gaps (B,) for x and y (B, N, D), finite, N at least 1."""
    batch, n, _ = x.shape
    permutations = torch.empty((batch, n), dtype=torch.int64)
    gaps = torch.zeros(batch, dtype=torch.float64)

    def solve(low: int, high: int) -> None:
        for b in range(low, high):
            permutations[b], gaps[b] = _solve(x[b].double(), y[b].double(), tolerance)

    over_ranges(solve, batch, operations=10 * batch * n * n)
    return permutations, gaps


def _solve(x: Tensor, y: Tensor, tolerance: float) -> tuple[Tensor, float]:
    if tolerance > 0 and len(x) > EXACT_UP_TO:
        from mdcv.kernels.auction_cpu import auction

        permutation, gap = auction(x.contiguous().numpy(), y.contiguous().numpy(), tolerance)
        if gap <= tolerance:
            return torch.from_numpy(permutation), gap
    return exact_permutation(x, y), 0.0


def exact_permutation(x: Tensor, y: Tensor) -> Tensor:
    """The optimal permutation (N,) of two sets (N, D), by SciPy on costs in float64."""
    from scipy.optimize import linear_sum_assignment

    cost = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    return torch.from_numpy(linear_sum_assignment(cost.numpy())[1])
