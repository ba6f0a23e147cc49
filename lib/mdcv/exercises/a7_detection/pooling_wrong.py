"""Wrong ways to write `roi_pool`, each with its name and its sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.a7_detection.region_mistakes import door, region_mistakes
from mdcv.exercises.exercise import Mistake

Size = tuple[int, int]
Edges = list[tuple[int, int]]


# Wrong: one pooling with every step that can be taken wrongly


def _half_away(position: Tensor) -> Tensor:
    return position.sign() * (position.abs() + 0.5).floor()


def _edges(low: float, high: float, bins: int, extent: int) -> Edges:
    size = high - low + 1
    edges = [
        (low + math.floor(i * size / bins), low + math.ceil((i + 1) * size / bins))
        for i in range(bins)
    ]
    return [(_cut(begin, extent), _cut(end, extent)) for begin, end in edges]


def _cut(edge: float, extent: int) -> int:
    return int(min(max(edge, 0), extent))


def _greatest(cells: Tensor) -> Tensor:
    return cells.amax(dim=(1, 2))


def _pool(
    input: Tensor,
    boxes: Tensor,
    output_size: Size,
    spatial_scale: float = 1.0,
    *,
    corners: Callable[[Tensor, float], Tensor] = lambda boxes, scale: _half_away(boxes * scale),
    edges: Callable[[float, float, int, int], Edges] = _edges,
    reduce: Callable[[Tensor], Tensor] = _greatest,
    empty: float = 0.0,
    map_of: Callable[[Tensor, int], Tensor] = lambda input, image: input[image],
) -> Tensor:
    """RoI Pool with its steps as arguments; the defaults are right."""
    height, width = output_size
    pooled = []
    places = corners(boxes[:, 1:], spatial_scale).tolist()
    for image, (x1, y1, x2, y2) in zip(boxes[:, 0].long().tolist(), places, strict=True):
        cells = map_of(input, image)
        for top, bottom in edges(y1, y2, height, cells.shape[1]):
            for left, right in edges(x1, x2, width, cells.shape[2]):
                bin = cells[:, top:bottom, left:right]
                holds = bin.shape[1] > 0 and bin.shape[2] > 0
                pooled.append(reduce(bin) if holds else bin.new_full(bin.shape[:1], empty))
    if not pooled:
        return input.new_zeros(0, input.shape[1], height, width)
    table = torch.stack(pooled).view(len(boxes), height, width, -1)
    return table.permute(0, 3, 1, 2).contiguous()


def _wrong(**steps: Any) -> Callable[..., Tensor]:
    return lambda input, boxes, size, scale=1.0: _pool(input, boxes, size, scale, **steps)


def _rounded(rounding: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    return _wrong(corners=lambda boxes, scale: rounding(boxes * scale))


def _bins(begin: Callable[[float], int], end: Callable[[float], int], extra: int = 1) -> Any:
    """Edges rounded otherwise, or of regions of another size."""

    def edges(low: float, high: float, bins: int, extent: int) -> Edges:
        size = max(high - low + extra, 1) / bins
        pairs = [(low + begin(i * size), low + end((i + 1) * size)) for i in range(bins)]
        return [(_cut(a, extent), _cut(b, extent)) for a, b in pairs]

    return _wrong(edges=edges)


def _not_cut(low: float, high: float, bins: int, extent: int) -> Edges:
    size = (high - low + 1) / bins
    return [
        (int(low + math.floor(i * size)), int(low + math.ceil((i + 1) * size))) for i in range(bins)
    ]


def _cut_first(low: float, high: float, bins: int, extent: int) -> Edges:
    if high < 0 or low >= extent:
        return [(0, 0)] * bins
    return _edges(max(low, 0), min(high, extent - 1), bins, extent)


def _mistake(name: str, function: Any, sentence: str = "", *, without: str = "") -> Mistake:
    return Mistake(name, door(function, without=without), sentence)


WRONG = (
    _mistake(
        "scale_forgotten",
        _wrong(corners=lambda boxes, scale: _half_away(boxes)),
        "Your regions lie a stride's multiple away: boxes are in pixels of the image, cells of the "
        "map are spatial_scale as large.",
    ),
    _mistake(
        "scale_divides",
        _wrong(corners=lambda boxes, scale: _half_away(boxes / scale)),
        "The corners are divided by spatial_scale; it is cells per pixel, so multiply.",
    ),
    _mistake(
        "rounded_before_scaling",
        _wrong(corners=lambda boxes, scale: _half_away(_half_away(boxes) * scale)),
        "The corners are rounded in pixels and once more in cells: scale first, then round once.",
    ),
    _mistake(
        "corners_cut_off",
        _rounded(torch.trunc),
        "The corners are cut off to whole cells (int, floor); they are rounded to the nearest.",
    ),
    _mistake(
        "corners_rounded_outward",
        _rounded(lambda p: torch.cat([p[:, :2].floor(), p[:, 2:].ceil()], dim=1)),
        "The corners are rounded outward; each goes to the nearest cell.",
    ),
    _mistake(
        "corners_rounded_up",
        _rounded(torch.ceil),
        "The corners are rounded up; each goes to the nearest cell.",
    ),
    _mistake(
        "halves_to_even",
        _rounded(torch.round),
        "Halves go to the even cell, as torch.round and Python's round do: they should go away "
        "from zero, 0.5 to 1 and 2.5 to 3.",
    ),
    _mistake(
        "halves_upward",
        _rounded(lambda p: (p + 0.5).floor()),
        "Halves below zero go up, as with floor(x + ½): they should go away from zero, −0.5 to −1.",
    ),
    _mistake(
        "halves_downward",
        _rounded(lambda p: (p - 0.5).ceil()),
        "Halves go down, as with ceil(x − ½): they should go away from zero, 0.5 to 1.",
    ),
    _mistake(
        "last_cell_missing",
        _bins(math.floor, math.ceil, extra=0),
        "The last row and the last column of cells do not count: from cell 2 to cell 5 there are "
        "four cells.",
    ),
    _mistake(
        "bins_miss_cells",
        _bins(math.floor, math.floor),
        "Some cells belong to no bin, and small regions have empty ones: a bin ends where the last "
        "cell that it touches ends (round up).",
    ),
    _mistake(
        "bins_begin_late",
        _bins(math.ceil, math.ceil),
        "Your bins begin one cell late: a bin begins with the first cell that it touches (round "
        "down).",
    ),
    _mistake(
        "bin_edges_rounded",
        _bins(lambda e: math.floor(e + 0.5), lambda e: math.floor(e + 0.5)),
        "The edges of the bins are rounded to the nearest cell; the first is rounded down and the "
        "last up, so that bins may share cells.",
    ),
    _mistake(
        "bins_of_one_size",
        _wrong(
            edges=lambda low, high, bins, extent: [
                (
                    _cut(low + i * max((high - low + 1) // bins, 1), extent),
                    _cut(low + (i + 1) * max((high - low + 1) // bins, 1), extent),
                )
                for i in range(bins)
            ]
        ),
        "All bins have the same whole number of cells, and what is left over belongs to none.",
    ),
    _mistake(
        "mean_for_maximum",
        _wrong(reduce=lambda cells: cells.mean(dim=(1, 2))),
        "Looks like the mean of each bin; the greatest value was asked.",
    ),
    _mistake(
        "minimum_for_maximum",
        _wrong(reduce=lambda cells: cells.amin(dim=(1, 2))),
        "Looks like the smallest value of each bin; the greatest was asked.",
    ),
    _mistake(
        "largest_magnitude",
        _wrong(
            reduce=lambda cells: cells.flatten(1).gather(
                1, cells.flatten(1).abs().argmax(1, keepdim=True)
            )[:, 0]
        ),
        "The value of largest magnitude is taken; −5 is not greater than 2.",
    ),
    _mistake(
        "never_below_zero",
        _wrong(reduce=lambda cells: cells.amax(dim=(1, 2)).clamp(min=0)),
        "Your maximum starts from 0, so that bins of negative values become 0: only a bin without "
        "cells is 0.",
    ),
    _mistake(
        "empty_is_minus_infinity",
        _wrong(empty=-torch.inf),
        "A bin without cells is −∞, the maximum of nothing: say 0 there.",
    ),
    _mistake(
        "empty_is_not_a_number",
        _wrong(empty=torch.nan),
        "A bin without cells is nan: say 0 there.",
    ),
    _mistake(
        "counted_from_the_end",
        _wrong(edges=_not_cut),
        "A region that begins left of the map or above it counts from the other end: negative "
        "numbers in a slice do that. Cut the edges to the map.",
    ),
    _mistake(
        "cut_before_binning",
        _wrong(edges=_cut_first),
        "A region that reaches beyond the map is cut to it first and then divided into bins; "
        "divide it first, and let the bins outside be short or empty.",
    ),
    _mistake(
        "one_value_per_region",
        _wrong(
            edges=lambda low, high, bins, extent: (
                [(_cut(low, extent), _cut(high + 1, extent))] * bins
            )
        ),
        "Every bin of a region has the same value, the greatest of all: each has cells of its own.",
    ),
    *region_mistakes(_pool),
)
