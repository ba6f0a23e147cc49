"""Right ways to write `roi_align`, each written differently."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from mdcv.exercises.exercise import Right


def _refuse(input: Tensor, boxes: Tensor) -> None:
    if input.ndim != 4 or boxes.ndim != 2 or boxes.shape[1] != 5:
        raise ValueError(f"shapes {tuple(input.shape)} and {tuple(boxes.shape)}")
    if not ((boxes[:, 0] >= 0) & (boxes[:, 0] < len(input))).all():
        raise ValueError("no such image")
    if not (boxes[:, 1:3] <= boxes[:, 3:]).all():
        raise ValueError("inverted, or NaN")


def _by_loops(
    input, boxes, output_size, spatial_scale=1.0, sampling_ratio=-1, aligned=False
) -> Tensor:
    """Bin by bin and sample by sample; a sample is four cells of all channels."""
    _refuse(input, boxes)
    height, width = output_size
    rows, columns = input.shape[2:]

    def along(low: float, high: float, bins: int) -> list[list[float]]:
        low, high = low * spatial_scale, high * spatial_scale
        side = high - low if aligned else max(high - low, 1.0)
        bin = side / bins
        n = sampling_ratio if sampling_ratio > 0 else math.ceil(bin)
        start = low - 0.5 * aligned
        return [[start + (i + (s + 0.5) / n) * bin for s in range(n)] for i in range(bins)]

    def cells(position: float, extent: int) -> list[tuple[int, float]]:
        if not -1 <= position <= extent:
            return []
        position = min(max(position, 0.0), extent - 1.0)
        low = min(int(position), max(extent - 2, 0))
        pair = [(low, 1 - position + low), (low + 1, position - low)]
        return [(cell, weight) for cell, weight in pair if weight > 0]

    regions = []
    for image, x1, y1, x2, y2 in boxes.tolist():
        bins = []
        for ys in along(y1, y2, height):
            for xs in along(x1, x2, width):
                total = input.new_zeros(input.shape[1])
                for y in ys:
                    for x in xs:
                        for r, a in cells(y, rows):
                            for c, b in cells(x, columns):
                                total = total + a * b * input[int(image), :, r, c]
                bins.append(total / (len(ys) * len(xs)))
        regions.append(torch.stack(bins, dim=1).view(-1, height, width))
    return torch.stack(regions) if regions else input.new_zeros(0, input.shape[1], height, width)


def _by_hats(
    input, boxes, output_size, spatial_scale=1.0, sampling_ratio=-1, aligned=False
) -> Tensor:
    """A bin is one weighted sum along y and one along x; a weight is a mean of hat functions."""
    _refuse(input, boxes)
    shift = 0.5 if aligned else 0.0
    pooled = []
    for row in boxes:
        sides = []
        for axis, bins in ((1, output_size[0]), (0, output_size[1])):
            low, high = row[1 + axis] * spatial_scale, row[3 + axis] * spatial_scale
            side = high - low if aligned else (high - low).clamp(min=1)
            n = sampling_ratio if sampling_ratio >= 1 else int(torch.ceil(side / bins))
            at = low - shift + (torch.arange(bins * n).to(boxes) + 0.5) * side / (bins * n)
            extent = input.shape[2] if axis else input.shape[3]
            hat = 1 - (at.clamp(0, extent - 1)[:, None] - torch.arange(extent)).abs()
            hat = hat.clamp(min=0) * ((at >= -1) & (at <= extent))[:, None]
            sides.append(hat.view(bins, n, extent).mean(dim=1))
        pooled.append(torch.einsum("ih,jw,chw->cij", *sides, input[int(row[0])]))
    return torch.stack(pooled) if pooled else input.new_zeros(0, input.shape[1], *output_size)


def _by_grid_sample(
    input, boxes, output_size, spatial_scale=1.0, sampling_ratio=-1, aligned=False
) -> Tensor:
    """PyTorch's sampler with the border's values, and a mask for what is far outside."""
    _refuse(input, boxes)
    height, width = output_size
    pooled = [input.new_zeros(0, input.shape[1], height, width)]
    for image, *corners in boxes.tolist():
        x1, y1, x2, y2 = (c * spatial_scale - (0.5 if aligned else 0.0) for c in corners)
        if not aligned:
            x2, y2 = max(x2, x1 + 1), max(y2, y1 + 1)
        axes = []
        for low, high, bins in ((y1, y2, height), (x1, x2, width)):
            n = sampling_ratio if sampling_ratio > 0 else math.ceil((high - low) / bins)
            step = (high - low) / (bins * n)
            axes.append((low + step * (torch.arange(bins * n, dtype=input.dtype) + 0.5), n))
        (y, many), (x, across) = axes
        inside = [(p >= -1) & (p <= e) for p, e in ((y, input.shape[2]), (x, input.shape[3]))]
        place = [2 * p / (e - 1) - 1 for p, e in ((y, input.shape[2]), (x, input.shape[3]))]
        grid = torch.stack(torch.meshgrid(*place, indexing="ij")[::-1], dim=2)[None]
        values = F.grid_sample(
            input[int(image)][None], grid, padding_mode="border", align_corners=True
        )
        values = values * (inside[0][:, None] & inside[1])
        pooled.append(F.avg_pool2d(values, (many, across)))
    return torch.cat(pooled)


def _by_four_corners(
    input, boxes, output_size, spatial_scale=1.0, sampling_ratio=-1, aligned=False
) -> Tensor:
    """In the words of torchvision: low and high cells with their weights, all samples at once."""
    _refuse(input, boxes)
    results = input.new_empty(len(boxes), input.shape[1], *output_size)
    results = list(results.unbind(0))
    for k in range(len(boxes)):
        image, offset = int(boxes[k, 0]), 0.5 if aligned else 0.0
        start_w, start_h, end_w, end_h = (boxes[k, 1:] * spatial_scale - offset).unbind()
        roi_width, roi_height = end_w - start_w, end_h - start_h
        if not aligned:
            roi_width, roi_height = roi_width.clamp(min=1.0), roi_height.clamp(min=1.0)
        positions = []
        for start, side, bins, extent in (
            (start_h, roi_height, output_size[0], input.shape[2]),
            (start_w, roi_width, output_size[1], input.shape[3]),
        ):
            bin_size = side / bins
            count = int(bin_size.ceil()) if sampling_ratio <= 0 else sampling_ratio
            p, i = torch.arange(bins)[:, None], torch.arange(count)[None, :]
            at = (start + p * bin_size + (i + 0.5) * bin_size / count).flatten()
            positions.append((at, extent, count))
        (y, rows, count_y), (x, columns, count_x) = positions
        dead = ((y < -1) | (y > rows))[:, None] | ((x < -1) | (x > columns))[None, :]
        y, x = y.clamp(min=0), x.clamp(min=0)
        y_low, x_low = y.long().clamp(max=rows - 1), x.long().clamp(max=columns - 1)
        y_high, x_high = (y_low + 1).clamp(max=rows - 1), (x_low + 1).clamp(max=columns - 1)
        ly = torch.where(y_low >= rows - 1, 0.0, y - y_low)[:, None]
        lx = torch.where(x_low >= columns - 1, 0.0, x - x_low)[None, :]
        map = input[image]
        value = (1 - ly) * (
            (1 - lx) * map[:, y_low][:, :, x_low] + lx * map[:, y_low][:, :, x_high]
        )
        value = value + ly * (
            (1 - lx) * map[:, y_high][:, :, x_low] + lx * map[:, y_high][:, :, x_high]
        )
        value = value.masked_fill(dead, 0.0)
        value = value.unflatten(2, (-1, count_x)).unflatten(1, (-1, count_y))
        results[k] = value.sum(dim=(2, 4)) / (count_x * count_y)
    return torch.stack(results) if results else input.new_zeros(0, input.shape[1], *output_size)


RIGHT = (
    Right("by loops", _by_loops),
    Right("by hats", _by_hats),
    Right("by grid_sample", _by_grid_sample),
    Right("by four corners", _by_four_corners),
)
