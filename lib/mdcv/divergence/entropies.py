"""Entropy and cross-entropy: how surprised one is on average, by one's own model or another's."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mdcv.divergence.probabilities import check_distributions, check_probabilities
from mdcv.kernels.arithmetic import widened


def entropy(p: Float[Tensor, "*batch k"]) -> Float[Tensor, "*batch"]:
    """Entropy of categorical distributions, one value per row, in nats.

    H(p) = −Σ p log p,  with 0 log 0 = 0

    Args:
        p: probabilities along the last axis.

    Returns:
        Between 0, when one outcome is certain, and log K, when all are equally likely. The slope is
        infinite at p = 0; the gradient holds 0 there, so that it stays finite through a softmax.

    Raises:
        ValueError: a row does not sum to 1 within 1e-4, or holds a negative number or NaN.

    Source: Shannon 1948, "A mathematical theory of communication", section 6 (base 2 there).

    >>> entropy(torch.tensor([[0.5, 0.5], [1.0, 0.0]]))
    tensor([0.6931, 0.0000])
    """
    check_probabilities("p", p)
    wide = widened(p)
    return (0 - (wide * log_where(wide, wide > 0)).sum(dim=-1)).to(p.dtype)  # 0, never -0


def cross_entropy(
    p: Float[Tensor, "*batch k"], q: Float[Tensor, "*batch k"]
) -> Float[Tensor, "*batch"]:
    """Cross-entropy of q relative to p, one value per row, in nats.

    H(p, q) = −Σ p log q,  with 0 log 0 = 0

    The mean surprise of someone who believes in q while p rolls the dice.

    Args:
        p, q: probabilities of the same outcomes along the last axis.

    Returns:
        At least H(p); infinite where q rules out something that p produces.

    Raises:
        ValueError: a row does not sum to 1 within 1e-4, or holds a negative number or NaN; shapes,
            dtypes or devices differ.

    >>> cross_entropy(torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75]))
    tensor(0.8370)
    """
    check_distributions(p, q)
    wide_p, wide_q = widened(p), widened(q)
    log_q = log_where(wide_q, (wide_p > 0) | (wide_q > 0))
    return (0 - (wide_p * log_q).sum(dim=-1)).to(p.dtype)


def log_where(
    x: Float[Tensor, "*shape"], counts: Bool[Tensor, "*shape"]
) -> Float[Tensor, "*shape"]:
    """log x where it counts, and elsewhere 0 with a gradient of 0.

    The inner `where` keeps the logarithm away from 0, so that no 0 · ∞ arises on the way back.
    """
    return torch.where(counts, torch.where(counts, x, 1.0).log(), 0.0)
