"""Random boxes to ask with, and the plain arithmetic of boxes that variants share."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.exercises.cases import Draw


def some_boxes(draw: Draw, n: int, *, spread: float = 5.0, side: float = 3.0) -> Tensor:
    """n boxes (x1, y1, x2, y2), wider than high on the average, around the origin."""
    center = spread * (draw.uniform(n, 2) - 0.5)
    half = side * (0.2 + draw.uniform(n, 2)) / 2 * torch.tensor([1.3, 0.8]).double()
    return torch.cat([center - half, center + half], dim=1)


def centers_and_sides(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Centers (N, 2) and sides (N, 2)."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]


def from_centers(center: Tensor, side: Tensor) -> Tensor:
    """Boxes with these centers and sides."""
    return torch.cat([center - side / 2, center + side / 2], dim=-1)


def common_sides(a: Tensor, b: Tensor) -> Tensor:
    """Width and height of every intersection, (N, M, 2); negative where boxes are apart."""
    return torch.minimum(a[:, None, 2:], b[:, 2:]) - torch.maximum(a[:, None, :2], b[:, :2])


def areas(boxes: Tensor) -> Tensor:
    """(N,) areas."""
    return (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)


def share(part: Tensor, whole: Tensor) -> Tensor:
    """part / whole, and 0 where the whole is 0."""
    return torch.where(whole == 0, 0.0, part / torch.where(whole == 0, 1.0, whole))


def overlaps(a: Tensor, b: Tensor) -> Tensor:
    """(N, M) intersections over unions."""
    inter = common_sides(a, b).clamp(min=0).prod(dim=2)
    return share(inter, areas(a)[:, None] + areas(b) - inter)


def overlaps_plus_one(a: Tensor, b: Tensor) -> Tensor:
    """The same where a box from 0 to 1 is two pixels wide."""
    longer = torch.tensor([0.0, 0.0, 1.0, 1.0]).to(a)
    return overlaps(a + longer, b + longer)
