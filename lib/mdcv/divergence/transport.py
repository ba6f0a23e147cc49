"""Optimal transport on the line, where sorting solves it."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.errors import check_same_kind


def wasserstein_1d(
    x: Float[Tensor, "*batch n"], y: Float[Tensor, "*batch n"], *, p: float | int = 1
) -> Float[Tensor, "*batch"]:
    """p-Wasserstein distance between two samples on the line, one value per row.

    W_p(X, Y) = (mean over i of |x₍ᵢ₎ − y₍ᵢ₎|^p)^(1/p),  x₍₁₎ ≤ x₍₂₎ ≤ … the sorted sample

    On the line the cheapest plan never crosses: the i-th smallest goes to the i-th smallest.

    Args:
        x, y: samples of equal size along the last axis, in the same unit.
        p: the order, at least 1. Large orders approach the largest single move.

    Returns:
        A distance in the samples' unit, and NaN for a row that holds NaN. The gradient is 0 where
        two sorted samples coincide.

    Raises:
        ValueError: the shapes differ, a sample is empty, or p is below 1 or not finite.

    Source: Vallender 1974, "Calculation of the Wasserstein distance between probability
    distributions on the line"; Peyré and Cuturi 2019, arXiv:1803.00567, remark 2.28.

    >>> wasserstein_1d(torch.tensor([0.0, 1.0, 3.0]), torch.tensor([5.0, 6.0, 8.0]))
    tensor(5.)
    """
    _check_samples(x, y)
    if isinstance(p, bool) or not isinstance(p, (int, float)) or not 1 <= p < torch.inf:
        raise ValueError(f"p is {p!r}; expected a finite number >= 1")
    moves = (x.sort(dim=-1).values - y.sort(dim=-1).values).abs()
    if p == 1:
        return moves.mean(dim=-1)
    # Divided by the longest move, no power overflows; where nothing moves, no root is taken.
    longest = moves.detach().amax(dim=-1)
    still = longest == 0
    scale = longest.masked_fill(still, 1)
    mean_power = (moves / scale.unsqueeze(-1)).pow(p).mean(dim=-1)
    return (mean_power.masked_fill(still, 1).pow(1 / p) * scale).masked_fill(still, 0)


def _check_samples(x: Tensor, y: Tensor) -> None:
    for name, value in (("x", x), ("y", y)):
        if not isinstance(value, Tensor) or not value.dtype.is_floating_point:
            kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
            raise ValueError(f"{name} is {kind}; expected a floating-point tensor (..., N)")
        if value.ndim == 0 or value.shape[-1] == 0:
            raise ValueError(
                f"{name} has shape {tuple(value.shape)}; expected at least one sample "
                "along the last axis"
            )
    if x.shape != y.shape:
        raise ValueError(f"y has shape {tuple(y.shape)}; expected {tuple(x.shape)} as x has")
    check_same_kind("y", y, "x", x)
