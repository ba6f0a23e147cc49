"""The mistakes that `roi_pool` and `roi_align` share, and the door in front of their variants."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.a7_detection.guards import (
    ACCEPTS_INVERTED_BOXES,
    ACCEPTS_OTHER_SHAPES,
    Door,
)
from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Mistake

ACCEPTS_ANY_IMAGE = (
    "A region of an image that is not there was accepted: −1 counts from the end in PyTorch, and "
    "other numbers may land anywhere. Compare with input.shape[0] and raise a ValueError."
)

door = Door(
    shapes=lambda maps, boxes, *rest, **options: (
        maps.ndim == 4 and boxes.ndim == 2 and boxes.shape[1] == 5
    ),
    image=lambda maps, boxes, *rest, **options: bool(
        ((boxes[:, 0] >= 0) & (boxes[:, 0] < len(maps))).all()
    ),
    inverted=lambda maps, boxes, *rest, **options: not bool((boxes[:, 3:] < boxes[:, 1:3]).any()),
    nan=lambda maps, boxes, *rest, **options: not bool(boxes.isnan().any()),
)


def region_mistakes(right: Any) -> tuple[Mistake, ...]:
    """The shared mistakes, made from a right function.

    It also takes `map_of`, which picks the map (C, H, W) of an image.
    """

    def mistake(name: str, function: Any, sentence: str = "", *, without: str = "") -> Mistake:
        return Mistake(name, door(function, without=without), sentence)

    def on_regions(change: Any) -> Any:
        return lambda maps, boxes, *rest, **options: right(maps, change(boxes), *rest, **options)

    def with_maps(map_of: Any) -> Any:
        return lambda *given, **options: right(*given, **options, map_of=map_of)

    return (
        mistake(
            "first_image_only",
            with_maps(lambda input, image: input[0]),
            "All regions are taken from the first image; the first number of a row says which.",
        ),
        mistake(
            "first_channel_only",
            with_maps(lambda input, image: input[image, :1].expand_as(input[image])),
            "Every channel gets the values of the first one.",
        ),
        mistake(
            "x_and_y_exchanged",
            on_regions(lambda boxes: boxes[:, [0, 2, 1, 4, 3]]),
            "x runs along the height in your function: columns are x, the last axis of the map.",
        ),
        mistake(
            "corner_and_size",
            on_regions(
                lambda boxes: torch.cat([boxes[:, :3], boxes[:, 1:3] + boxes[:, 3:].abs()], dim=1)
            ),
            "The last two numbers of a region are read as width and height; they are the second "
            "corner.",
        ),
        mistake(
            "size_exchanged",
            lambda maps, boxes, size, *rest, **options: right(
                maps, boxes, size[::-1], *rest, **options
            ),
            "output_size is read as (width, height); it is (height, width).",
        ),
        mistake(
            "transposed",
            lambda *given, **options: right(*given, **options).mT,
            "Your bins lie on their side: rows of bins belong to y.",
        ),
        *blunders(door(right), but=("returns_list",)),
        mistake("accepts_other_shapes", _leniently(right), ACCEPTS_OTHER_SHAPES, without="shapes"),
        mistake("accepts_any_image", _leniently(right), ACCEPTS_ANY_IMAGE, without="image"),
        mistake(
            "accepts_inverted_boxes",
            _uprightly(right),
            ACCEPTS_INVERTED_BOXES,
            without="inverted",
        ),
        mistake("hides_nan", _without_nan(right), without="nan"),
    )


def _leniently(function: Any) -> Any:
    """The function on whatever comes: a map alone, boxes without an image, any image number."""

    def wrong(maps: Tensor, boxes: Tensor, *rest: Any, **options: Any) -> Tensor:
        maps = maps if maps.ndim == 4 else maps[None]
        if boxes.shape[1] == 4:
            boxes = torch.cat([boxes[:, :1] * 0, boxes], dim=1)
        number = boxes[:, :1].clamp(0, len(maps) - 1)
        return function(maps, torch.cat([number, boxes[:, 1:]], dim=1), *rest, **options)

    return wrong


def _uprightly(function: Any) -> Any:
    """The function on regions whose corners are put in order."""

    def wrong(maps: Tensor, boxes: Tensor, *rest: Any, **options: Any) -> Tensor:
        a, b = boxes[:, 1:3], boxes[:, 3:]
        low, high = torch.minimum(a, b), torch.maximum(a, b)
        return function(maps, torch.cat([boxes[:, :1], low, high], dim=1), *rest, **options)

    return wrong


def _without_nan(function: Any) -> Any:
    """The function on regions whose NaN became 0."""
    upright = _uprightly(function)
    return lambda maps, boxes, *rest, **options: upright(
        maps, boxes.nan_to_num(nan=0.0), *rest, **options
    )
