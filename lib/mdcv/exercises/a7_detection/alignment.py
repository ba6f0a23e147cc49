"""The exercise `roi_align`."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from mdcv.detection import roi_align
from mdcv.exercises.a7_detection.alignment_right import RIGHT
from mdcv.exercises.a7_detection.alignment_wrong import WRONG
from mdcv.exercises.a7_detection.region_questions import (
    MAP,
    corners_beside,
    odd_layouts,
    refusals,
    region_case,
    some_corners,
    some_maps,
    to_regions,
)
from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Call, Case, Exercise, Law, Part

#: Positions in float32 are right too; values between cells then differ in the sixth digit.
NEAR = 3e-5

case = partial(region_case, atol=NEAR)

ALIGNED = {"sampling_ratio": 2, "aligned": True}


def _inside(draw: Draw, k: int, size: tuple[int, int], scale: float, **options: Any) -> Case:
    regions = to_regions(draw, some_corners(draw, k), scale)
    return case("regions inside the map", some_maps(draw), regions, size, scale, options=options)


def _values(draw: Draw) -> list[Case]:
    return [
        _inside(draw, 4, (2, 3), 1.0, sampling_ratio=2, aligned=True),
        _inside(draw, 3, (3, 2), 0.25, sampling_ratio=2, aligned=True),
        _inside(draw, 3, (2, 2), 0.125, sampling_ratio=1, aligned=True),
        _inside(draw, 2, (1, 3), 0.5, sampling_ratio=3, aligned=True),
    ]


def _not_aligned(draw: Draw) -> list[Case]:
    return [
        _inside(draw, 3, (2, 3), 1.0, sampling_ratio=2),
        _inside(draw, 3, (3, 2), 0.25, sampling_ratio=2, aligned=False),
        _inside(draw, 2, (2, 1), 0.5, sampling_ratio=1),
    ]


def _adaptive(draw: Draw) -> list[Case]:
    """As many samples as a bin has cells, another number along each axis of long regions."""
    long = to_regions(draw, some_corners(draw, 3) * torch.tensor([1.0, 0.4, 1.5, 0.7]), 0.5)
    return [
        _inside(draw, 3, (2, 3), 0.25, aligned=True),
        _inside(draw, 3, (2, 2), 0.5, sampling_ratio=0, aligned=True),
        case("long regions", some_maps(draw), long, (1, 2), 0.5, options={"sampling_ratio": -1}),
        case(
            "without any option", some_maps(draw), to_regions(draw, some_corners(draw, 3)), (3, 2)
        ),
    ]


def _hard(draw: Draw) -> list[Case]:
    beside = to_regions(draw, corners_beside(draw))
    small = to_regions(draw, some_corners(draw, 4, least=0.2, most=0.8))
    ramp = torch.arange(MAP[1]).double() + 10 * torch.arange(MAP[0]).double()[:, None]
    ramp = ramp.expand(2, 3, *MAP).contiguous()
    plain = {"sampling_ratio": 2}
    return [
        case("regions beside the map", some_maps(draw), beside, (2, 3), options=ALIGNED),
        case("regions beside the map", some_maps(draw), beside, (3, 2), options=plain),
        case("regions smaller than a cell", some_maps(draw), small, (2, 3), options=ALIGNED),
        case("regions smaller than a cell", some_maps(draw), small, (2, 3), options=plain),
        case("a ramp", ramp, to_regions(draw, some_corners(draw, 3)), (2, 2), options=ALIGNED),
        *odd_layouts(draw, ALIGNED, atol=NEAR),
    ]


def _gradients(draw: Draw) -> list[Case]:
    inside = to_regions(draw, some_corners(draw, 3), 0.5)
    beside = to_regions(draw, corners_beside(draw))
    maps = some_maps(draw)
    return [
        case("the gradient", maps, inside, (2, 3), 0.5, gradient="value", options=ALIGNED),
        case(
            "the gradient beside the map", maps, beside, (2, 2), gradient="value", options=ALIGNED
        ),
    ]


def _maps_twice(draw: Draw) -> list[Call]:
    maps, regions = some_maps(draw), to_regions(draw, some_corners(draw, 3))
    return [((maps, regions, (2, 3)), ALIGNED), ((3 * maps, regions, (2, 3)), ALIGNED)]


def _constant_map(draw: Draw) -> list[Call]:
    maps, regions = some_maps(draw), to_regions(draw, some_corners(draw, 3))
    return [((0 * maps + 2.5, regions, (2, 3)), ALIGNED)]


def _is_constant(values: Any) -> bool:
    (value,) = values
    return bool(((value - 2.5).abs() < 1e-6).all())


def _is_linear(values: Any) -> bool:
    once, threefold = values
    return torch.allclose(3 * once, threefold, rtol=1e-5)


LAWS = (
    Law(
        "On a constant map your regions do not have that constant: weights that belong together "
        "must add up to 1.",
        _constant_map,
        _is_constant,
    ),
    Law(
        "Maps three times as large do not give values three times as large: RoI Align is linear "
        "in the map.",
        _maps_twice,
        _is_linear,
    ),
)

ROI_ALIGN = Exercise(
    name="roi_align",
    contract=(
        "roi_align(input, boxes, output_size, spatial_scale=1.0, sampling_ratio=-1, "
        "aligned=False) returns (K, C, h, w) for output_size = (h, w): the mean of bilinear "
        "samples of input (N, C, H, W) at the centers of equal parts of each bin of each row "
        "(image, x1, y1, x2, y2) of boxes; sampling_ratio² samples, 0 or less as many as the bin "
        "has cells, rounded up along each axis. aligned moves regions by −½ cell; otherwise they "
        "are one cell wide and high at least. A sample up to one cell outside takes the border's "
        "value, one farther out is 0. With its gradient for input. Other shapes, images that are "
        "not there, inverted regions: ValueError; NaN is refused or comes out as NaN."
    ),
    reference=roi_align,
    parts=(
        Part("aligned", 0.3, _values, is_value=True),
        Part("not aligned", 0.1, _not_aligned, is_value=True),
        Part("as many samples as cells", 0.15, _adaptive),
        Part("hard places", 0.15, _hard),
        Part("gradient", 0.15, _gradients),
        Part("bad input", 0.1, refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    laws=LAWS,
    points=6,
)
