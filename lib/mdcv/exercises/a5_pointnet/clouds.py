"""Clouds to ask a network about: reordered, stretched, pressed flat, with more points between."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.exercises.cases import Draw


def clouds(draw: Draw, batch: int, n: int, dimension: int = 3) -> Tensor:
    """Clouds of different widths, float32: no two of them look alike, and none is centered."""
    wide = 0.4 + 0.8 * draw.uniform(batch, 1, dimension)
    shift = 0.5 * draw.tensor(batch, 1, dimension)
    return (wide * draw.tensor(batch, n, dimension) + shift).float()


def reordered(draw: Draw, points: Tensor) -> Tensor:
    """The same clouds with their points in other orders, and the last point first."""
    n = points.shape[1]
    orders = [[n - 1, *[i for i in draw.order(n) if i < n - 1]] for _ in points]
    return torch.stack([cloud[order] for cloud, order in zip(points, orders, strict=True)])


def segments(draw: Draw, count: int, dimension: int = 3) -> tuple[Tensor, Tensor]:
    """Clouds of two points, and the same with more points on the way from one to the other.

    An affine map has its largest values at the ends; one that bends has some of them between, in
    some feature, on some of many ways.
    """
    ends = (1.5 * draw.tensor(count, 2, dimension)).float()
    share = torch.linspace(0, 1, 17)[:, None]
    return ends, ends[:, :1] * (1 - share) + ends[:, 1:] * share


def cornered(points: Tensor) -> Tensor:
    """The clouds with two points more, far out, where no coordinate has its maximum."""
    low = points.amin(1, keepdim=True) - 1.5
    high = points.amax(1, keepdim=True)
    mixed = low.clone()
    mixed[..., 0] = high[..., 0]
    return torch.cat([points, low, mixed], dim=1)


def spread(points: Tensor) -> Tensor:
    """The clouds twice as wide about the same centers."""
    return 2 * points - points.mean(1, keepdim=True)


def flattened(points: Tensor) -> Tensor:
    """The first cloud, once for each of its coordinates, with that coordinate the same throughout.

    (D, N, D): who answers one of them like the cloud itself does not look at that coordinate.
    """
    dimension = points.shape[-1]
    copies = points[:1].repeat(dimension, 1, 1)
    for j in range(dimension):
        copies[j, :, j] = points[0, :, j].mean() + 0.7
    return copies


def near(a: Tensor, b: Tensor, tolerance: float = 1e-3) -> bool:
    """Whether two answers are one, up to rounding in single precision."""
    scale = float(b.abs().max().clamp(min=1e-3))
    return a.shape == b.shape and bool(((a - b).abs() <= tolerance * scale).all())
