"""Right ways to write `make_anchors`, each written differently."""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch
from torch import Tensor

from mdcv.exercises.exercise import Right


def _by_loops(feature_size, stride, scales, ratios) -> Tensor:
    height, width = feature_size
    if height < 1 or width < 1 or stride <= 0 or not scales or not ratios:
        raise ValueError("size, stride, or nothing to make")
    anchors = []
    for i in range(height):
        for j in range(width):
            x, y = (j + 0.5) * stride, (i + 0.5) * stride
            for scale in scales:
                for ratio in ratios:
                    if scale <= 0 or ratio <= 0:
                        raise ValueError("scale or ratio")
                    w, h = scale * ratio**-0.5, scale * ratio**0.5
                    anchors.append([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
    return torch.tensor(anchors)


def _by_broadcasting(feature_size, stride, scales, ratios) -> Tensor:
    """In the way of torchvision's generator: a few boxes around 0, moved to every cell."""
    if min(feature_size) <= 0 or stride <= 0 or len(scales) * len(ratios) == 0:
        raise ValueError("size, stride, or empty lists")
    s, r = torch.tensor([float(v) for v in scales]), torch.tensor([float(v) for v in ratios])
    if not bool((s > 0).all() and (r > 0).all()):
        raise ValueError("positive numbers, please")
    hs, ws = (s[:, None] * r.sqrt()).flatten(), (s[:, None] / r.sqrt()).flatten()
    base = torch.stack([-ws, -hs, ws, hs], dim=1) / 2
    y = torch.arange(feature_size[0]) * stride + stride / 2
    x = torch.arange(feature_size[1]) * stride + stride / 2
    y, x = torch.meshgrid(y, x, indexing="ij")
    shifts = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4)
    return (shifts + base).reshape(-1, 4)


def _by_numpy(feature_size, stride, scales, ratios) -> Tensor:
    (rows, columns), s, r = feature_size, np.asarray(scales, float), np.asarray(ratios, float)
    if rows < 1 or columns < 1 or not stride > 0 or s.size == 0 or r.size == 0:
        raise ValueError("size, stride, or empty lists")
    if s.min() <= 0 or r.min() <= 0:
        raise ValueError("positive numbers, please")
    shape = (rows, columns, s.size, r.size)
    i, j, a, b = (index.ravel() for index in np.indices(shape))
    width = np.sqrt(s[a] ** 2 / r[b])
    height = width * r[b]
    center_x, center_y = stride * (j + 0.5), stride * (i + 0.5)
    corners = [
        center_x - width / 2,
        center_y - height / 2,
        center_x + width / 2,
        center_y + height / 2,
    ]
    return torch.from_numpy(np.stack(corners, axis=1).astype(np.float32))


def _by_products(feature_size, stride, scales, ratios) -> Tensor:
    if not all(n >= 1 for n in feature_size) or not stride > 0:
        raise ValueError("size or stride")
    shapes = [
        (math.sqrt(s * s / r), math.sqrt(s * s * r))
        for s, r in itertools.product(scales, ratios)
        if s > 0 < r
    ]
    if len(shapes) < max(1, len(scales) * len(ratios)):
        raise ValueError("a scale or ratio is not positive, or there is none")
    cells = itertools.product(*map(range, feature_size), shapes)
    boxes = [
        [
            c + sign * side / 2
            for sign in (-1, 1)
            for c, side in zip(((j + 0.5) * stride, (i + 0.5) * stride), shape, strict=True)
        ]
        for i, j, shape in cells
    ]
    return torch.tensor(boxes, dtype=torch.float64).float()


RIGHT = (
    Right("by loops", _by_loops),
    Right("by broadcasting", _by_broadcasting),
    Right("by NumPy", _by_numpy),
    Right("by products", _by_products),
)
