"""The bijection between two equal-sized point sets that moves them the shortest way in total."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from mdcv.kernels.arithmetic import refuse_infinite, squared_distances


def assignment_reference(x: Tensor, y: Tensor) -> Tensor:
    """Tries every bijection; x and y (B, N, D). Returns permutations (B, N): x_i goes to y[p_i].

    For N up to eight or so: there are N! of them.
    """
    n = x.shape[1]
    bijections = torch.tensor(list(itertools.permutations(range(n))), device=x.device)
    cost = squared_distances(x, y).sqrt()
    totals = cost[:, torch.arange(n, device=x.device), bijections].sum(dim=-1)
    return bijections[totals.argmin(dim=1)]


@torch.library.custom_op("mdcv::assignment", mutates_args=())
def solve_assignment(x: Tensor, y: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    """Permutations (B, N) and their certified relative gaps (B,), float64.

    Gap 0 says that the solver was exact. Otherwise gap >= (cost - optimum) / optimum, proven by
    dual prices, and gap <= tolerance. The exact solver is on the CPU: from a GPU the points are
    copied to the host, solved there while the device waits, and the results are copied back.
    """
    refuse_infinite("x", x)
    refuse_infinite("y", y)
    if x.device.type == "cuda":
        from mdcv.kernels.assignment_gpu import assignment_gpu

        return assignment_gpu(x, y, tolerance)
    from mdcv.kernels.assignment_cpu import assignment_cpu

    permutation, gap = assignment_cpu(x.cpu(), y.cpu(), tolerance)
    return permutation.to(x.device), gap.to(x.device)


@solve_assignment.register_fake
def _(x: Tensor, y: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    return (
        x.new_empty(x.shape[:2], dtype=torch.int64),
        x.new_empty(x.shape[:1], dtype=torch.float64),
    )
