"""Assignment on a GPU: an auction with a certificate, and the host for what it cannot prove."""

from __future__ import annotations

import torch
from torch import Tensor


def assignment_gpu(x: Tensor, y: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    """Permutations (B, N) and relative gaps (B,) for x and y (B, N, D), finite, N at least 1.

    The host waits for the device once per auction, to see which gaps are within the tolerance.
    Tolerance 0 asks for the exact solver, which there is on the host only.
    """
    permutations = torch.empty(x.shape[:2], dtype=torch.int64, device=x.device)
    gaps = torch.full(x.shape[:1], torch.inf, dtype=torch.float64, device=x.device)
    # Bids in float32 are cheaper, but far points can round more than the near ones cost.
    precisions = [torch.float64] if x.dtype == torch.float64 else [torch.float32, torch.float64]
    for precision in precisions if tolerance > 0 else []:
        unproven = torch.nonzero(gaps > tolerance).flatten()
        if len(unproven):
            from mdcv.kernels.auction_gpu import auction_gpu

            found = auction_gpu(x[unproven], y[unproven], tolerance, precision)
            permutations[unproven], gaps[unproven] = found
    unproven = torch.nonzero(gaps > tolerance).flatten()
    if len(unproven):
        from mdcv.kernels.assignment_cpu import assignment_cpu

        found = assignment_cpu(x[unproven].cpu(), y[unproven].cpu(), 0.0)
        permutations[unproven], gaps[unproven] = (part.to(x.device) for part in found)
    return permutations, gaps
