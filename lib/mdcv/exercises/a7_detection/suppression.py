"""The exercise `nms`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mdcv.boxes import nms
from mdcv.exercises.a7_detection.box_draws import some_boxes
from mdcv.exercises.a7_detection.suppression_right import RIGHT
from mdcv.exercises.a7_detection.suppression_wrong import WRONG
from mdcv.exercises.cases import Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Case, Clue, Exercise, Part, Refusal


def _some_scores(draw: Draw, n: int) -> Tensor:
    """n scores without equals, from 0 to 1, in random order."""
    return ((torch.tensor(draw.order(n)) + 0.9 * draw.uniform(n)) / n).double()


def _case(kind: str, boxes: Tensor, scores: Tensor, threshold: float, **more: Any) -> Case:
    return Case(f"{kind} ({len(boxes)} boxes, {threshold:.2g})", (boxes, scores, threshold), **more)


def _crowd(draw: Draw, n: int) -> tuple[Tensor, Tensor]:
    """Boxes of which many overlap, and their scores."""
    return some_boxes(draw, n, spread=4), _some_scores(draw, n)


def _chain(draw: Draw, n: int) -> tuple[Tensor, Tensor]:
    """Boxes in a row, each overlapping the next by half, the best one at one end."""
    left = torch.arange(n).double() + 0.1 * draw.uniform(n)
    boxes = torch.stack([left, 0 * left, left + 3, 0 * left + 2 + draw.uniform(n) / 9], dim=1)
    scores = 0.95 - torch.arange(n) / n + 0.1 * draw.uniform(n) / n
    shuffled = draw.order(n)
    return boxes[shuffled], scores[shuffled]


def _values(draw: Draw) -> list[Case]:
    return [
        _case("a crowd", *_crowd(draw, 13), 0.3),
        _case("a crowd", *_crowd(draw, 17), 0.2),
        _case("a crowd", *_crowd(draw, 14), 0.6),
        _case("boxes in a row", *_chain(draw, 9), 0.35),
        _case("boxes in a row", *_chain(draw, 7), 0.4),
        _case("boxes that are apart", some_boxes(draw, 6, spread=90), _some_scores(draw, 6), 0.5),
    ]


def _at_the_threshold(draw: Draw) -> list[Case]:
    """Overlaps of exactly ½ and ¼, in numbers that are exact in every precision."""
    boxes = torch.tensor([[0, 0, 4, 4], [0, 0, 4, 2], [0, 0, 2, 2], [8, 0, 12, 4], [8, 0, 10, 4]])
    boxes, scores = boxes.double() - 5, _some_scores(draw, 5)
    wide, wide_scores = _crowd(draw, 11)
    beside = torch.cat([boxes[:1], boxes[:1] + torch.tensor([4, 0, 4, 0])])
    twice = wide[[*range(11), 3, 5]]
    return [
        _case("an overlap equal to the threshold", boxes, scores, 0.5),
        _case("an overlap equal to the threshold", boxes, scores, 0.25),
        _case("an overlap equal to the threshold, in float32", boxes.float(), scores.float(), 0.5),
        _case("threshold 0 and boxes that touch", beside, scores[:2], 0.0),
        _case("threshold 0", wide, wide_scores, 0.0),
        _case("threshold 1 and boxes that come twice", twice, _some_scores(draw, 13), 1.0),
    ]


def _ties(draw: Draw) -> list[Case]:
    cases = []
    for n, levels, threshold in ((14, 3, 0.25), (19, 4, 0.3), (9, 1, 0.35)):
        boxes = some_boxes(draw, n, spread=4)
        scores = (draw.uniform(n) * levels).floor() / 4 + 0.1
        cases.append(_case("equal scores", boxes, scores, threshold, suspicion="wrong_ties"))
    return cases


def _hard(draw: Draw) -> list[Case]:
    boxes, scores = _crowd(draw, 12)
    points = boxes.clone()
    points[2:6, 2:] = points[2:6, :2]
    points[4] = points[2]
    return [
        _case("scores below 0", boxes, 9 * scores - 6, 0.3),
        _case("scores above 1", *_crowd(draw, 10), 0.3),
        _case("boxes without area", points, scores, 0.5),
        _case("a large crowd", *_crowd(draw, 61), 0.4),
        _case("one box", boxes[:1], scores[:1], 0.5),
        _case("no boxes", boxes[:0], scores[:0], 0.5, suspicion="fails_without_boxes"),
        _case(
            "float64 boxes around 40,000,000", boxes + 4e7, scores, 0.3, suspicion="float32_inside"
        ),
        _case("boxes of size 1,000", 400 * boxes, scores, 0.3),
        _case("boxes of size 0.01", 0.003 * boxes, scores, 0.3),
        _case(
            "boxes that are not contiguous",
            transposed_layout(boxes),
            strided_layout(scores[:, None])[:, 0],
            0.3,
            suspicion="needs_contiguous_input",
        ),
        _case("float32", boxes.float(), scores.float(), 0.3),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    boxes, scores = _crowd(draw, 7)
    nan, nan_box = scores.clone(), boxes.clone()
    nan[3], nan_box[2, 1] = torch.nan, torch.nan
    return [
        Refusal("7 boxes and 6 scores", (boxes, scores[:6], 0.5), "accepts_other_shapes"),
        Refusal("6 boxes and 7 scores", (boxes[:6], scores, 0.5), "accepts_other_shapes"),
        Refusal("scores of shape (7, 1)", (boxes, scores[:, None], 0.5), "accepts_other_shapes"),
        Refusal("threshold 1.5", (boxes, scores, 1.5), "accepts_any_threshold"),
        Refusal("threshold -0.1", (boxes, scores, -0.1), "accepts_any_threshold"),
        Refusal("a score that is NaN", (boxes, nan, 0.5), "hides_nan"),
        Refusal("a box that holds NaN", (nan_box, scores, 0.5), "hides_nan"),
        Refusal("inverted boxes", (boxes[:, [2, 1, 0, 3]], scores, 0.5), "accepts_inverted_boxes"),
    ]


def _same_set(yours: Tensor, right: Tensor, case: Case) -> bool:
    return yours.shape == right.shape and torch.equal(yours.long().sort()[0], right.sort()[0])


def _misses_the_best(yours: Tensor, right: Tensor, case: Case) -> bool:
    return len(right) > 0 and int(right[0]) not in yours.tolist()


NMS = Exercise(
    name="nms",
    contract=(
        "nms(boxes, scores, iou_threshold) returns int64 indices of the boxes that stay, by "
        "descending score: from the best down, each box that is still there removes those whose "
        "IoU with it exceeds the threshold. Equal scores: the lower index first. Shapes that do "
        "not fit, NaN, inverted boxes, a threshold outside 0 to 1: ValueError."
    ),
    reference=nms,
    parts=(
        Part("values", 0.45, _values, is_value=True),
        Part("at the threshold", 0.15, _at_the_threshold),
        Part("equal scores", 0.1, _ties),
        Part("hard places", 0.15, _hard),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    clues=(
        Clue("The best box of all is not among those that stay.", _misses_the_best),
        Clue("The right boxes stay, but they come in another order.", _same_set),
    ),
    points=6,
)
