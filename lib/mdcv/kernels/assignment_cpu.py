"""Assignment on the CPU: exact by shortest augmenting paths."""

from __future__ import annotations

import torch
from torch import Tensor


def assignment_cpu(x: Tensor, y: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    """Permutations and gaps for every pair of sets in the batch."""
    permutation = torch.empty(x.shape[:2], dtype=torch.int64)
    for b in range(x.shape[0]):
        permutation[b] = exact_permutation(x[b].double(), y[b].double())
    return permutation, torch.zeros(x.shape[0], dtype=torch.float64)


def exact_permutation(x: Tensor, y: Tensor) -> Tensor:
    """The optimal permutation (N,) of two sets (N, D), by SciPy on costs in float64."""
    from scipy.optimize import linear_sum_assignment

    cost = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    return torch.from_numpy(linear_sum_assignment(cost.numpy())[1])
