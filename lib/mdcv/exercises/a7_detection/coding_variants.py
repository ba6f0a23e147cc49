"""Right and wrong ways to write `encode_boxes`."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from mdcv.exercises.a7_detection.box_draws import centers_and_sides
from mdcv.exercises.a7_detection.coding_questions import BROADCASTS_ROWS, broadcasting
from mdcv.exercises.a7_detection.guards import (
    ACCEPTS_INVERTED_BOXES,
    ACCEPTS_OTHER_SHAPES,
    Door,
    has_no_nan,
    is_upright,
)
from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Mistake, Right

Code = Callable[[Tensor, Tensor], Tensor]

_door = Door(
    tables=lambda boxes, anchors: boxes.ndim == anchors.ndim == 2 and boxes.shape[1] == 4,
    rows=lambda boxes, anchors: boxes.shape == anchors.shape,
    inverted=lambda boxes, anchors: is_upright(boxes) and is_upright(anchors),
    nan=has_no_nan,
)

# Right, written differently


def _by_columns(boxes: Tensor, anchors: Tensor) -> Tensor:
    """As torchvision's box coder, without its weights."""
    if boxes.shape != anchors.shape or boxes.ndim != 2 or boxes.shape[-1] != 4:
        raise ValueError(f"shapes {tuple(boxes.shape)} and {tuple(anchors.shape)}")
    for table in (boxes, anchors):
        if (table[:, 0] > table[:, 2]).any() or (table[:, 1] > table[:, 3]).any():
            raise ValueError("inverted")
    width, height = anchors[:, 2:3] - anchors[:, 0:1], anchors[:, 3:4] - anchors[:, 1:2]
    x, y = anchors[:, 0:1] + 0.5 * width, anchors[:, 1:2] + 0.5 * height
    box_width, box_height = boxes[:, 2:3] - boxes[:, 0:1], boxes[:, 3:4] - boxes[:, 1:2]
    dx = (boxes[:, 0:1] + 0.5 * box_width - x) / width
    dy = (boxes[:, 1:2] + 0.5 * box_height - y) / height
    return torch.cat((dx, dy, (box_width / width).log(), (box_height / height).log()), dim=1)


def _by_loops(boxes: Tensor, anchors: Tensor) -> Tensor:
    if len(boxes.shape) != 2 or boxes.shape != anchors.shape or boxes.shape[1] != 4:
        raise ValueError("expected two tables (N, 4) of one length")
    rows = []
    for (a, b, c, d), (e, f, g, h) in zip(boxes.tolist(), anchors.tolist(), strict=True):
        w, k, wa, ka = c - a, d - b, g - e, h - f
        if any(side < 0 for side in (w, k, wa, ka)):
            raise ValueError("inverted")
        x, y = ((a + c) - (e + g)) / 2 / wa, ((b + d) - (f + h)) / 2 / ka
        rows.append([x, y, math.log(w) - math.log(wa), math.log(k) - math.log(ka)])
    return torch.tensor(rows, dtype=boxes.dtype).reshape(-1, 4)


def _by_numpy(boxes: Tensor, anchors: Tensor) -> Tensor:
    b, a = boxes.numpy().reshape(-1, 2, 2), anchors.numpy().reshape(-1, 2, 2)
    if boxes.shape != anchors.shape or boxes.shape != (len(b), 4):
        raise ValueError("shapes")
    side, anchor_side = np.diff(b, axis=1)[:, 0], np.diff(a, axis=1)[:, 0]
    if not (side >= 0).all() or not (anchor_side > 0).all():
        raise ValueError("inverted, or NaN")
    shift = (b.mean(axis=1) - a.mean(axis=1)) / anchor_side
    return torch.from_numpy(np.concatenate([shift, np.log(side / anchor_side)], axis=1))


def _by_matrices(boxes: Tensor, anchors: Tensor) -> Tensor:
    """Corners to centers and sides as one linear map; NaN says that a logarithm is undefined."""
    if boxes.dim() != 2 or boxes.size(1) != 4 or anchors.size() != boxes.size():
        raise ValueError("tables of one length, please")
    to_center = torch.tensor([[0.5, 0, -1, 0], [0, 0.5, 0, -1], [0.5, 0, 1, 0], [0, 0.5, 0, 1]])
    shift, side = (
        ((boxes - anchors) @ to_center.to(boxes))[:, :2],
        (boxes @ to_center.to(boxes))[:, 2:],
    )
    anchor_side = (anchors @ to_center.to(boxes))[:, 2:]
    return torch.cat([shift / anchor_side, torch.log(side) - torch.log(anchor_side)], dim=1)


RIGHT = (
    Right("by columns", _by_columns),
    Right("by loops", _by_loops),
    Right("by NumPy", _by_numpy),
    Right("by matrices", _by_matrices),
)

# Wrong, each with its name


def _code(change: Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]) -> Code:
    """A code from center, side, center and side of the anchor."""

    def wrong(boxes: Tensor, anchors: Tensor) -> Tensor:
        return torch.cat(change(*centers_and_sides(boxes), *centers_and_sides(anchors)), dim=1)

    return wrong


def _shift(change: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> Code:
    """Right but for (dx, dy)."""
    return _code(lambda c, s, ca, sa: (change(c, s, ca, sa), (s / sa).log()))


def _size(change: Callable[[Tensor, Tensor], Tensor]) -> Code:
    """Right but for (dw, dh)."""
    return _code(lambda c, s, ca, sa: ((c - ca) / sa, change(s, sa)))


_right = _size(lambda s, sa: (s / sa).log())


def _from_corners(boxes: Tensor, anchors: Tensor) -> Tensor:
    right = _right(boxes, anchors)
    shift = (boxes[:, :2] - anchors[:, :2]) / (anchors[:, 2:] - anchors[:, :2])
    return torch.cat([shift, right[:, 2:]], dim=1)


def _plus_one(boxes: Tensor, anchors: Tensor) -> Tensor:
    longer = torch.tensor([0.0, 0.0, 1.0, 1.0]).to(boxes)
    return _right(boxes + longer, anchors + longer)


def _corner_and_size(boxes: Tensor, anchors: Tensor) -> Tensor:
    pair = [torch.cat([x[:, :2], x[:, :2] + x[:, 2:].abs()], dim=1) for x in (boxes, anchors)]
    return _right(*pair)


def _center_and_size(boxes: Tensor, anchors: Tensor) -> Tensor:
    shift = (boxes[:, :2] - anchors[:, :2]) / anchors[:, 2:].abs()
    return torch.cat([shift, (boxes[:, 2:] / anchors[:, 2:]).abs().log()], dim=1)


def _first_four(boxes: Tensor, anchors: Tensor) -> Tensor:
    answer = _right(torch.atleast_2d(boxes)[:, :4], torch.atleast_2d(anchors)[:, :4])
    return answer.nan_to_num(nan=0.0)


def _inverted_hidden(boxes: Tensor, anchors: Tensor) -> Tensor:
    return _code(lambda c, s, ca, sa: ((c - ca) / sa, (s / sa).abs().log()))(boxes, anchors)


def _mistake(name: str, function: Code, sentence: str = "", *, without: str = "") -> Mistake:
    return Mistake(name, _door(function, without=without), sentence)


WRONG = (
    _mistake(
        "not_divided",
        _shift(lambda c, s, ca, sa: c - ca),
        "Your shift grows with the picture: targets must not change when scene and anchors scale "
        "together. Divide by the anchor's size.",
    ),
    _mistake(
        "divided_by_the_box",
        _shift(lambda c, s, ca, sa: (c - ca) / s),
        "Your shift is divided by the size of the box. The network knows the anchor alone when it "
        "decodes: divide by the anchor's size.",
    ),
    _mistake(
        "width_and_height_exchanged",
        _shift(lambda c, s, ca, sa: (c - ca) / sa.flip(1)),
        "dx is divided by the height and dy by the width: each direction has its own side.",
    ),
    _mistake(
        "one_size_for_both",
        _shift(lambda c, s, ca, sa: (c - ca) / sa.prod(dim=1, keepdim=True).sqrt()),
        "Both shifts are divided by one number; dx belongs to the width, dy to the height.",
    ),
    _mistake(
        "shift_of_the_corner",
        _from_corners,
        "Your shift is the one of the first corner; the centers are compared.",
    ),
    _mistake(
        "shift_doubled",
        _shift(lambda c, s, ca, sa: 2 * (c - ca) / sa),
        "Your shift is twice as large: the center is half of the sum of the corners, or the "
        "distance is divided by the whole side.",
    ),
    _mistake(
        "sides_subtracted",
        _size(lambda s, sa: (s - sa) / sa),
        "dw and dh look like (w − wa) / wa; the logarithm of the ratio was asked.",
    ),
    _mistake(
        "ratio_without_logarithm",
        _size(lambda s, sa: s / sa),
        "dw and dh look like plain ratios: without the logarithm a box of the anchor's size does "
        "not get 0.",
    ),
    _mistake(
        "root_of_the_ratio",
        _size(lambda s, sa: (s / sa).sqrt()),
        "dw and dh look like roots of ratios; the logarithm was asked.",
    ),
    _mistake(
        "logarithm_of_one_plus",
        _size(lambda s, sa: (s / sa).log1p()),
        "dw and dh look like log(1 + w / wa): a box of the anchor's size should get 0.",
    ),
    _mistake(
        "logarithm_base_2",
        _size(lambda s, sa: (s / sa).log2()),
        "The logarithm is the one to base 2; the natural one was asked.",
    ),
    _mistake(
        "logarithm_base_10",
        _size(lambda s, sa: (s / sa).log10()),
        "The logarithm is the one to base 10; the natural one was asked.",
    ),
    _mistake(
        "ratio_upside_down",
        _size(lambda s, sa: (sa / s).log()),
        "A box wider than its anchor gets a negative dw: the ratio is upside down.",
    ),
    _mistake(
        "areas_compared",
        _size(lambda s, sa: (s.prod(1) / sa.prod(1)).log()[:, None].expand(-1, 2)),
        "dw and dh are both the logarithm of the ratio of areas; each side has its own.",
    ),
    _mistake(
        "shift_turned",
        _shift(lambda c, s, ca, sa: (ca - c) / sa),
        "Your shift points from the box to the anchor; it should lead from the anchor to the box.",
    ),
    _mistake(
        "arguments_exchanged",
        lambda boxes, anchors: _right(anchors, boxes),
        "Boxes and anchors are exchanged: what comes is the code of the anchor relative to the "
        "box.",
    ),
    _mistake(
        "weighted",
        lambda boxes, anchors: _right(boxes, anchors) * torch.tensor([10.0, 10, 5, 5]).to(boxes),
        "Your code is multiplied by the weights 10, 10, 5, 5 of some implementations; the contract "
        "knows none.",
    ),
    _mistake(
        "plus_one",
        _plus_one,
        "Your boxes are one pixel wider than x2 − x1, and small ones feel it.",
    ),
    _mistake(
        "corner_and_size",
        _corner_and_size,
        "The last two numbers are read as width and height; they are the second corner.",
    ),
    _mistake(
        "center_and_size",
        _center_and_size,
        "The boxes are read as center and size; the four numbers are two corners.",
    ),
    _mistake(
        "sizes_first",
        lambda boxes, anchors: _right(boxes, anchors)[:, [2, 3, 0, 1]],
        "The four numbers stand in another order: shifts come first, then sizes.",
    ),
    _mistake(
        "y_before_x",
        lambda boxes, anchors: _right(boxes, anchors)[:, [1, 0, 3, 2]],
        "x and y are exchanged in your answer: the order is dx, dy, dw, dh.",
    ),
    _mistake(
        "axis_by_axis",
        lambda boxes, anchors: _right(boxes, anchors)[:, [0, 2, 1, 3]],
        "The four numbers stand in the order dx, dw, dy, dh; it is dx, dy, dw, dh.",
    ),
    _mistake(
        "transposed",
        lambda boxes, anchors: _right(boxes, anchors).T,
        "The numbers lie on their side: (4, N) for (N, 4).",
    ),
    *blunders(_door(_right), but=("dead_gradient", "wrong_gradient")),
    _mistake("broadcasts_rows", broadcasting(_right), BROADCASTS_ROWS, without="rows"),
    _mistake("accepts_other_shapes", _first_four, ACCEPTS_OTHER_SHAPES, without="tables"),
    _mistake(
        "accepts_inverted_boxes",
        _inverted_hidden,
        ACCEPTS_INVERTED_BOXES,
        without="inverted",
    ),
    _mistake(
        "hides_nan",
        lambda boxes, anchors: _right(boxes, anchors).nan_to_num(nan=0.0),
        without="nan",
    ),
)
