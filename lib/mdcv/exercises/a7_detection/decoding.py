"""The exercise `decode_boxes`."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.boxes import decode_boxes
from mdcv.exercises.a7_detection.box_draws import some_boxes
from mdcv.exercises.a7_detection.coding_questions import case, hard, law, plain, refusals
from mdcv.exercises.a7_detection.decoding_variants import RIGHT, WRONG
from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Case, Exercise, Part


def _some_deltas(draw: Draw, n: int) -> Tensor:
    """Shifts of either sign, and sides that shrink and grow."""
    return 0.6 * draw.tensor(n, 4)


def _hard(draw: Draw) -> list[Case]:
    deltas, anchors = _some_deltas(draw, 5), some_boxes(draw, 5)
    wide = deltas + torch.tensor([0.0, 0.0, 5.5, 6.5]).double()
    return [
        *hard(draw, _some_deltas),
        case("deltas of zero", 0 * deltas, anchors),
        case("deltas of size around 6", wide, anchors, suspicion="clamped"),
        case("shifts by many anchors", deltas * torch.tensor([30.0, 50, 1, 1]), anchors),
        case("anchors of size 1,000", deltas, 400 * anchors),
        case("anchors of size 0.01", deltas, 0.003 * anchors, atol=1e-9),
        case(
            "float64 anchors around 40,000",
            deltas,
            anchors + 4e4,
            rtol=1e-11,
            suspicion="float32_inside",
        ),
    ]


LAWS = (
    law(
        "Anchors three times as large should give boxes three times as large; yours do not.",
        _some_deltas,
        lambda deltas, anchors: (deltas, 3 * anchors),
        lambda values: torch.allclose(3 * values[0], values[1], rtol=1e-5),
    ),
    law(
        "Moving the anchors should move the boxes along; yours do something else.",
        _some_deltas,
        lambda deltas, anchors: (deltas, anchors + 7.5),
        lambda values: torch.allclose(values[0] + 7.5, values[1], rtol=1e-5),
    ),
)

DECODE_BOXES = Exercise(
    name="decode_boxes",
    contract=(
        "decode_boxes(deltas, anchors) returns the boxes x1, y1, x2, y2 of shape (N, 4) with "
        "cx = cxa + dx·wa, cy = cya + dy·ha, w = wa·exp(dw), h = ha·exp(dh); nothing is clamped. "
        "Shapes that differ or are not (N, 4): ValueError."
    ),
    reference=decode_boxes,
    parts=(
        Part("values", 0.65, lambda draw: plain(draw, _some_deltas), is_value=True),
        Part("hard places", 0.15, _hard),
        Part("bad input", 0.15, lambda draw: refusals(draw, _some_deltas, "deltas")),
    ),
    right=RIGHT,
    wrong=WRONG,
    laws=LAWS,
    points=3,
)
