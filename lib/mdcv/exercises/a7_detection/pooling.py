"""The exercise `roi_pool`."""

from __future__ import annotations

import torch

from mdcv.detection import roi_pool
from mdcv.exercises.a7_detection.pooling_right import RIGHT
from mdcv.exercises.a7_detection.pooling_wrong import WRONG
from mdcv.exercises.a7_detection.region_questions import (
    corners_beside,
    odd_layouts,
    refusals,
    region_case,
    some_corners,
    some_maps,
    to_regions,
)
from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Case, Exercise, Part


def _values(draw: Draw) -> list[Case]:
    cases = []
    for k, scale, size in (
        (5, 1.0, (2, 3)),
        (4, 0.25, (3, 2)),
        (3, 0.5, (4, 3)),
        (4, 0.125, (1, 1)),
    ):
        regions = to_regions(draw, some_corners(draw, k), scale)
        cases.append(region_case("regions inside the map", some_maps(draw), regions, size, scale))
    regions = to_regions(draw, some_corners(draw, 4))
    return [*cases, region_case("without a scale", some_maps(draw), regions, (3, 2))]


def _halves(draw: Draw) -> list[Case]:
    """Corners at halves, above and below zero, and just beside them."""
    corners = torch.tensor(
        [[0.5, 1.5, 5.5, 6.5], [2.5, 3.5, 7.5, 9.5], [1.5, 0.5, 8.5, 4.5], [4.5, 2.5, 10.5, 7.5]]
    ).double()
    below = torch.tensor([[-1.5, -0.5, 5.5, 6.5], [-2.5, -1.5, 3.5, 4.5]]).double()
    near = corners + 0.02 * torch.where(draw.uniform(4, 4) < 0.5, -1, 1)
    maps = some_maps(draw)
    name = "rounds_halves_otherwise"
    return [
        region_case("corners at halves", maps, to_regions(draw, corners), (2, 3), suspicion=name),
        region_case(
            "corners at halves", maps, to_regions(draw, corners, 0.25), (3, 2), 0.25, suspicion=name
        ),
        region_case("corners near halves", maps, to_regions(draw, near), (2, 3), suspicion=name),
        region_case(
            "corners at halves below zero", maps, to_regions(draw, below), (2, 3), suspicion=name
        ),
    ]


def _hard(draw: Draw) -> list[Case]:
    below = -0.5 - some_maps(draw).abs()
    small = some_corners(draw, 4, least=0.1, most=1.3)
    beside = to_regions(draw, corners_beside(draw))
    return [
        region_case("maps below 0, regions beside the map", below, beside, (2, 3)),
        region_case("regions beside the map", some_maps(draw), beside[[1, 0, 4, 2, 3]], (3, 4)),
        region_case("regions smaller than their bins", below, to_regions(draw, small), (3, 4)),
        *odd_layouts(draw, {}),
    ]


def _gradients(draw: Draw) -> list[Case]:
    inside = to_regions(draw, some_corners(draw, 4), 0.5)
    beside = to_regions(draw, corners_beside(draw))
    return [
        region_case("the gradient", some_maps(draw), inside, (2, 3), 0.5, gradient="value"),
        region_case(
            "the gradient beside the map", some_maps(draw), beside, (3, 2), gradient="value"
        ),
    ]


ROI_POOL = Exercise(
    name="roi_pool",
    contract=(
        "roi_pool(input, boxes, output_size, spatial_scale=1.0) returns (K, C, h, w) for "
        "output_size = (h, w) and spatial_scale in cells per pixel: the greatest value of input "
        "(N, C, H, W) in each bin of each row (image, x1, y1, x2, y2) of boxes. "
        "Scaled corners are rounded, halves away from zero, the last cell counts; bin i covers "
        "⌊i·size/h⌋ to ⌈(i+1)·size/h⌉; 0 where it holds no cell. With its gradient for input. "
        "Other shapes, images that are not there, inverted regions: ValueError; NaN is refused or "
        "comes out as NaN."
    ),
    reference=roi_pool,
    parts=(
        Part("values", 0.4, _values, is_value=True),
        Part("corners at halves", 0.1, _halves),
        Part("hard places", 0.2, _hard),
        Part("gradient", 0.15, _gradients),
        Part("bad input", 0.1, refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    points=6,
    traits={
        "rounds_halves_otherwise": (
            "Corners halfway between two cells are rounded another way: halves go away from zero, "
            "so 0.5 becomes 1, 2.5 becomes 3, and −0.5 becomes −1."
        ),
    },
)
