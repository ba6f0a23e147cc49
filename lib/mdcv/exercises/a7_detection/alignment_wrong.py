"""Wrong ways to write `roi_align`, each with its name and its sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mdcv.exercises.a7_detection.region_mistakes import door, region_mistakes
from mdcv.exercises.exercise import Mistake

Size = tuple[int, int]


# Wrong: one alignment with every step that can be taken wrongly

#: From positions (P,) and the number of cells: weights (P, cells), each row a sample.
Taps = Callable[[Tensor, int], Tensor]


def _hats(position: Tensor, extent: int) -> Tensor:
    return (1 - (position[:, None] - torch.arange(extent)).abs()).clamp(min=0)


def _bilinear(position: Tensor, extent: int) -> Tensor:
    inside = (position >= -1) & (position <= extent)
    return _hats(position.clamp(0, extent - 1), extent) * inside[:, None]


def _align(
    input: Tensor,
    boxes: Tensor,
    output_size: Size,
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
    *,
    corners: Callable[[Tensor, float, bool], Tensor] = lambda c, scale, aligned: (
        c * scale - 0.5 * aligned
    ),
    least: Callable[[Tensor, bool], Tensor] = lambda side, aligned: (
        side if aligned else side.clamp(min=1)
    ),
    count: Callable[[float, int, int], int] = lambda side, bins, ratio: (
        ratio if ratio > 0 else math.ceil(side / bins)
    ),
    within: Callable[[Tensor, int], Tensor] = lambda s, n: (s + 0.5) / n,
    taps: Taps = _bilinear,
    reduce: Callable[[Tensor], Tensor] = lambda samples: samples.mean(dim=(2, 4)),
    map_of: Callable[[Tensor, int], Tensor] = lambda input, image: input[image],
) -> Tensor:
    """RoI Align with its steps as arguments; the defaults are right."""
    pooled = [input.new_zeros(0, input.shape[1], *output_size)]
    for row in boxes:
        cells = map_of(input, int(row[0]))
        place = corners(row[1:], spatial_scale, aligned)
        sides = least(place[2:] - place[:2], aligned)
        axes = []
        for axis, bins in ((1, output_size[0]), (0, output_size[1])):
            side, extent = sides[axis], cells.shape[2 - axis]
            n = max(count(float(side), bins, sampling_ratio), 1)
            part = within(torch.arange(n), n).to(input.dtype)
            at = place[axis] + (torch.arange(bins)[:, None] + part) * side / bins
            axes.append((taps(at.flatten(), extent).to(input.dtype), n))
        (rows, n), (columns, m) = axes
        samples = rows @ cells @ columns.T
        pooled.append(reduce(samples.unflatten(2, (-1, m)).unflatten(1, (-1, n)))[None])
    return torch.cat(pooled)


def _wrong(**steps: Any) -> Callable[..., Tensor]:
    return lambda *given, **options: _align(*given, **options, **steps)


def _with_aligned(change: Callable[[bool], bool]) -> Callable[..., Tensor]:
    def wrong(input, boxes, size, scale=1.0, sampling_ratio=-1, aligned=False) -> Tensor:
        return _align(input, boxes, size, scale, sampling_ratio, change(aligned))

    return wrong


def _nearest(position: Tensor, extent: int) -> Tensor:
    inside = (position >= -1) & (position <= extent)
    cell = position.round().clamp(0, extent - 1).long()
    return F.one_hot(cell, extent) * inside[:, None]


def _floored(position: Tensor, extent: int) -> Tensor:
    inside = (position >= -1) & (position <= extent)
    cell = position.clamp(0, extent - 1).floor().long()
    return F.one_hot(cell, extent) * inside[:, None]


def _weights_exchanged(position: Tensor, extent: int) -> Tensor:
    inside = (position >= -1) & (position <= extent)
    position = position.clamp(0, extent - 1)
    low = position.floor().clamp(max=extent - 2).long()
    part = (position - low)[:, None]
    exchanged = part * F.one_hot(low, extent) + (1 - part) * F.one_hot(low + 1, extent)
    return exchanged * inside[:, None]


def _zero_at_once(position: Tensor, extent: int) -> Tensor:
    inside = (position >= 0) & (position <= extent - 1)
    return _hats(position, extent) * inside[:, None]


def _mean_of_inside(input, boxes, size, scale=1.0, sampling_ratio=-1, aligned=False) -> Tensor:
    given = boxes, size, scale, sampling_ratio, aligned
    sums, shares = _align(input, *given), _align(torch.ones_like(input), *given)
    return torch.where(shares > 0, sums / torch.where(shares > 0, shares, 1.0), 0.0)


def _snapped(corners: Tensor, scale: float, aligned: bool) -> Tensor:
    return (corners * scale - 0.5 * aligned).round()


def _mistake(name: str, function: Any, sentence: str = "", *, without: str = "") -> Mistake:
    return Mistake(name, door(function, without=without), sentence)


WRONG = (
    _mistake(
        "never_aligned",
        _with_aligned(lambda aligned: False),
        "On a linear ramp you are off by half a cell: aligned=True does nothing in your function.",
    ),
    _mistake(
        "always_aligned",
        _with_aligned(lambda aligned: True),
        "Your regions move by half a cell with aligned=False as well, which is the default.",
    ),
    _mistake(
        "aligned_turned",
        _with_aligned(lambda aligned: not aligned),
        "aligned=True does what False should, and the other way round.",
    ),
    _mistake(
        "half_cell_added",
        _wrong(corners=lambda c, scale, aligned: c * scale + 0.5 * aligned),
        "The half cell is added: the center of cell 0 lies at ½, so it is subtracted from "
        "positions.",
    ),
    _mistake(
        "half_pixel_before_scaling",
        _wrong(corners=lambda c, scale, aligned: (c - 0.5 * aligned) * scale),
        "Half a pixel of the image is subtracted; it is half a cell of the map, after scaling.",
    ),
    _mistake(
        "first_corner_moved_only",
        _wrong(
            corners=lambda c, scale, aligned: torch.cat(
                [c[:2] * scale - 0.5 * aligned, c[2:] * scale]
            )
        ),
        "Only the first corner moves by half a cell, so that regions grow: both do.",
    ),
    _mistake(
        "never_smaller_than_a_cell",
        _wrong(least=lambda side, aligned: side.clamp(min=1)),
        "Small regions are inflated to one cell with aligned=True as well: there they keep their "
        "size.",
    ),
    _mistake(
        "smaller_than_a_cell",
        _wrong(least=lambda side, aligned: side),
        "With aligned=False a region is one cell wide and high at least; yours are smaller.",
    ),
    _mistake(
        "one_cell_more",
        _wrong(least=lambda side, aligned: side + 1),
        "Your regions are one cell larger than x2 − x1: RoI Align counts no last cell.",
    ),
    _mistake(
        "scale_forgotten",
        _wrong(corners=lambda c, scale, aligned: c - 0.5 * aligned),
        "Your regions lie a stride's multiple away: boxes are in pixels of the image, cells of the "
        "map are spatial_scale as large.",
    ),
    _mistake(
        "scale_divides",
        _wrong(corners=lambda c, scale, aligned: c / scale - 0.5 * aligned),
        "The corners are divided by spatial_scale; it is cells per pixel, so multiply.",
    ),
    _mistake(
        "snapped",
        _wrong(corners=_snapped),
        "The corners are rounded to cells, as RoI Pool does: RoI Align rounds nothing.",
    ),
    _mistake(
        "sampled_at_corners",
        _wrong(within=lambda s, n: s / n),
        "Your samples lie at the corners of the parts of a bin: they belong to the centers.",
    ),
    _mistake(
        "sampled_from_edge_to_edge",
        _wrong(within=lambda s, n: s / max(n - 1, 1)),
        "Your samples reach from edge to edge of a bin, so that neighbors share them: they belong "
        "to the centers of equal parts.",
    ),
    _mistake(
        "sampled_inside_evenly",
        _wrong(within=lambda s, n: (s + 1) / (n + 1)),
        "Your samples are spread as n points between two edges: they belong to the centers of n "
        "equal parts, at (s + ½) / n.",
    ),
    _mistake(
        "always_two_samples",
        _wrong(count=lambda side, bins, ratio: 2),
        "Your bins have two samples along each side whatever sampling_ratio says.",
    ),
    _mistake(
        "one_sample_only",
        _wrong(count=lambda side, bins, ratio: 1),
        "Your bins have one sample, at their center: take sampling_ratio along each side.",
    ),
    _mistake(
        "always_adaptive",
        _wrong(count=lambda side, bins, ratio: math.ceil(side / bins)),
        "The number of samples follows the size of the bin even where sampling_ratio is given.",
    ),
    _mistake(
        "two_when_not_given",
        _wrong(count=lambda side, bins, ratio: ratio if ratio > 0 else 2),
        "A sampling_ratio of 0 or less takes two samples in your function: take as many as the bin "
        "has cells along that side, rounded up.",
    ),
    _mistake(
        "adaptive_rounded_down",
        _wrong(count=lambda side, bins, ratio: ratio if ratio > 0 else int(side / bins)),
        "The number of samples is rounded down to whole cells; it is rounded up.",
    ),
    _mistake(
        "adaptive_by_the_region",
        _wrong(count=lambda side, bins, ratio: ratio if ratio > 0 else math.ceil(side)),
        "The number of samples follows the whole region; it is the length of one bin that counts.",
    ),
    _mistake(
        "greatest_for_mean",
        _wrong(reduce=lambda samples: samples.amax(dim=(2, 4))),
        "Looks like the greatest sample of each bin; RoI Align takes their mean.",
    ),
    _mistake(
        "sum_for_mean",
        _wrong(reduce=lambda samples: samples.sum(dim=(2, 4))),
        "Your value grows with the number of samples: divide by how many there are.",
    ),
    _mistake(
        "divided_along_one_axis",
        _wrong(reduce=lambda samples: samples.mean(dim=2).sum(dim=3)),
        "The sum is divided by the samples along one side only; a bin has their square.",
    ),
    _mistake(
        "nearest_cell",
        _wrong(taps=_nearest),
        "Your samples take the nearest cell; interpolate between four.",
    ),
    _mistake(
        "cell_below",
        _wrong(taps=_floored),
        "Your samples take the cell that they are cut off to; interpolate between four.",
    ),
    _mistake(
        "weights_exchanged",
        _wrong(taps=_weights_exchanged),
        "The weights of the two neighbors are exchanged: the closer cell counts more.",
    ),
    _mistake(
        "border_everywhere",
        _wrong(taps=lambda p, extent: _hats(p.clamp(0, extent - 1), extent)),
        "Samples far outside the map take the border's value: beyond one cell they are 0.",
    ),
    _mistake(
        "zero_at_once",
        _wrong(taps=_zero_at_once),
        "A sample just outside the map is 0 in your function: up to one cell outside it takes the "
        "border's value.",
    ),
    _mistake(
        "fades_outside",
        _wrong(taps=_hats),
        "A sample just outside the map fades to 0, as with zeros around the map: up to one cell "
        "outside it takes the border's value.",
    ),
    _mistake(
        "mean_of_samples_inside",
        _mean_of_inside,
        "The mean is taken over the samples inside the map only; those outside count as 0.",
    ),
    *region_mistakes(_align),
)
