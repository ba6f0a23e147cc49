"""The exercise `encode_boxes`."""

from __future__ import annotations

import torch

from mdcv.boxes import encode_boxes
from mdcv.exercises.a7_detection.box_draws import some_boxes
from mdcv.exercises.a7_detection.coding_questions import case, hard, law, plain, refusals
from mdcv.exercises.a7_detection.coding_variants import RIGHT, WRONG
from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Case, Exercise, Part, Refusal


def _hard(draw: Draw) -> list[Case]:
    boxes, anchors = some_boxes(draw, 5), some_boxes(draw, 5)
    tiny = boxes[:, [0, 1, 0, 1]] + 1e-4 * (boxes - boxes[:, [0, 1, 0, 1]])
    return [
        *hard(draw, some_boxes),
        case("boxes that are their anchors", boxes, boxes.clone()),
        case("boxes of size 1,000", 400 * boxes, 300 * anchors),
        case("boxes of size 0.01", 0.003 * boxes, 0.004 * anchors),
        case("boxes 10,000 times smaller than their anchors", tiny, anchors, rtol=1e-4),
        case("float64 boxes around 40,000", boxes + 4e4, anchors + 4e4, suspicion="float32_inside"),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    boxes, anchors = some_boxes(draw, 5), some_boxes(draw, 5)
    turned = [2, 1, 0, 3]
    name = "accepts_inverted_boxes"
    return [
        *refusals(draw, some_boxes, "boxes"),
        Refusal("an inverted box", (boxes[:, turned], anchors), name, or_any_sign=True),
        Refusal(
            "an inverted box and an inverted anchor",
            (boxes[:, turned], anchors[:, turned]),
            name,
            or_any_sign=True,
        ),
    ]


LAWS = (
    law(
        "A box that is its own anchor does not get zeros.",
        some_boxes,
        lambda boxes, anchors: (anchors, anchors.clone()),
        lambda values: bool((values[1].abs() < 1e-6).all()),
    ),
    law(
        "Targets must not change when the scene and its anchors are enlarged together; yours do.",
        some_boxes,
        lambda boxes, anchors: (3 * boxes, 3 * anchors),
        lambda values: torch.allclose(values[0], values[1], rtol=1e-5, atol=1e-8),
    ),
    law(
        "Targets must not change when the scene and its anchors move together; yours do.",
        some_boxes,
        lambda boxes, anchors: (boxes + 7.5, anchors + 7.5),
        lambda values: torch.allclose(values[0], values[1], rtol=1e-5, atol=1e-8),
    ),
)

ENCODE_BOXES = Exercise(
    name="encode_boxes",
    contract=(
        "encode_boxes(boxes, anchors) returns (dx, dy, dw, dh) of shape (N, 4): "
        "((cx − cxa) / wa, (cy − cya) / ha, log(w / wa), log(h / ha)), the i-th box against the "
        "i-th anchor, all x1, y1, x2, y2. Shapes that differ or are not (N, 4): ValueError; "
        "inverted boxes: ValueError or NaN."
    ),
    reference=encode_boxes,
    parts=(
        Part("values", 0.65, lambda draw: plain(draw, some_boxes), is_value=True),
        Part("hard places", 0.15, _hard),
        Part("bad input", 0.15, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    laws=LAWS,
    points=3,
)
