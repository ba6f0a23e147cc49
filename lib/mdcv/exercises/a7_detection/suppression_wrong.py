"""Wrong ways to write `nms`, each with its name and its sentence."""

from __future__ import annotations

from collections.abc import Callable

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
from mdcv.exercises.blunders import changing_its_input, returning_nothing
from mdcv.exercises.exercise import Mistake

Suppression = Callable[[Tensor, Tensor, float], Tensor]

_door = Door(
    shapes=lambda boxes, scores, t: is_table(boxes) and scores.shape == boxes.shape[:1],
    threshold=lambda boxes, scores, t: 0 <= t <= 1,
    nan=lambda boxes, scores, t: has_no_nan(boxes, scores),
    inverted=lambda boxes, scores, t: is_upright(boxes),
)


# Wrong: one walk with every step that can be taken wrongly


def _descending(boxes: Tensor, scores: Tensor) -> Tensor:
    return scores.argsort(descending=True, stable=True)


def _walk(
    boxes: Tensor,
    scores: Tensor,
    threshold: float,
    *,
    order: Callable[[Tensor, Tensor], Tensor] = _descending,
    measure: Callable[[Tensor, Tensor], Tensor] = overlaps,
    removes: Callable[[Tensor, float], Tensor] = lambda overlap, t: overlap > t,
    judges: Callable[[list[int]], list[int]] = lambda kept: kept,
) -> Tensor:
    """Greedy suppression with its steps as arguments; the defaults are right.

    `judges` picks, among those kept so far, the ones that may remove the next box.
    """
    removed = removes(measure(boxes, boxes), threshold)
    kept: list[int] = []
    for i in order(boxes, scores).tolist():
        if not any(bool(removed[j, i]) for j in judges(kept)):
            kept.append(i)
    return torch.tensor(kept, dtype=torch.int64)


def _wrong(**steps) -> Suppression:
    return lambda boxes, scores, t: _walk(boxes, scores, t, **steps)


_right = _wrong()


def _all_at_once(boxes: Tensor, scores: Tensor, t: float) -> Tensor:
    order = _descending(boxes, scores)
    beats = (overlaps(boxes[order], boxes[order]) > t).triu(diagonal=1)
    return order[~beats.any(dim=0)]


def _neighbors_only(boxes: Tensor, scores: Tensor, t: float) -> Tensor:
    order = _descending(boxes, scores)
    beats = overlaps(boxes[order], boxes[order]).diagonal(1) > t
    return order[torch.cat([beats.new_ones(min(len(boxes), 1)), ~beats])]


def _while_deleting(boxes: Tensor, scores: Tensor, t: float) -> Tensor:
    """Deletes from a list while walking along it, which skips the entry after each."""
    table, left, kept = overlaps(boxes, boxes) > t, _descending(boxes, scores).tolist(), []
    while left:
        best = left.pop(0)
        kept.append(best)
        for i in left:
            if table[best, i]:
                left.remove(i)
    return torch.tensor(kept, dtype=torch.int64)


def _over_smaller(a: Tensor, b: Tensor) -> Tensor:
    inter = common_sides(a, b).clamp(min=0).prod(dim=2)
    return share(inter, torch.minimum(areas(a)[:, None], areas(b)))


def _over_own(a: Tensor, b: Tensor) -> Tensor:
    inter = common_sides(a, b).clamp(min=0).prod(dim=2)
    return share(inter, areas(a)[:, None].expand_as(inter))


def _positions(boxes: Tensor, scores: Tensor, t: float) -> Tensor:
    place = torch.empty(len(boxes), dtype=torch.int64)
    place[_descending(boxes, scores)] = torch.arange(len(boxes))
    return place[_right(boxes, scores, t)]


def _mask(boxes: Tensor, scores: Tensor, t: float) -> Tensor:
    mask = torch.zeros(len(boxes), dtype=torch.bool)
    mask[_right(boxes, scores, t)] = True
    return mask


def _good_scores_only(boxes: Tensor, scores: Tensor, t: float) -> Tensor:
    kept = _right(boxes, scores, t)
    return kept[scores[kept] > 0]


def _scores_above_the_threshold(boxes: Tensor, scores: Tensor, t: float) -> Tensor:
    kept = _right(boxes, scores, t)
    return kept[scores[kept] >= t]


def _area_needed(boxes: Tensor, scores: Tensor, t: float) -> Tensor:
    """0 / 0 fails every comparison, also the one that would let a box stay."""
    inter = common_sides(boxes, boxes).clamp(min=0).prod(dim=2)
    table = inter / (areas(boxes)[:, None] + areas(boxes) - inter)
    left, kept = _descending(boxes, scores), []
    while len(left):
        kept.append(int(left[0]))
        left = left[1:][table[left[0], left[1:]] <= t]
    return torch.tensor(kept, dtype=torch.int64)


def _fails_without_boxes(boxes: Tensor, scores: Tensor, t: float) -> Tensor:
    scores.argmax()
    return _right(boxes, scores, t)


def _shortest(boxes: Tensor, scores: Tensor, t: float) -> Tensor:
    scores = scores.flatten()
    n = min(len(boxes), len(scores))
    return _right(boxes[:n], scores[:n], t)


def _mistake(name: str, function: Suppression, sentence: str = "", *, without: str = "") -> Mistake:
    return Mistake(name, _door(function, without=without), sentence)


WRONG = (
    _mistake(
        "lowest_score_survives",
        _wrong(order=lambda boxes, scores: scores.argsort(stable=True)),
        "The lowest score survives: go through the boxes from the best score down.",
    ),
    _mistake(
        "input_order",
        _wrong(order=lambda boxes, scores: torch.arange(len(boxes))),
        "The boxes are taken in the order in which they came; the best score goes first.",
    ),
    _mistake(
        "largest_first",
        _wrong(order=lambda boxes, scores: areas(boxes).argsort(descending=True, stable=True)),
        "The largest box goes first in your function; the best score does.",
    ),
    _mistake(
        "removes_at_the_threshold",
        _wrong(removes=lambda overlap, t: overlap >= t),
        "A box whose overlap is exactly the threshold disappears: only more than that removes.",
    ),
    _mistake(
        "removes_what_is_apart",
        _wrong(removes=lambda overlap, t: overlap <= t),
        "Boxes that are apart remove each other, and those that overlap stay: the comparison is "
        "turned.",
    ),
    _mistake(
        "threshold_of_one_half",
        _wrong(removes=lambda overlap, t: overlap > 0.5),
        "Your function always uses the threshold 0.5, whatever is given.",
    ),
    _mistake(
        "nothing_removed",
        _descending,
        "All boxes stay: they are sorted, and nothing is removed.",
    ),
    _mistake(
        "removed_boxes_remove",
        _all_at_once,
        "A box that is gone already still removes others: go down one by one, and let only boxes "
        "that stay remove.",
    ),
    _mistake(
        "only_the_best_removes",
        _wrong(judges=lambda kept: kept[:1]),
        "Only the best box of all removes others: go on with the best of those that are left.",
    ),
    _mistake(
        "only_the_last_kept_removes",
        _wrong(judges=lambda kept: kept[-1:]),
        "Only the box kept last removes the next one: every box that stays does.",
    ),
    _mistake(
        "neighbors_only",
        _neighbors_only,
        "Each box is compared with the one before it in the ranking only; every box that stays "
        "counts.",
    ),
    _mistake(
        "skips_while_deleting",
        _while_deleting,
        "Entries are deleted from a list that a loop walks along, so the one after each is "
        "skipped. Build a new list.",
    ),
    _mistake(
        "plus_one",
        _wrong(measure=overlaps_plus_one),
        "Boxes that only touch remove each other: the overlap takes them one pixel too wide.",
    ),
    _mistake(
        "over_the_smaller",
        _wrong(measure=_over_smaller),
        "A small box inside a large one is removed: the overlap is divided by the smaller area "
        "where the union is meant.",
    ),
    _mistake(
        "over_its_own_area",
        _wrong(measure=_over_own),
        "The overlap is divided by the area of one box: it is the union that counts.",
    ),
    _mistake(
        "index_order",
        lambda boxes, scores, t: _right(boxes, scores, t).sort().values,
        "The right boxes stay, but in the order of their indices: the best score comes first.",
    ),
    _mistake(
        "worst_first",
        lambda boxes, scores, t: _right(boxes, scores, t).flip(0),
        "The right boxes stay, but the worst comes first.",
    ),
    _mistake(
        "positions_in_the_ranking",
        _positions,
        "Your indices are places in the sorted list; indices into boxes as they came were asked.",
    ),
    _mistake("mask_for_indices", _mask, "A mask came; the indices were asked, the best first."),
    _mistake(
        "boxes_for_indices",
        lambda boxes, scores, t: boxes[_right(boxes, scores, t)],
        "Your function returns the boxes; their indices were asked.",
    ),
    _mistake(
        "scores_for_indices",
        lambda boxes, scores, t: scores[_right(boxes, scores, t)],
        "Your function returns the scores; the indices were asked.",
    ),
    _mistake(
        "low_scores_dropped",
        _scores_above_the_threshold,
        "Boxes with a score below the threshold are gone: the threshold is about overlap, not "
        "about scores.",
    ),
    _mistake(
        "negative_scores_dropped",
        _good_scores_only,
        "Boxes with a score below 0 are gone: a score may be any number, a logit too. Mark what "
        "is taken in another way.",
    ),
    _mistake(
        "ties_to_the_highest",
        _wrong(order=lambda boxes, scores: scores.argsort(stable=True).flip(0)),
        "Among equal scores the higher index goes first; the lower one should. Turning an "
        "ascending order around turns ties around as well.",
    ),
    _mistake(
        "area_needed",
        _area_needed,
        "Boxes without area disappear: their overlap is 0 divided by 0, and nan fails every "
        "comparison. Such a box overlaps nothing.",
    ),
    _mistake(
        "fails_without_boxes",
        _fails_without_boxes,
        "It fails without boxes: a picture may hold nothing, and then no index comes back.",
    ),
    _mistake("float32_inside", lambda b, s, t: _right(b.float(), s.float(), t)),
    _mistake("wrong_dtype", lambda b, s, t: _right(b, s, t).int()),
    _mistake("changes_its_input", changing_its_input(_right)),
    _mistake("returns_list", lambda b, s, t: _right(b, s, t).tolist()),
    _mistake("returns_numpy", lambda b, s, t: _right(b, s, t).numpy()),
    _mistake("returns_nothing", returning_nothing(_right)),
    _mistake("accepts_other_shapes", _shortest, ACCEPTS_OTHER_SHAPES, without="shapes"),
    _mistake(
        "accepts_any_threshold",
        _right,
        "A threshold that no IoU can be was accepted: it lies between 0 and 1. Raise a ValueError.",
        without="threshold",
    ),
    _mistake("hides_nan", _right, without="nan"),
    _mistake(
        "accepts_inverted_boxes",
        _right,
        ACCEPTS_INVERTED_BOXES,
        without="inverted",
    ),
)
