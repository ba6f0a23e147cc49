"""The exercise `make_anchors`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mdcv.boxes import make_anchors
from mdcv.exercises.a7_detection.anchors_right import RIGHT
from mdcv.exercises.a7_detection.anchors_wrong import WRONG
from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Case, Clue, Exercise, Part, Refusal

#: Corners in pixels, in float32: what rounding leaves of a hundred pixels.
PIXELS = 1e-3


def _case(
    kind: str,
    size: tuple[int, int],
    stride: float,
    scales: Sequence[float],
    ratios: Sequence[float],
    **more: Any,
) -> Case:
    shapes = f"{len(scales)} scales, {len(ratios)} ratios"
    words = f"{size[0]} x {size[1]} cells, stride {stride:g}, {shapes}"
    return Case(f"{kind} ({words})", (size, stride, scales, ratios), atol=PIXELS, **more)


def _scales(draw: Draw, *around: float) -> list[float]:
    return [scale + draw.integer(1, 7) / 8 for scale in around]


def _values(draw: Draw) -> list[Case]:
    return [
        _case("a map", (3, 5), 8, _scales(draw, 11, 30), [0.5, 1.0, 2.0]),
        _case("a map", (5, 2), 16, _scales(draw, 20, 70, 120), [0.4, 1.7]),
        _case("a map", (2, 7), 4, _scales(draw, 9), [2.5, 0.3, 1.2]),
        _case("one cell", (1, 1), 32, _scales(draw, 50, 90), [3.0]),
    ]


def _hard(draw: Draw) -> list[Case]:
    return [
        _case("a stride that is no integer", (3, 2), 7.5, _scales(draw, 12), [0.7, 1.4]),
        _case("anchors smaller than a pixel", (2, 3), 1, [0.5, 0.25], [0.6, 2.2]),
        _case("whole numbers", (2, 3), 8, [16, 40], [1, 4]),
        _case("scales and ratios in tuples", (3, 4), 8, (12.0, 5.5), (2.0, 0.5)),
        _case("scales that fall", (2, 3), 8, _scales(draw, 60, 30, 10), [2.0, 1.0]),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    size, scales, ratios = (3, 4), [12.0, 30.0], [0.5, 2.0]
    return [
        Refusal("stride 0", (size, 0, scales, ratios), "accepts_no_stride"),
        Refusal("stride -8", (size, -8, scales, ratios), "accepts_no_stride"),
        Refusal("a map of 0 x 4 cells", ((0, 4), 8, scales, ratios), "accepts_empty_maps"),
        Refusal("no scales", (size, 8, [], ratios), "accepts_no_shapes"),
        Refusal("no ratios", (size, 8, scales, []), "accepts_no_shapes"),
        Refusal("a scale of -12", (size, 8, [30.0, -12.0], ratios), "accepts_sizes_below_zero"),
        Refusal("a ratio of 0", (size, 8, scales, [0.5, 0.0]), "accepts_sizes_below_zero"),
    ]


def _same_boxes(yours: Tensor, right: Tensor, case: Case) -> bool:
    if yours.shape != right.shape:
        return False
    rows = [
        sorted(map(tuple, (table * 64).round().tolist()))
        for table in (yours.double(), right.double())
    ]
    return rows[0] == rows[1]


def _not_centered(yours: Tensor, right: Tensor, case: Case) -> bool:
    if yours.shape != right.shape:
        return False
    middle = [(table[:, :2] + table[:, 2:]).double() / 2 for table in (yours, right)]
    return not torch.allclose(*middle, atol=PIXELS)


MAKE_ANCHORS = Exercise(
    name="make_anchors",
    contract=(
        "make_anchors(feature_size, stride, scales, ratios) returns boxes x1, y1, x2, y2 of shape "
        "(H·W·S·R, 4), float32: around the center ((j + ½)·stride, (i + ½)·stride) of every cell, "
        "row by row, every scale, and fastest every ratio, h / w = ratio and w·h = scale². "
        "feature_size = (H, W). Sizes below 1, empty lists, a stride, scale or ratio that is not "
        "positive: ValueError."
    ),
    reference=make_anchors,
    parts=(
        Part("values", 0.65, _values, is_value=True),
        Part("hard places", 0.15, _hard),
        Part("bad input", 0.15, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    clues=(
        Clue("The right boxes come, but in another order.", _same_boxes),
        Clue("Your anchors do not sit on the centers of the cells.", _not_centered),
    ),
    points=4,
)
