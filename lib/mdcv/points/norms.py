"""Euclidean lengths whose gradient is zero, not NaN, where the length is zero."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def zero_safe_root(squared: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """√squared, with all derivatives zero where it is zero.

    The inner `where` keeps the root away from zero, so that no ∞ · 0 arises in the backward pass
    or in the one after it.

    >>> squared = torch.tensor([4.0, 0.0], requires_grad=True)
    >>> zero_safe_root(squared).sum().backward()
    >>> squared.grad
    tensor([0.2500, 0.0000])
    """
    at_zero = squared == 0
    return torch.where(at_zero, 0.0, torch.where(at_zero, 1.0, squared).sqrt())
