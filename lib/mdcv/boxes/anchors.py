"""Anchors: the boxes a detector starts from, the same few at every cell of a feature map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.errors import check_integer
from mdcv.kernels.box_checks import check_indexable


def make_anchors(
    feature_size: tuple[int, int],
    stride: int | float,
    scales: Sequence[int | float],
    ratios: Sequence[int | float],
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> Float[Tensor, "hwsr 4"]:
    """Boxes of every scale and ratio around the center of every cell, as x1, y1, x2, y2.

    A cell (row i, column j) has its center at x = (j + ½) · stride, y = (i + ½) · stride. There,
    w = scale / √ratio and h = scale · √ratio: ratio = h / w, area = scale². The centers go row by
    row, then the scales, and the ratios run fastest.

    Args:
        feature_size: height and width of the feature map, in cells.
        stride: pixels from one cell to the next.
        scales: square roots of areas, in pixels.
        ratios: height over width; 2 is tall.
        dtype, device: of the result; a map has no numbers to follow.

    Raises:
        ValueError: the feature size is not two integers from 1 up, or a stride, scale or ratio
            is not a finite positive number, or there are none.

    >>> make_anchors((1, 2), stride=8, scales=[4.0], ratios=[1.0])
    tensor([[ 2.,  2.,  6.,  6.],
            [10.,  2., 14.,  6.]])
    """
    if not isinstance(feature_size, Sequence) or len(feature_size) != 2:
        raise ValueError(f"feature_size is {feature_size!r}; expected (height, width)")
    for name, extent in zip(("height", "width"), feature_size, strict=True):
        check_integer(f"the feature map's {name}", extent, low=1)
    _check_positive("stride", [stride])
    _check_positive("scales", scales)
    _check_positive("ratios", ratios)
    height, width = feature_size
    check_indexable("the table of anchors", height, width, len(scales), len(ratios), 4)
    # In float64 until the end, so that every dtype gets its nearest numbers.
    sides = [(s / math.sqrt(r), s * math.sqrt(r)) for s in scales for r in ratios]
    half = torch.tensor(sides, dtype=torch.float64, device=device) / 2
    y = (torch.arange(height, dtype=torch.float64, device=device) + 0.5) * stride
    x = (torch.arange(width, dtype=torch.float64, device=device) + 0.5) * stride
    y, x = torch.meshgrid(y, x, indexing="ij")
    center = torch.stack([x, y], dim=-1).reshape(-1, 1, 2)
    return torch.cat([center - half, center + half], dim=-1).reshape(-1, 4).to(dtype)


def _check_positive(name: str, values: object) -> None:
    is_list = isinstance(values, Sequence) and not isinstance(values, str) and len(values) > 0
    if not is_list or not all(
        isinstance(v, Real) and not isinstance(v, bool) and 0 < v < math.inf for v in values
    ):
        shown = values[0] if name == "stride" else values
        raise ValueError(f"{name} is {shown!r}; expected positive finite numbers")
