"""Right and wrong ways to write `box_iou`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from mdcv.exercises.a7_detection.box_draws import (
    areas,
    common_sides,
    overlaps,
    overlaps_plus_one,
    share,
)
from mdcv.exercises.a7_detection.guards import (
    ACCEPTS_INVERTED_BOXES,
    ACCEPTS_OTHER_SHAPES,
    Door,
    has_no_nan,
    is_table,
    is_upright,
)
from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Mistake, Right

Table = Callable[[Tensor, Tensor], Tensor]

_door = Door(
    shapes=lambda a, b: is_table(a) and is_table(b),
    inverted=lambda a, b: is_upright(a) and is_upright(b),
    nan=has_no_nan,
)

# Right, written differently


def _by_coordinates(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    if boxes1.dim() != 2 or boxes2.dim() != 2 or boxes1.size(-1) != 4 or boxes2.size(-1) != 4:
        raise ValueError(f"shapes {tuple(boxes1.shape)} and {tuple(boxes2.shape)}")
    for boxes in (boxes1, boxes2):
        if (boxes[:, 2] < boxes[:, 0]).any() or (boxes[:, 3] < boxes[:, 1]).any():
            raise ValueError("inverted")
    ax1, ay1, ax2, ay2 = (column[:, None] for column in boxes1.unbind(1))
    bx1, by1, bx2, by2 = (column[None, :] for column in boxes2.unbind(1))
    width = (torch.min(ax2, bx2) - torch.max(ax1, bx1)).relu()
    height = (torch.min(ay2, by2) - torch.max(ay1, by1)).relu()
    inter = width * height
    union = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - inter
    return (inter / union).masked_fill(union == 0, 0.0)


def _by_loops(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    if not is_table(boxes1) or not is_table(boxes2):
        raise ValueError("expected (N, 4) and (M, 4)")
    table = torch.zeros(len(boxes1), len(boxes2), dtype=boxes1.dtype)
    for i, (a, b, c, d) in enumerate(boxes1.tolist()):
        for j, (e, f, g, h) in enumerate(boxes2.tolist()):
            if c < a or d < b or g < e or h < f:
                raise ValueError("inverted")
            width, height = min(c, g) - max(a, e), min(d, h) - max(b, f)
            if a != a or width != width or height != height:
                table[i, j] = torch.nan
            elif width > 0 and height > 0:
                inter = width * height
                table[i, j] = inter / ((c - a) * (d - b) + (g - e) * (h - f) - inter)
    return table


def _by_numpy(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    a, b = boxes1.numpy()[:, None], boxes2.numpy()[None]
    if a.shape[2:] != (4,) or b.shape[2:] != (4,):
        raise ValueError(f"shapes {a.shape} and {b.shape}")
    if np.isnan(a).any() or np.isnan(b).any():
        raise ValueError("NaN")
    if (a[..., :2] > a[..., 2:]).any() or (b[..., :2] > b[..., 2:]).any():
        raise ValueError("inverted")
    sides = np.clip(
        np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None
    )
    inter = sides[..., 0] * sides[..., 1]
    union = np.prod(a[..., 2:] - a[..., :2], -1) + np.prod(b[..., 2:] - b[..., :2], -1) - inter
    return torch.from_numpy(np.divide(inter, union, out=np.zeros_like(inter), where=union > 0))


def _by_clamping_into(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Each box cut to the other: what is left of it is the intersection."""
    if boxes1.shape[1:] != (4,) or boxes2.shape[1:] != (4,):
        raise ValueError("not tables of boxes")
    area1 = (boxes1[:, 2:] - boxes1[:, :2]).prod(1)
    area2 = (boxes2[:, 2:] - boxes2[:, :2]).prod(1)
    both = torch.cat([boxes1, boxes2])
    if (both[:, 2:] - both[:, :2] < 0).any():
        raise ValueError("inverted")
    low, high = boxes2[None, :, :2], boxes2[None, :, 2:]
    first = torch.clamp(boxes1[:, None, :2], low, high)
    last = torch.clamp(boxes1[:, None, 2:], low, high)
    inter = (last - first).prod(2)
    union = area1.unsqueeze(1) + area2.unsqueeze(0) - inter
    return torch.where(
        union > 0,
        inter / union.clamp(min=1e-300 if union.dtype == torch.float64 else 1e-38),
        union * 0,
    )


RIGHT = (
    Right("by coordinates", _by_coordinates),
    Right("by loops", _by_loops),
    Right("by NumPy", _by_numpy),
    Right("by clamping into", _by_clamping_into),
)

# Wrong, each with its name


def _inter(a: Tensor, b: Tensor) -> Tensor:
    return common_sides(a, b).clamp(min=0).prod(dim=2)


def _over(whole: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Table:
    """The intersection over something else; `whole` gets it, and the areas as (N, 1) and (M,)."""

    def wrong(a: Tensor, b: Tensor) -> Tensor:
        inter = _inter(a, b)
        return share(inter, whole(inter, areas(a)[:, None], areas(b)).expand_as(inter))

    return wrong


def _with_inter(inter: Table) -> Table:
    """Right but for the intersection."""

    def wrong(a: Tensor, b: Tensor) -> Tensor:
        part = inter(a, b)
        return share(part, areas(a)[:, None] + areas(b) - part)

    return wrong


def _enclosing(a: Tensor, b: Tensor) -> Tensor:
    sides = torch.maximum(a[:, None, 2:], b[:, 2:]) - torch.minimum(a[:, None, :2], b[:, :2])
    return sides.prod(dim=2)


def _generalized(a: Tensor, b: Tensor) -> Tensor:
    inter = _inter(a, b)
    union, hull = areas(a)[:, None] + areas(b) - inter, _enclosing(a, b)
    return overlaps(a, b) - share(hull - union, hull)


def _from_corner_and_size(a: Tensor, b: Tensor) -> Tensor:
    return overlaps(*(torch.cat([x[:, :2], x[:, :2] + x[:, 2:].abs()], dim=1) for x in (a, b)))


def _from_center_and_size(a: Tensor, b: Tensor) -> Tensor:
    halves = [(x[:, :2], x[:, 2:].abs() / 2) for x in (a, b)]
    return overlaps(*(torch.cat([c - h, c + h], dim=1) for c, h in halves))


def _in_order(a: Tensor, b: Tensor) -> Tensor:
    n = min(len(a), len(b))
    return overlaps(a[:n], b[:n]).diagonal()


def _unguarded(a: Tensor, b: Tensor) -> Tensor:
    inter = _inter(a, b)
    return inter / (areas(a)[:, None] + areas(b) - inter)


def _upright(boxes: Tensor) -> Tensor:
    low, high = boxes[:, :2], boxes[:, 2:]
    return torch.cat([torch.minimum(low, high), torch.maximum(low, high)], dim=1)


def _first_four(a: Tensor, b: Tensor) -> Tensor:
    return overlaps(*(torch.atleast_2d(x)[:, :4] for x in (a, b)))


def _mistake(name: str, function: Table, sentence: str = "", *, without: str = "") -> Mistake:
    return Mistake(name, _door(function, without=without), sentence)


WRONG = (
    _mistake(
        "plus_one",
        overlaps_plus_one,
        "Boxes that only touch overlap in your function: a box from x1 to x2 is x2 − x1 wide, "
        "without a pixel more.",
    ),
    _mistake(
        "not_clamped",
        _with_inter(lambda a, b: common_sides(a, b).prod(dim=2)),
        "Boxes that are apart have an overlap: a negative width of the intersection means there "
        "is none, and two negatives multiply to a positive.",
    ),
    _mistake(
        "clamped_after_the_product",
        _with_inter(lambda a, b: common_sides(a, b).prod(dim=2).clamp(min=0)),
        "Boxes that are apart in both directions have an overlap: cut width and height off at 0 "
        "before you multiply them.",
    ),
    _mistake(
        "only_one_side_clamped",
        _with_inter(
            lambda a, b: common_sides(a, b)[..., 0].clamp(min=0) * common_sides(a, b)[..., 1]
        ),
        "Boxes that are apart vertically have a negative overlap: the height needs the same "
        "care as the width.",
    ),
    _mistake(
        "sum_of_the_areas",
        _over(lambda i, a, b: a + b),
        "A box against itself is at one half: the intersection is counted twice in your union.",
    ),
    _mistake(
        "dice",
        _over(lambda i, a, b: (a + b) / 2),
        "Looks like twice the intersection over the sum of the areas: that is the Dice "
        "coefficient. Divide by the union.",
    ),
    _mistake(
        "intersection_subtracted_twice",
        _over(lambda i, a, b: a + b - 2 * i),
        "The intersection is taken off twice: what is left is the union without it.",
    ),
    _mistake(
        "over_the_first",
        _over(lambda i, a, b: a),
        "Looks like the share of the first box that is covered. Divide by the union of both.",
    ),
    _mistake(
        "over_the_second",
        _over(lambda i, a, b: b),
        "Looks like the share of the second box that is covered. Divide by the union of both.",
    ),
    _mistake(
        "over_the_smaller",
        _over(lambda i, a, b: torch.minimum(a, b)),
        "A box inside another is at 1: you divide by the smaller area, not by the union.",
    ),
    _mistake(
        "over_the_larger",
        _over(lambda i, a, b: torch.maximum(a, b)),
        "You divide by the larger of the two areas; the union is what either of them covers.",
    ),
    _mistake(
        "over_the_enclosing_box",
        lambda a, b: share(_inter(a, b), _enclosing(a, b)),
        "You divide by the box around both; the union is smaller, since its empty corners do not "
        "count.",
    ),
    _mistake(
        "generalized",
        _generalized,
        "Looks like the generalized IoU, which goes below 0 for boxes that are apart. The plain "
        "one was asked.",
    ),
    _mistake(
        "minimum_and_maximum_exchanged",
        _with_inter(_enclosing),
        "Looks like minimum and maximum exchanged: the intersection begins where the later box "
        "begins, and ends where the first one ends.",
    ),
    _mistake(
        "horizontal_only",
        lambda a, b: share(
            common_sides(a, b)[..., 0].clamp(min=0),
            (a[:, 2] - a[:, 0])[:, None]
            + (b[:, 2] - b[:, 0])
            - common_sides(a, b)[..., 0].clamp(min=0),
        ),
        "Only x matters in your overlap: boxes have a height as well.",
    ),
    _mistake(
        "corner_and_size",
        _from_corner_and_size,
        "The last two numbers are read as width and height; they are the second corner.",
    ),
    _mistake(
        "center_and_size",
        _from_center_and_size,
        "The boxes are read as center and size; the four numbers are two corners.",
    ),
    _mistake(
        "coordinates_in_another_order",
        lambda a, b: overlaps(_upright(a[:, [0, 2, 1, 3]]), _upright(b[:, [0, 2, 1, 3]])),
        "The four numbers are read in another order; it is x1, y1, x2, y2.",
    ),
    _mistake(
        "distance",
        lambda a, b: 1 - overlaps(a, b),
        "Boxes that are apart are at 1: this is 1 − IoU.",
    ),
    _mistake(
        "whole_pixels",
        lambda a, b: overlaps(a.round(), b.round()),
        "The corners are rounded to whole pixels; coordinates are real numbers.",
    ),
    _mistake(
        "transposed",
        lambda a, b: overlaps(b, a),
        "The table lies on its side: rows belong to boxes1, columns to boxes2.",
    ),
    _mistake(
        "pairs_in_order",
        _in_order,
        "Looks like the i-th box against the i-th: every box meets every box of the other set.",
    ),
    _mistake(
        "best_only",
        lambda a, b: torch.cat([overlaps(a, b), a.new_zeros(len(a), 1)], dim=1).amax(dim=1),
        "Looks like the best overlap of each box; the whole table was asked.",
    ),
    _mistake(
        "not_a_number_without_area",
        _unguarded,
        "Where two boxes without area meet, 0 is divided by 0: say 0 there.",
    ),
    _mistake(
        "guarded_union",
        lambda a, b: _inter(a, b) / (areas(a)[:, None] + areas(b) - _inter(a, b) + 1e-6),
        "A small number is added to the union, and small boxes feel it: guard the division only "
        "where the union is 0.",
    ),
    *blunders(_door(overlaps), but=("dead_gradient", "wrong_gradient")),
    _mistake(
        "accepts_other_shapes",
        _first_four,
        ACCEPTS_OTHER_SHAPES,
        without="shapes",
    ),
    _mistake(
        "accepts_inverted_boxes",
        lambda a, b: overlaps(_upright(a), _upright(b)),
        ACCEPTS_INVERTED_BOXES,
        without="inverted",
    ),
    _mistake(
        "hides_nan",
        lambda a, b: overlaps(a, b).nan_to_num(nan=0.0),
        without="nan",
    ),
)
