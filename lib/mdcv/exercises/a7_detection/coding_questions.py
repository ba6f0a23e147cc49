"""The questions that `encode_boxes` and `decode_boxes` share: rows that belong to anchors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.a7_detection.box_draws import some_boxes
from mdcv.exercises.cases import Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Call, Case, Law, Refusal

#: Draws n rows of what is asked about.
Rows = Callable[[Draw, int], Tensor]


def case(kind: str, rows: Tensor, anchors: Tensor, **more: Any) -> Case:
    """A question about rows and their anchors."""
    return Case(f"{kind} ({len(rows)} of them)", (rows, anchors), **more)


def plain(draw: Draw, rows: Rows) -> list[Case]:
    """Rows with anchors of every size and place."""
    return [
        case("random rows", rows(draw, n), some_boxes(draw, n, spread=spread, side=side))
        for n, spread, side in ((5, 5, 3), (7, 40, 9), (4, 5, 3), (1, 9, 2))
    ]


def hard(draw: Draw, rows: Rows) -> list[Case]:
    """No rows, odd layouts, float32."""
    some, anchors = rows(draw, 5), some_boxes(draw, 5)
    return [
        case("no rows", some[:0], anchors[:0]),
        case(
            "tensors that are not contiguous",
            strided_layout(some),
            transposed_layout(anchors),
            suspicion="needs_contiguous_input",
        ),
        case("float32", some.float(), anchors.float()),
    ]


def refusals(draw: Draw, rows: Rows, name: str) -> list[Refusal]:
    """Shapes that do not fit, and NaN, which may also go out as NaN."""
    some, anchors = rows(draw, 5), some_boxes(draw, 5)
    nan = some.clone()
    nan[3, 2] = torch.nan
    return [
        Refusal("5 rows and 1 anchor", (some, anchors[:1]), "broadcasts_rows"),
        Refusal("1 row and 5 anchors", (some[:1], anchors), "broadcasts_rows"),
        Refusal("5 rows and 4 anchors", (some, anchors[:4]), "broadcasts_rows"),
        Refusal(
            f"{name} of shape (5, 5)",
            (torch.cat([some, nan[:, :1]], 1),) * 2,
            "accepts_other_shapes",
        ),
        Refusal("a single row of shape (4,)", (some[0], anchors[0]), "accepts_other_shapes"),
        Refusal("a row that holds NaN", (nan, anchors), "hides_nan", or_any_sign=True),
    ]


def law(sentence: str, rows: Rows, change: Any, holds: Any) -> Law:
    """A law about rows and anchors, and about both after a change."""

    def calls(draw: Draw) -> list[Call]:
        given = rows(draw, 5), some_boxes(draw, 5)
        return [(given, {}), (change(*given), {})]

    return Law(sentence, calls, holds)


BROADCASTS_ROWS = (
    "Another number of anchors than of rows was accepted: every row has an anchor of its own, and "
    "one anchor for all is broadcasting at work. Compare the shapes and raise a ValueError."
)


def broadcasting(code: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """The code with one row for all where one came, and the longer table cut elsewhere."""

    def wrong(rows: Tensor, anchors: Tensor) -> Tensor:
        if 1 not in (len(rows), len(anchors)):
            n = min(len(rows), len(anchors))
            rows, anchors = rows[:n], anchors[:n]
        return code(*torch.broadcast_tensors(rows, anchors))

    return wrong
