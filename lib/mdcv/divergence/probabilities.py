"""The door of every function of categorical distributions: rows of probabilities."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.errors import check_same_kind

#: How far the sum of a row may be from 1. Types with fewer digits than that may be off by one
#: rounding.
SUM_TOLERANCE = 1e-4


def check_probabilities(name: str, value: Tensor) -> None:
    """Refuses anything but rows of probabilities (..., K): floats >= 0 that sum to 1.

    >>> check_probabilities("p", torch.tensor([0.5, 0.6]))
    Traceback (most recent call last):
    ValueError: p has a row that sums to 1.1; expected 1 within 0.0001
    """
    if not isinstance(value, Tensor) or not value.dtype.is_floating_point:
        kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"{name} is {kind}; expected a floating-point tensor (..., K)")
    if value.ndim == 0 or value.shape[-1] == 0:
        raise ValueError(
            f"{name} has shape {tuple(value.shape)}; expected at least one outcome along the "
            "last axis"
        )
    wide = value.detach().to(torch.promote_types(value.dtype, torch.float32))
    tolerance = max(SUM_TOLERANCE, torch.finfo(value.dtype).eps)
    sums = wide.sum(dim=-1)
    # Asked this way round, NaN is refused as well.
    if not bool((wide >= 0).all()):
        bad = wide[~(wide >= 0)].flatten()[0].item()
        raise ValueError(f"{name} holds {bad:.4g}; expected probabilities >= 0")
    if not bool(((sums - 1).abs() <= tolerance).all()):
        bad = sums[~((sums - 1).abs() <= tolerance)].flatten()[0].item()
        raise ValueError(
            f"{name} has a row that sums to {bad:.6g}; expected 1 within {tolerance:g}"
        )


def check_distributions(p: Tensor, q: Tensor) -> None:
    """Refuses two tensors that are not rows of probabilities over the same outcomes.

    >>> check_distributions(torch.full((3, 2), 0.5), torch.full((1, 2), 0.5))
    Traceback (most recent call last):
    ValueError: q has shape (1, 2); expected (3, 2) as p has
    """
    check_probabilities("p", p)
    check_probabilities("q", q)
    if p.shape != q.shape:
        raise ValueError(f"q has shape {tuple(q.shape)}; expected {tuple(p.shape)} as p has")
    check_same_kind("q", q, "p", p)
