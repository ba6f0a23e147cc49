"""Wrong ways to write `make_anchors`, each with its name and its sentence."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.a7_detection.guards import Door
from mdcv.exercises.blunders import returning_nothing
from mdcv.exercises.exercise import Mistake

Anchors = Callable[..., Any]

_door = Door(
    size=lambda size, stride, scales, ratios: min(size) >= 1,
    stride=lambda size, stride, scales, ratios: stride > 0,
    shapes=lambda size, stride, scales, ratios: len(scales) > 0 and len(ratios) > 0,
    positive=lambda size, stride, scales, ratios: all(v > 0 for v in (*scales, *ratios)),
)


# Wrong: one grid with every step that can be taken wrongly

#: Width and height from a scale and a ratio.
Shape = Callable[[float, float], tuple[float, float]]


def _right_shape(scale: float, ratio: float) -> tuple[float, float]:
    return scale / math.sqrt(ratio), scale * math.sqrt(ratio)


def _corners(x: float, y: float, w: float, h: float) -> list[float]:
    return [x - w / 2, y - h / 2, x + w / 2, y + h / 2]


def _grid(
    feature_size: tuple[int, int],
    stride: float,
    scales: Sequence[float],
    ratios: Sequence[float],
    *,
    center: Callable[[int, float], float] = lambda cell, stride: (cell + 0.5) * stride,
    shape: Shape = _right_shape,
    box: Callable[[float, float, float, float], list[float]] = _corners,
) -> Tensor:
    """(H, W, S, R, 4) anchors with the steps as arguments; the defaults are right."""
    height, width = feature_size
    boxes = [
        box(center(j, stride), center(i, stride), *shape(float(s), float(r)))
        for i, j, s, r in itertools.product(range(height), range(width), scales, ratios)
    ]
    return torch.tensor(boxes).view(height, width, len(scales), len(ratios), 4)


def _wrong(**steps: Any) -> Anchors:
    return lambda *given: _grid(*given, **steps).reshape(-1, 4)


_right = _wrong()


def _reordered(*axes: int) -> Anchors:
    return lambda *given: _grid(*given).permute(*axes, 4).reshape(-1, 4)


def _pairs(size, stride, scales, ratios) -> Tensor:
    n = min(len(scales), len(ratios))
    k = torch.arange(n)
    return _grid(size, stride, scales, ratios)[:, :, k, k].reshape(-1, 4)


def _centers_exchanged(size, stride, scales, ratios) -> Tensor:
    """x from the row and y from the column."""
    grid = _grid(size, stride, scales, ratios)
    middle = (grid[..., :2] + grid[..., 2:]) / 2
    move = middle.flip(-1) - middle
    return (grid + torch.cat([move, move], dim=-1)).reshape(-1, 4)


def _clipped(size, stride, scales, ratios) -> Tensor:
    limit = torch.tensor([size[1], size[0]] * 2) * float(stride)
    return torch.minimum(_right(size, stride, scales, ratios).clamp(min=0), limit)


def _leniently(size, stride, scales, ratios) -> Tensor:
    """Whatever comes, without a complaint."""
    scales, ratios = list(scales) or [1.0], list(ratios) or [1.0]
    ratios = [abs(r) or 1.0 for r in ratios]
    return _right([max(n, 1) for n in size], abs(stride), scales, ratios)


def _mistake(name: str, function: Anchors, sentence: str = "", *, without: str = "") -> Mistake:
    return Mistake(name, _door(function, without=without), sentence)


WRONG = (
    _mistake(
        "at_cell_corners",
        _wrong(center=lambda cell, stride: cell * stride),
        "Your anchors sit on the corners of the cells: a center lies half a stride farther.",
    ),
    _mistake(
        "at_far_corners",
        _wrong(center=lambda cell, stride: (cell + 1) * stride),
        "Your anchors sit on the far corners of the cells: the center lies half a stride before.",
    ),
    _mistake(
        "half_a_pixel",
        _wrong(center=lambda cell, stride: cell * stride + 0.5),
        "Your anchors sit half a pixel from the corner of a cell: it is half a stride.",
    ),
    _mistake(
        "centers_cut_off",
        _wrong(center=lambda cell, stride: cell * stride + (stride - 1) / 2),
        "Your anchors sit half a pixel before the center, at (stride − 1) / 2: the center is at "
        "half the stride.",
    ),
    _mistake(
        "stride_forgotten",
        _wrong(center=lambda cell, stride: cell + 0.5),
        "Your centers are in cells: anchors are in pixels of the image, a stride apart.",
    ),
    _mistake(
        "scales_in_cells",
        lambda size, stride, scales, ratios: _right(
            size, stride, [s * stride for s in scales], ratios
        ),
        "The scales are multiplied by the stride: they are in pixels already.",
    ),
    _mistake(
        "wide_for_tall",
        _wrong(shape=lambda s, r: _right_shape(s, r)[::-1]),
        "Ratio 2 is wide in your function: a ratio is height over width, so 2 is tall.",
    ),
    _mistake(
        "root_forgotten",
        _wrong(shape=lambda s, r: (s / r, s * r)),
        "Ratio 2 is four times as high as wide: the root of the ratio goes to either side.",
    ),
    _mistake(
        "only_the_height",
        _wrong(shape=lambda s, r: (s, s * r)),
        "The area changes with the ratio: the width shrinks as the height grows, so that w·h stays "
        "scale².",
    ),
    _mistake(
        "only_the_width",
        _wrong(shape=lambda s, r: (s / r, s)),
        "The area changes with the ratio: the height grows as the width shrinks, so that w·h stays "
        "scale².",
    ),
    _mistake(
        "ratio_ignored",
        _wrong(shape=lambda s, r: (s, s)),
        "All your anchors are squares: the ratio does nothing.",
    ),
    _mistake(
        "scale_as_area",
        _wrong(shape=lambda s, r: _right_shape(math.sqrt(s), r)),
        "Your areas equal the scale; the area is scale².",
    ),
    _mistake(
        "half_sides_doubled",
        _wrong(box=lambda x, y, w, h: [x - w, y - h, x + w, y + h]),
        "Your anchors are twice as large: half of each side goes to either side of the center.",
    ),
    _mistake(
        "centers_and_sizes",
        _wrong(box=lambda x, y, w, h: [x, y, w, h]),
        "Center and size come back; the anchors are asked as two corners.",
    ),
    _mistake(
        "corners_and_sizes",
        _wrong(box=lambda x, y, w, h: [x - w / 2, y - h / 2, w, h]),
        "Corner and size come back; the anchors are asked as two corners.",
    ),
    _mistake(
        "begins_at_the_center",
        _wrong(box=lambda x, y, w, h: [x, y, x + w, y + h]),
        "Your anchors begin at the center of the cell; they lie around it.",
    ),
    _mistake(
        "one_pixel_less",
        _wrong(box=lambda x, y, w, h: _corners(x, y, w - 1, h - 1)),
        "Your anchors are one pixel too small, as if both border pixels counted: w is x2 − x1.",
    ),
    _mistake(
        "rounded",
        _wrong(box=lambda *given: [float(round(v)) for v in _corners(*given)]),
        "Your corners are rounded to whole pixels; coordinates are real numbers.",
    ),
    _mistake(
        "axis_by_axis",
        _wrong(box=lambda x, y, w, h: [x - w / 2, x + w / 2, y - h / 2, y + h / 2]),
        "The corners stand in the order x1, x2, y1, y2; it is x1, y1, x2, y2.",
    ),
    _mistake(
        "y_before_x",
        _wrong(box=lambda x, y, w, h: [y - h / 2, x - w / 2, y + h / 2, x + w / 2]),
        "x and y are exchanged in your corners: the order is x1, y1, x2, y2.",
    ),
    _mistake(
        "centers_exchanged",
        _centers_exchanged,
        "The row of a cell becomes x and its column y: x counts columns.",
    ),
    _mistake(
        "size_exchanged",
        lambda size, *rest: _right(size[::-1], *rest),
        "feature_size is read as (width, height); it is (height, width).",
    ),
    _mistake(
        "column_by_column",
        _reordered(1, 0, 2, 3),
        "The cells come column by column; row by row was asked, with x running faster.",
    ),
    _mistake(
        "scales_fastest",
        _reordered(0, 1, 3, 2),
        "The scales run fastest; the ratios should, all of them for one scale first.",
    ),
    _mistake(
        "shape_by_shape",
        _reordered(2, 3, 0, 1),
        "All cells come for one shape, then for the next; a cell with all its shapes comes first.",
    ),
    _mistake(
        "pairs_of_scale_and_ratio",
        _pairs,
        "The first scale goes with the first ratio, and so on: every scale meets every ratio.",
    ),
    _mistake(
        "not_flattened",
        lambda *given: _grid(*given).flatten(2, 3),
        "The boxes are right, but in a table with an axis for every side of the map; (H·W·S·R, 4) "
        "was asked.",
    ),
    _mistake(
        "cut_to_the_image",
        _clipped,
        "Your anchors are cut to the image: they may reach beyond it.",
    ),
    _mistake("wrong_dtype", lambda *given: _right(*given).double()),
    _mistake("returns_numpy", lambda *given: _right(*given).numpy()),
    _mistake("returns_list", lambda *given: _right(*given).tolist()),
    _mistake("returns_nothing", returning_nothing(_right)),
    _mistake(
        "accepts_no_stride",
        _leniently,
        "A stride that is not positive was accepted: raise a ValueError.",
        without="stride",
    ),
    _mistake(
        "accepts_empty_maps",
        _leniently,
        "A feature map without cells was accepted: raise a ValueError.",
        without="size",
    ),
    _mistake(
        "accepts_no_shapes",
        _leniently,
        "A list without scales or ratios was accepted: there would be no anchor. Raise a "
        "ValueError.",
        without="shapes",
    ),
    _mistake(
        "accepts_sizes_below_zero",
        _leniently,
        "A scale or a ratio that is not positive was accepted: such a box is inverted, or nothing. "
        "Raise a ValueError.",
        without="positive",
    ),
)
