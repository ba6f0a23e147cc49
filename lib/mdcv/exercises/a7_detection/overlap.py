"""The exercise `box_iou`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mdcv.boxes import box_iou
from mdcv.exercises.a7_detection.box_draws import some_boxes
from mdcv.exercises.a7_detection.overlap_variants import RIGHT, WRONG
from mdcv.exercises.cases import Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Call, Case, Exercise, Law, Part, Refusal


def _case(kind: str, a: Tensor, b: Tensor, **more: Any) -> Case:
    return Case(f"{kind} ({len(a)} against {len(b)})", (a, b), **more)


def _values(draw: Draw) -> list[Case]:
    inner = some_boxes(draw, 4, spread=0.5, side=1.0)
    outer = some_boxes(draw, 3, spread=0.5, side=6.0)
    return [
        _case("random boxes", some_boxes(draw, 5), some_boxes(draw, 7)),
        _case("random boxes", some_boxes(draw, 8), some_boxes(draw, 3)),
        _case("boxes inside others", inner, outer),
        _case("boxes far apart", some_boxes(draw, 4, spread=60), some_boxes(draw, 5, spread=60)),
        _case("as many boxes in both", some_boxes(draw, 4), some_boxes(draw, 4)),
        _case("one box against another", some_boxes(draw, 1), some_boxes(draw, 1)),
    ]


def _hard(draw: Draw) -> list[Case]:
    a, b = some_boxes(draw, 5), some_boxes(draw, 4)
    beside = a + torch.stack([a[:, 2] - a[:, 0], 0 * a[:, 0]] * 2, dim=1)
    flat = b.clone()
    flat[0, 2:] = flat[0, :2]
    flat[1, 2] = flat[1, 0]
    flat[2] = flat[0]
    return [
        _case("boxes against themselves", a, a[draw.order(5)]),
        _case("boxes that share an edge", a, beside, suspicion="touching_boxes"),
        _case("boxes without area", flat, flat, suspicion="not_a_number_without_area"),
        _case("boxes of size 0.01", 0.003 * a, 0.003 * b, rtol=1e-4, suspicion="guarded_union"),
        _case("boxes of size 1,000", 400 * a, 400 * b),
        _case("float64 boxes around 40,000", a + 4e4, b + 4e4, suspicion="float32_inside"),
        _case("no boxes in the first set", a[:0], b),
        _case("no boxes in the second set", a, b[:0]),
        _case(
            "boxes that are not contiguous",
            transposed_layout(a),
            strided_layout(b),
            suspicion="needs_contiguous_input",
        ),
        _case("float32", a.float(), b.float()),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    a, b = some_boxes(draw, 5), some_boxes(draw, 4)
    more = torch.cat([a, draw.uniform(5, 1)], dim=1)
    nan = a.clone()
    nan[2, 3] = torch.nan
    return [
        Refusal("a first set of shape (5, 5)", (more, b), "accepts_other_shapes"),
        Refusal("a second set of shape (5, 5)", (b, more), "accepts_other_shapes"),
        Refusal("one box of shape (4,)", (a[0], b), "accepts_other_shapes"),
        Refusal("an inverted box", (a[:, [2, 1, 0, 3]], b), "accepts_inverted_boxes"),
        Refusal(
            "an inverted box in the second set", (a, b[:, [0, 3, 2, 1]]), "accepts_inverted_boxes"
        ),
        Refusal("a box that holds NaN", (nan, b), "hides_nan", or_any_sign=True),
    ]


def _pairs(change: Any) -> Any:
    def calls(draw: Draw) -> list[Call]:
        a, b = some_boxes(draw, 5), some_boxes(draw, 4)
        return [((a, b), {}), (change(a, b), {})]

    return calls


LAWS = (
    Law(
        "A box is not at 1 with itself.",
        _pairs(lambda a, b: (a, a)),
        lambda values: torch.allclose(values[1].diagonal(), torch.ones(5).double()),
    ),
    Law(
        "Moving all boxes by the same step changes your value.",
        _pairs(lambda a, b: (a + 7.5, b + 7.5)),
        lambda values: torch.allclose(values[0], values[1], rtol=1e-5),
    ),
    Law(
        "Enlarging the whole picture changes your value: IoU has no unit.",
        _pairs(lambda a, b: (3 * a, 3 * b)),
        lambda values: torch.allclose(values[0], values[1], rtol=1e-5),
    ),
    Law(
        "Some of your values are not between 0 and 1.",
        _pairs(lambda a, b: (b, a)),
        lambda values: bool(((values[0] >= 0) & (values[0] <= 1)).all()),
    ),
)

BOX_IOU = Exercise(
    name="box_iou",
    contract=(
        "box_iou(boxes1, boxes2) returns, for boxes x1, y1, x2, y2 of shapes (N, 4) and (M, 4), "
        "the intersection over union of every pair: shape (N, M). 0 for boxes that are apart or "
        "touch, and where the union has no area. Other shapes, inverted boxes: ValueError; NaN is "
        "refused or comes out as NaN."
    ),
    reference=box_iou,
    parts=(
        Part("values", 0.55, _values, is_value=True),
        Part("hard places", 0.25, _hard),
        Part("bad input", 0.15, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    laws=LAWS,
    points=4,
    traits={
        "touching_boxes": (
            "Boxes that share nothing but an edge have the overlap 0: an edge has no area."
        ),
    },
)
