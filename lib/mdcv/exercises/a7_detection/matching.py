"""The exercise `match_anchors`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mdcv.boxes import match_anchors
from mdcv.exercises.a7_detection.box_draws import centers_and_sides, from_centers, some_boxes
from mdcv.exercises.a7_detection.matching_right import RIGHT
from mdcv.exercises.a7_detection.matching_wrong import WRONG
from mdcv.exercises.cases import Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Case, Clue, Exercise, Part, Refusal

Options = Mapping[str, Any]

ALONE: Options = {"keep_best": False}


def _case(
    kind: str, anchors: Tensor, objects: Tensor, options: Options = ALONE, **more: Any
) -> Case:
    chosen = "".join(f", {name}={value!r}" for name, value in options.items())
    sizes = f"{len(anchors)} anchors, {len(objects)} objects{chosen}"
    return Case(f"{kind} ({sizes})", (anchors, objects), options, **more)


def _scene(draw: Draw, count: int, n: int) -> tuple[Tensor, Tensor]:
    """n objects, and anchors around them that fit some well, some badly, and some not at all."""
    objects = some_boxes(draw, n, spread=9)
    which = torch.tensor(draw.order(count)) % n
    center, side = (x[which] for x in centers_and_sides(objects))
    jitter = 0.45 * draw.uniform(count, 1) ** 2
    center = center + jitter * side * draw.tensor(count, 2)
    side = side * (jitter * draw.tensor(count, 2)).exp()
    far = some_boxes(draw, 4, spread=30)
    anchors = torch.cat([from_centers(center, side), far])
    return anchors[draw.order(len(anchors))], objects


def _hard_to_fit(draw: Draw) -> tuple[Tensor, Tensor]:
    """A scene with objects that anchors only graze: their best IoU is far below any threshold."""
    anchors, objects = _scene(draw, 9, 3)
    x1, y1, x2, y2 = anchors[draw.order(len(anchors))[:2]].T
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    small = torch.stack([x, y, x + 0.3 * (x2 - x1), y + 0.4 * (y2 - y1)], dim=1)
    return anchors, torch.cat([objects[:1], small, objects[1:]])


def _crowded(draw: Draw) -> tuple[Tensor, Tensor]:
    """A scene in which every object has a neighbor that overlaps it much, listed before it."""
    anchors, objects = _scene(draw, 13, 2)
    center, side = centers_and_sides(objects)
    beside = from_centers(center + 0.13 * side, 1.1 * side)
    return anchors, torch.cat([beside, objects])


def _thresholds(draw: Draw) -> list[Case]:
    return [
        _case("a scene", *_scene(draw, 17, 4)),
        _case("a scene", *_scene(draw, 23, 5), {"high": 0.5, "low": 0.2, "keep_best": False}),
        _case("a scene", *_scene(draw, 14, 3), {"high": 0.4, "low": 0.4, "keep_best": False}),
        _case("one object", *_scene(draw, 9, 1)),
        _case("objects that no anchor fits well", *_hard_to_fit(draw)),
        _case("objects that overlap each other", *_crowded(draw), {**ALONE, "high": 0.4}),
    ]


def _best(draw: Draw) -> list[Case]:
    return [
        _case("a scene", *_scene(draw, 15, 4), {}),
        _case("objects that no anchor fits well", *_hard_to_fit(draw), {}),
        _case("objects that no anchor fits well", *_hard_to_fit(draw), {"high": 0.8, "low": 0.4}),
        _case("anchors that are the best for two objects", *_shared(draw), {}),
        _case("anchors of which none fits well", *_shared(draw), {"high": 0.95, "low": 0.5}),
    ]


def _shared(draw: Draw) -> tuple[Tensor, Tensor]:
    """Anchors that are some object's best ones, and fit another object better."""
    objects = torch.tensor([[0, 0, 10, 10], [8, 0, 18, 10], [30, 0, 40, 10], [24, 0, 31, 10]])
    anchors = torch.tensor(
        [[2, 0, 12, 10], [0, 1, 10, 10], [29, 0, 38, 10], [30, 2, 40, 10], [60, 0, 70, 10]]
    )
    order = draw.order(5)
    grown = 0.5 + draw.integer(1, 9) / 8
    return grown * anchors[order].double() - 3, grown * objects.double() - 3


def _exact(draw: Draw) -> list[Case]:
    """Overlaps of exactly ½ and ¼, the same best overlap twice, and copies of one object."""
    anchors = torch.tensor([[0, 0, 4, 4], [0, 0, 4, 2], [0, 0, 2, 2], [9, 0, 13, 2], [9, 2, 13, 4]])
    anchors = anchors.double() - 2
    objects = torch.tensor([[0, 0, 4, 4], [9, 0, 13, 4]]).double() - 2
    order = draw.order(5)
    at = {"high": 0.5, "low": 0.25, "keep_best": False}
    crowd, things = _scene(draw, 11, 3)
    return [
        _case("overlaps equal to the thresholds", anchors[order], objects, at),
        _case("overlaps equal to the thresholds, float32", anchors.float(), objects.float(), at),
        _case("two anchors that fit equally well", anchors[order], objects, {}),
        _case(
            "objects that come twice", crowd, things[[0, 1, 1, 2, 0]], {}, suspicion="wrong_ties"
        ),
    ]


def _hard(draw: Draw) -> list[Case]:
    anchors, objects = _scene(draw, 12, 3)
    nobody = torch.cat([objects, objects[:1] + 500])
    layout = "needs_contiguous_input"
    return [
        _case("no objects", anchors, objects[:0], {}, suspicion="fails_without_objects"),
        _case("no anchors", anchors[:0], objects, {}),
        _case("an object that nobody overlaps", anchors, nobody, {}, suspicion="zero_is_the_best"),
        _case(
            "float64 boxes around 40,000,000",
            anchors + 4e7,
            objects + 4e7,
            {},
            suspicion="float32_inside",
        ),
        _case(
            "not contiguous",
            transposed_layout(anchors),
            strided_layout(objects),
            {},
            suspicion=layout,
        ),
        _case("float32", anchors.float(), objects.float(), {}),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    anchors, objects = _scene(draw, 9, 3)
    more = torch.cat([objects, objects[:, :1]], dim=1)
    nan = objects.clone()
    nan[1, 2] = torch.nan
    turned = {"high": 0.3, "low": 0.7}
    return [
        Refusal("low=0.7, high=0.3", (anchors, objects), "accepts_any_thresholds", turned),
        Refusal("high=1.5", (anchors, objects), "accepts_any_thresholds", {"high": 1.5}),
        Refusal("low=-0.5", (anchors, objects), "accepts_any_thresholds", {"low": -0.5}),
        Refusal("objects of shape (3, 5)", (anchors, more), "accepts_other_shapes"),
        Refusal("one object of shape (4,)", (anchors, objects[0]), "accepts_other_shapes"),
        Refusal("inverted objects", (anchors, objects[:, [2, 1, 0, 3]]), "accepts_inverted_boxes"),
        Refusal("an object that holds NaN", (anchors, nan), "hides_nan"),
    ]


def _unknown_object(yours: Tensor, right: Tensor, case: Case) -> bool:
    return bool((yours.long() >= len(case.arguments[1])).any())


def _same_objects(yours: Tensor, right: Tensor, case: Case) -> bool:
    if yours.shape != right.shape:
        return False
    found = right >= 0
    return torch.equal(yours.long()[found], right[found]) and not bool((yours[~found] >= 0).any())


def _misses_objects(yours: Tensor, right: Tensor, case: Case) -> bool:
    return bool(set(right[right >= 0].tolist()) - set(yours.tolist()))


MATCH_ANCHORS = Exercise(
    name="match_anchors",
    contract=(
        "match_anchors(anchors, objects, *, high=0.7, low=0.3, keep_best=True) returns (A,) int64: "
        "the index of the object with the greatest IoU (the first of equals) where that is >= "
        "high, −1 where it is < low, −2 between. With keep_best every anchor that reaches the "
        "greatest IoU some object has with any anchor, above 0, also gets the index of its own "
        "best object. Without objects all is −1. Other shapes, inverted boxes, NaN, thresholds "
        "not 0 <= low <= high <= 1: ValueError."
    ),
    reference=match_anchors,
    parts=(
        Part("thresholds", 0.3, _thresholds, is_value=True),
        Part("the best of each object", 0.25, _best, is_value=True),
        Part("exact overlaps", 0.15, _exact),
        Part("hard places", 0.15, _hard),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    clues=(
        Clue("Some of your indices belong to no object.", _unknown_object),
        Clue("The objects are right; where there is none, −1 and −2 are not.", _same_objects),
        Clue("Some object has no anchor in your answer: give it its best one.", _misses_objects),
    ),
    points=5,
)
