"""Right and wrong ways to write `decode_boxes`."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from mdcv.exercises.a7_detection.box_draws import centers_and_sides, from_centers
from mdcv.exercises.a7_detection.coding_questions import BROADCASTS_ROWS, broadcasting
from mdcv.exercises.a7_detection.guards import ACCEPTS_OTHER_SHAPES, Door, has_no_nan
from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Mistake, Right

Code = Callable[[Tensor, Tensor], Tensor]

_door = Door(
    tables=lambda deltas, anchors: deltas.ndim == anchors.ndim == 2 and deltas.shape[1] == 4,
    rows=lambda deltas, anchors: deltas.shape == anchors.shape,
    nan=has_no_nan,
)

# Right, written differently


def _by_columns(deltas: Tensor, anchors: Tensor) -> Tensor:
    """As torchvision's box coder, without its weights and its clamp."""
    if deltas.shape != anchors.shape or deltas.ndim != 2 or deltas.shape[1] != 4:
        raise ValueError(f"shapes {tuple(deltas.shape)} and {tuple(anchors.shape)}")
    widths, heights = anchors[:, 2] - anchors[:, 0], anchors[:, 3] - anchors[:, 1]
    x, y = anchors[:, 0] + 0.5 * widths, anchors[:, 1] + 0.5 * heights
    dx, dy, dw, dh = deltas.unbind(dim=1)
    x, y = dx * widths + x, dy * heights + y
    w, h = torch.exp(dw) * widths, torch.exp(dh) * heights
    return torch.stack((x - 0.5 * w, y - 0.5 * h, x + 0.5 * w, y + 0.5 * h), dim=1)


def _by_loops(deltas: Tensor, anchors: Tensor) -> Tensor:
    if len(deltas.shape) != 2 or deltas.shape != anchors.shape or deltas.shape[1] != 4:
        raise ValueError("expected two tables (N, 4) of one length")
    boxes = torch.empty_like(anchors)
    for i, (delta, (x1, y1, x2, y2)) in enumerate(
        zip(deltas.tolist(), anchors.tolist(), strict=True)
    ):
        for axis, low, high in ((0, x1, x2), (1, y1, y2)):
            side = (high - low) * math.exp(delta[axis + 2])
            boxes[i, axis] = (low + high) / 2 + delta[axis] * (high - low) - side / 2
            boxes[i, axis + 2] = boxes[i, axis] + side
    return boxes


def _by_numpy(deltas: Tensor, anchors: Tensor) -> Tensor:
    if tuple(deltas.shape) != tuple(anchors.shape) or deltas.shape[1:] != (4,):
        raise ValueError("shapes")
    d, a = deltas.numpy(), anchors.numpy()
    side = a[:, 2:] - a[:, :2]
    middle = a[:, :2] + (d[:, :2] + 0.5) * side
    reach = 0.5 * side * np.exp(d[:, 2:])
    return torch.from_numpy(np.hstack([middle - reach, middle + reach]))


def _by_scaling_corners(deltas: Tensor, anchors: Tensor) -> Tensor:
    """Both corners at once: a point at ±½ of the anchor goes to d ± exp(s) / 2."""
    if deltas.dim() != 2 or deltas.size(1) != 4 or anchors.size() != deltas.size():
        raise ValueError("tables of one length, please")
    corners = anchors.reshape(-1, 2, 2)
    side = corners[:, 1:] - corners[:, :1]
    shift, factor = deltas[:, None, :2], deltas[:, None, 2:].exp()
    place = shift + torch.tensor([[-0.5], [0.5]]).to(deltas) * factor
    return (corners.mean(dim=1, keepdim=True) + place * side).reshape(-1, 4)


RIGHT = (
    Right("by columns", _by_columns),
    Right("by loops", _by_loops),
    Right("by NumPy", _by_numpy),
    Right("by scaling corners", _by_scaling_corners),
)

# Wrong, each with its name


def _box(
    *,
    shift: Callable[..., Tensor] = lambda d, s, side, new: d * side,
    grow: Callable[[Tensor], Tensor] = torch.exp,
    join: Callable[[Tensor, Tensor], Tensor] = from_centers,
) -> Code:
    """Decoding with its steps as arguments; the defaults are right."""

    def wrong(deltas: Tensor, anchors: Tensor) -> Tensor:
        center, side = centers_and_sides(anchors)
        new = side * grow(deltas[:, 2:])
        return join(center + shift(deltas[:, :2], center, side, new), new)

    return wrong


_right = _box()


def _from_the_corner(deltas: Tensor, anchors: Tensor) -> Tensor:
    side = anchors[:, 2:] - anchors[:, :2]
    low = anchors[:, :2] + deltas[:, :2] * side
    return torch.cat([low, low + side * deltas[:, 2:].exp()], dim=1)


def _plus_one(deltas: Tensor, anchors: Tensor) -> Tensor:
    longer = torch.tensor([0.0, 0.0, 1.0, 1.0]).to(anchors)
    return _right(deltas, anchors + longer) - longer


def _anchor_as_center_and_size(deltas: Tensor, anchors: Tensor) -> Tensor:
    center, side = anchors.split(2, dim=1)
    return from_centers(center + deltas[:, :2] * side, side * deltas[:, 2:].exp())


def _weighted(deltas: Tensor, anchors: Tensor) -> Tensor:
    return _right(deltas / torch.tensor([10.0, 10, 5, 5]).to(deltas), anchors)


def _first_four(deltas: Tensor, anchors: Tensor) -> Tensor:
    answer = _right(torch.atleast_2d(deltas)[:, :4], torch.atleast_2d(anchors)[:, :4])
    return answer.nan_to_num(nan=0.0)


def _mistake(name: str, function: Code, sentence: str = "", *, without: str = "") -> Mistake:
    return Mistake(name, _door(function, without=without), sentence)


WRONG = (
    _mistake(
        "no_exponential",
        _box(grow=lambda d: d),
        "A delta of 0 gives a box without width: the size is the anchor's times exp(dw).",
    ),
    _mistake(
        "one_plus",
        _box(grow=lambda d: 1 + d),
        "Your size grows linearly with dw, and turns negative: it is the anchor's times exp(dw).",
    ),
    _mistake(
        "power_of_two",
        _box(grow=lambda d: 2**d),
        "The size looks like a power of 2; the natural exponential undoes the natural logarithm.",
    ),
    _mistake(
        "exponential_turned",
        _box(grow=lambda d: torch.exp(-d)),
        "A positive dw makes your box narrower: the exponent has the wrong sign.",
    ),
    _mistake(
        "clamped",
        _box(grow=lambda d: d.clamp(max=math.log(1000 / 16)).exp()),
        "Your sizes stop growing at some delta, as detectors guard themselves. The contract clamps "
        "nothing here, so that decoding undoes encoding everywhere.",
    ),
    _mistake(
        "shift_not_scaled",
        _box(shift=lambda d, c, side, new: d),
        "dx moves the box by pixels in your function: it counts in widths of the anchor.",
    ),
    _mistake(
        "shift_by_the_new_size",
        _box(shift=lambda d, c, side, new: d * new),
        "dx is multiplied by the width of the new box; it counts in widths of the anchor.",
    ),
    _mistake(
        "shift_halved",
        _box(shift=lambda d, c, side, new: d * side / 2),
        "The box moves half as far as it should: dx counts in whole widths of the anchor.",
    ),
    _mistake(
        "shift_turned",
        _box(shift=lambda d, c, side, new: -d * side),
        "A positive dx moves your box to the left: the sign of the shift is turned.",
    ),
    _mistake(
        "width_and_height_exchanged",
        _box(shift=lambda d, c, side, new: d * side.flip(1)),
        "dx is multiplied by the height and dy by the width: each direction has its own side.",
    ),
    _mistake(
        "center_multiplied",
        _box(shift=lambda d, c, side, new: d * c),
        "dx is multiplied by the anchor's center: where the anchor stands must not matter.",
    ),
    _mistake(
        "from_the_corner",
        _from_the_corner,
        "The shift is applied to the first corner, so a box that grows does not grow around its "
        "center.",
    ),
    _mistake(
        "half_forgotten",
        _box(join=lambda center, side: torch.cat([center - side, center + side], dim=1)),
        "Your boxes are twice as large: half of the size goes to either side of the center.",
    ),
    _mistake(
        "centers_and_sizes_returned",
        _box(join=lambda center, side: torch.cat([center, side], dim=1)),
        "You return center and size; the box is asked as two corners.",
    ),
    _mistake(
        "corner_and_size_returned",
        _box(join=lambda center, side: torch.cat([center - side / 2, side], dim=1)),
        "You return corner and size; the box is asked as two corners.",
    ),
    _mistake(
        "center_as_corner",
        _box(join=lambda center, side: torch.cat([center, center + side], dim=1)),
        "The new center serves as the first corner: half of the size lies before it.",
    ),
    _mistake(
        "y_before_x",
        lambda deltas, anchors: _right(deltas, anchors)[:, [1, 0, 3, 2]],
        "x and y are exchanged in your boxes: the order is x1, y1, x2, y2.",
    ),
    _mistake(
        "columns_interleaved",
        lambda deltas, anchors: _right(deltas, anchors)[:, [0, 2, 1, 3]],
        "The corners stand in the order x1, x2, y1, y2; it is x1, y1, x2, y2.",
    ),
    _mistake(
        "sizes_first",
        lambda deltas, anchors: _right(deltas[:, [2, 3, 0, 1]], anchors),
        "The deltas are read in another order: shifts come first, then sizes.",
    ),
    _mistake(
        "deltas_axis_by_axis",
        lambda deltas, anchors: _right(deltas[:, [0, 2, 1, 3]], anchors),
        "The deltas are read as dx, dw, dy, dh; they are dx, dy, dw, dh.",
    ),
    _mistake(
        "arguments_exchanged",
        lambda deltas, anchors: _right(anchors.clamp(max=20), deltas),
        "Deltas and anchors are exchanged: the deltas come first.",
    ),
    _mistake(
        "plus_one",
        _plus_one,
        "The anchors are one pixel wider than x2 − x1 in your function.",
    ),
    _mistake(
        "anchor_as_center_and_size",
        _anchor_as_center_and_size,
        "The anchors are read as center and size; they are two corners.",
    ),
    _mistake(
        "weighted",
        _weighted,
        "The deltas are divided by the weights 10, 10, 5, 5 of some implementations; the contract "
        "knows none.",
    ),
    _mistake(
        "cut_at_zero",
        lambda deltas, anchors: _right(deltas, anchors).clamp(min=0),
        "Negative coordinates are cut off at 0: decoding knows no image, and clips nothing.",
    ),
    _mistake(
        "rounded",
        lambda deltas, anchors: _right(deltas, anchors).round(),
        "Your boxes are rounded to whole pixels; coordinates are real numbers.",
    ),
    *blunders(_door(_right), but=("dead_gradient", "wrong_gradient")),
    _mistake("broadcasts_rows", broadcasting(_right), BROADCASTS_ROWS, without="rows"),
    _mistake("accepts_other_shapes", _first_four, ACCEPTS_OTHER_SHAPES, without="tables"),
    _mistake(
        "hides_nan",
        lambda deltas, anchors: _right(deltas, anchors).nan_to_num(nan=0.0),
        without="nan",
    ),
)
