"""Right ways to write `roi_pool`, each written differently."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from mdcv.exercises.exercise import Right

Size = tuple[int, int]


def _by_slices(input: Tensor, boxes: Tensor, output_size: Size, spatial_scale: float = 1.0):
    """Whole numbers from the rounding on."""
    if input.ndim != 4 or boxes.ndim != 2 or boxes.shape[1] != 5:
        raise ValueError(f"shapes {tuple(input.shape)} and {tuple(boxes.shape)}")
    height, width = output_size
    pooled = input.new_zeros(len(boxes), input.shape[1], height, width)
    for k, row in enumerate(boxes.tolist()):
        if row != row or any(number != number for number in row):
            raise ValueError("NaN")
        if not 0 <= row[0] < len(input) or row[3] < row[1] or row[4] < row[2]:
            raise ValueError("image, or inverted")
        x1, y1, x2, y2 = (
            int(math.copysign(math.floor(abs(c * spatial_scale) + 0.5), c)) for c in row[1:]
        )
        for i in range(height):
            top = y1 + i * (y2 - y1 + 1) // height
            bottom = y1 - (-(i + 1) * (y2 - y1 + 1) // height)
            for j in range(width):
                left = x1 + j * (x2 - x1 + 1) // width
                right = x1 - (-(j + 1) * (x2 - x1 + 1) // width)
                cells = input[
                    int(row[0]), :, max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)
                ]
                if cells.shape[1] and cells.shape[2]:
                    pooled[k, :, i, j] = cells.amax(dim=(1, 2))
    return pooled


def _by_adaptive_pooling(input: Tensor, boxes: Tensor, output_size: Size, spatial_scale=1.0):
    """PyTorch's adaptive pooling cuts the same bins, once the map has a margin to cut from."""
    if input.dim() != 4 or boxes.dim() != 2 or boxes.size(1) != 5:
        raise ValueError("shapes")
    if not (boxes[:, 3:] >= boxes[:, 1:3]).all() or not (boxes[:, 0] >= 0).all():
        raise ValueError("inverted, NaN, or a negative image")
    if len(boxes) and boxes[:, 0].max() >= input.size(0):
        raise ValueError("image")
    scaled = boxes[:, 1:] * spatial_scale
    corners = (scaled.sign() * (scaled.abs() + 0.5).floor()).long()
    margin = int(corners.abs().max()) + 2 if len(boxes) else 0
    padded = F.pad(input, [margin] * 4, value=-torch.inf)
    pooled = []
    for image, (x1, y1, x2, y2) in zip(
        boxes[:, 0].long(), (corners + margin).tolist(), strict=True
    ):
        region = padded[image, :, y1 : y2 + 1, x1 : x2 + 1]
        best = F.adaptive_max_pool2d(region, tuple(output_size))
        pooled.append(torch.where(best.isinf(), 0.0, best))
    return torch.stack(pooled) if pooled else input.new_zeros(0, input.shape[1], *output_size)


def _by_masks(input: Tensor, boxes: Tensor, output_size: Size, spatial_scale: float = 1.0):
    """All regions at once: which cells belong to which bins."""
    if input.ndim != 4 or boxes.shape[1:] != (5,) or boxes.isnan().any():
        raise ValueError("shapes, or NaN")
    image = boxes[:, 0].long()
    if ((image < 0) | (image > len(input) - 1)).any() or (boxes[:, 3:] < boxes[:, 1:3]).any():
        raise ValueError("image, or inverted")
    corners = boxes[:, 1:] * spatial_scale
    corners = corners.trunc() + (corners.frac().abs() >= 0.5) * corners.sign()

    def members(low: Tensor, high: Tensor, bins: int, extent: int) -> Tensor:
        size = (high - low + 1)[:, None]
        i, cell = torch.arange(bins), torch.arange(extent)
        begin = low[:, None] + (i * size).div(bins, rounding_mode="floor")
        end = low[:, None] - (-(i + 1) * size).div(bins, rounding_mode="floor")
        return (cell >= begin[..., None]) & (cell < end[..., None])

    rows = members(corners[:, 1], corners[:, 3], output_size[0], input.shape[2])
    columns = members(corners[:, 0], corners[:, 2], output_size[1], input.shape[3])
    mask = rows[:, None, :, None, :, None] & columns[:, None, None, :, None, :]
    cells = input[image][:, :, None, None].masked_fill(~mask, -torch.inf)
    best = cells.flatten(4).max(dim=4).values
    return torch.where(mask.flatten(4).any(dim=4), best, torch.zeros_like(best))


RIGHT = (
    Right("by slices", _by_slices),
    Right("by adaptive pooling", _by_adaptive_pooling),
    Right("by masks", _by_masks),
)
