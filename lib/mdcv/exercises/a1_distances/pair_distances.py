"""Distances between paired rows, right and wrong ones, for the variants of both losses."""

from __future__ import annotations

import torch
from torch import Tensor


def distance(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean, with a gradient of zero where two rows coincide."""
    return torch.linalg.vector_norm(a - b, dim=1)


def squared(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).square().sum(dim=1)


def own_root(a: Tensor, b: Tensor) -> Tensor:
    """Its gradient is NaN where two rows coincide."""
    return squared(a, b).sqrt()


def expanded(a: Tensor, b: Tensor) -> Tensor:
    """The root of |a|² − 2ab + |b|², which cancels far from the origin."""
    total = a.square().sum(1) - 2 * (a * b).sum(1) + b.square().sum(1)
    return torch.where(total > 1e-12, total.clamp(min=1e-12), 0 * total + 1e-14).sqrt()


def manhattan(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().sum(dim=1)


def largest_coordinate(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().amax(dim=1)


def over_coordinates(a: Tensor, b: Tensor) -> Tensor:
    """The root of a mean of squares."""
    return distance(a, b) / a.shape[1] ** 0.5


def cosine(a: Tensor, b: Tensor) -> Tensor:
    return 1 - torch.nn.functional.cosine_similarity(a, b)
