"""Wrong ways to write `average_precision`, each with its name and its sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.a7_detection.guards import ACCEPTS_OTHER_SHAPES, Door
from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Mistake

METHODS = ("11-point", "all-point")

_door = Door(
    shapes=lambda scores, hits, objects, method="": scores.ndim == 1 and hits.shape == scores.shape,
    objects=lambda scores, hits, objects, method="": objects >= 1,
    hits=lambda scores, hits, objects, method="": int(hits.sum()) <= objects or objects < 1,
    method=lambda scores, hits, objects, method="all-point": method in METHODS,
    nan=lambda scores, hits, objects, method="": not bool(scores.isnan().any()),
)


# Wrong: one computation with every step that can be taken wrongly


def _rank(scores: Tensor) -> Tensor:
    return scores.argsort(descending=True, stable=True)


def _envelope(precision: Tensor) -> Tensor:
    return precision.flip(0).cummax(0).values.flip(0)


def _area(recall: Tensor, precision: Tensor) -> Tensor:
    return (torch.diff(recall, prepend=recall.new_zeros(1)) * precision).sum()


def _levels(
    recall: Tensor,
    precision: Tensor,
    *,
    count: int = 11,
    reaches: Callable[[Tensor, float], Tensor] = lambda recall, level: recall > level - 1e-9,
    beyond: Callable[[Tensor], Tensor] = lambda precision: precision.new_zeros(()),
    divide: int = 0,
) -> Tensor:
    """The mean of the precision at the first cut that reaches each level."""
    total = precision.new_zeros(())
    for k in range(count):
        there = precision[reaches(recall, k * (1 / max(count - 1, 10)))]
        total = total + (there[0] if len(there) else beyond(precision))
    return total / (divide or count)


def _average(
    *,
    rank: Callable[[Tensor], Tensor] = _rank,
    objects: Callable[[Tensor, int], float] = lambda hits, n: n,
    precision: Callable[[Tensor, Tensor], Tensor] = lambda hits, k: hits / k,
    envelope: Callable[[Tensor], Tensor] = _envelope,
    area: Callable[[Tensor, Tensor], Tensor] = _area,
    levels: Callable[[Tensor, Tensor], Tensor] = _levels,
    empty: float = 0.0,
) -> Callable[..., Tensor]:
    """Average precision with its steps as arguments; the defaults are right."""

    def wrong(scores: Tensor, hits: Tensor, n: int, *, method: str = "all-point") -> Tensor:
        if len(scores) == 0:
            return scores.new_tensor(empty)
        ranked = hits[rank(scores)].double()
        found, k = ranked.cumsum(0), torch.arange(1, len(ranked) + 1)
        recall = found / max(objects(ranked, n), 1e-12)
        curve = envelope(precision(found, k))
        value = area(recall, curve) if method == "all-point" else levels(recall, curve)
        return value.to(scores.dtype)

    return wrong


_right = _average()


def _with_method(change: Callable[[str], str]) -> Callable[..., Tensor]:
    return lambda scores, hits, n, *, method="all-point": _right(
        scores, hits, n, method=change(method)
    )


def _trapezoids(recall: Tensor, precision: Tensor) -> Tensor:
    recall = torch.cat([recall.new_zeros(1), recall])
    return torch.trapezoid(torch.cat([precision[:1], precision]), recall)


def _trapezoids_between_hits(recall: Tensor, precision: Tensor) -> Tensor:
    rises = torch.diff(recall, prepend=recall.new_zeros(1)) > 0
    return _trapezoids(recall[rises], precision[rises])


def _of_confident(scores: Tensor, hits: Tensor, n: int, *, method: str = "all-point") -> Tensor:
    sure = scores >= 0.5
    return _right(scores[sure], hits[sure], n, method=method)


def _mean_at_hits(scores: Tensor, hits: Tensor, n: int, *, method: str = "all-point") -> Tensor:
    """The mean over the hits of the precision there, as rankings of documents are judged."""
    if method != "all-point":
        return _right(scores, hits, n, method=method)
    ranked = hits[_rank(scores)]
    precision = ranked.cumsum(0).double() / torch.arange(1, len(ranked) + 1)
    there = precision[ranked]
    return (there.mean() if len(there) else there.sum()).to(scores.dtype)


def _cut(scores: Tensor, hits: Tensor, n: int, *, method: str = "all-point") -> Tensor:
    m = min(len(scores), len(hits))
    return _right(scores[:m], hits[:m], n, method=method)


def _zero_objects(scores: Tensor, hits: Tensor, n: int, *, method: str = "all-point") -> Tensor:
    return scores.new_zeros(()) if n < 1 else _right(scores, hits, n, method=method)


def _fails_without(scores: Tensor, hits: Tensor, n: int, *, method: str = "all-point") -> Tensor:
    scores.max()
    return _right(scores, hits, n, method=method)


def _mistake(name: str, function: Any, sentence: str = "", *, without: str = "") -> Mistake:
    return Mistake(name, _door(function, without=without), sentence)


WRONG = (
    _mistake(
        "recall_over_hits",
        _average(objects=lambda hits, n: float(hits.sum())),
        "Your recall always reaches 1: divide by the number of objects there are, not by those "
        "that were found.",
    ),
    _mistake(
        "recall_over_detections",
        _average(objects=lambda hits, n: len(hits)),
        "Your recall is divided by the number of detections; divide by the number of objects.",
    ),
    _mistake(
        "always_eleven_points",
        _with_method(lambda method: "11-point"),
        "Looks like the 11-point value where all points were asked: the option method does "
        "nothing.",
    ),
    _mistake(
        "always_all_points",
        _with_method(lambda method: "all-point"),
        "Looks like the area under the whole curve where 11 points were asked: the option method "
        "does nothing.",
    ),
    _mistake(
        "methods_exchanged",
        _with_method(lambda method: "11-point" if method == "all-point" else "all-point"),
        "The two methods are exchanged.",
    ),
    _mistake(
        "no_envelope",
        _average(envelope=lambda precision: precision),
        "Your precision rises and falls with recall: interpolate first, with the greatest "
        "precision at this recall or any higher one.",
    ),
    _mistake(
        "envelope_from_the_front",
        _average(envelope=lambda precision: precision.cummax(0).values),
        "Your envelope runs the wrong way: a precision counts for its own recall and all lower "
        "ones, not for higher ones.",
    ),
    _mistake(
        "lowest_for_greatest",
        _average(envelope=lambda precision: precision.flip(0).cummin(0).values.flip(0)),
        "Your envelope takes the smallest precision ahead; the greatest was asked.",
    ),
    _mistake(
        "trapezoids",
        _average(area=_trapezoids_between_hits),
        "The area is made of trapezoids, which slope from hit to hit; the interpolated precision "
        "is a staircase.",
    ),
    _mistake(
        "trapezoids_without_envelope",
        _average(area=_trapezoids, envelope=lambda precision: precision),
        "Looks like trapezoids under the raw precision: interpolate first, then add up steps.",
    ),
    _mistake(
        "first_step_missing",
        _average(area=lambda recall, precision: (recall.diff() * precision[1:]).sum()),
        "The first step is missing: the area begins at recall 0.",
    ),
    _mistake(
        "mean_over_detections",
        _average(area=lambda recall, precision: precision.mean()),
        "Looks like a mean over all detections: a miss adds no recall, so it adds no area.",
    ),
    _mistake(
        "mean_over_hits",
        _mean_at_hits,
        "Looks like the mean precision at the hits: objects that were never found count too, with "
        "0.",
    ),
    _mistake(
        "last_point_only",
        _average(area=lambda recall, precision: recall[-1] * precision[-1]),
        "Only the end of the list counts in your value, as if recall and precision were "
        "multiplied; every cut counts.",
    ),
    _mistake(
        "input_order",
        _average(rank=lambda scores: torch.arange(len(scores))),
        "The detections are taken as they came: rank them by score first.",
    ),
    _mistake(
        "worst_first",
        _average(rank=lambda scores: scores.argsort(stable=True)),
        "The lowest score comes first in your ranking; the highest should.",
    ),
    _mistake(
        "ties_turned",
        _average(rank=lambda scores: scores.argsort(stable=True).flip(0)),
        "Equal scores change their order: turning an ascending ranking around turns ties around "
        "as well.",
    ),
    _mistake(
        "rank_from_zero",
        _average(precision=lambda hits, k: (hits / (k - 1).clamp(min=1)).clamp(max=1)),
        "The ranks begin at 0: after the first detection one detection was made.",
    ),
    _mistake(
        "whole_numbers",
        _average(precision=lambda hits, k: hits // k),
        "Your precision is 0 or 1 only: that is a division of whole numbers.",
    ),
    _mistake(
        "misses_over_all",
        _average(precision=lambda hits, k: 1 - hits / k),
        "Your precision is the share of misses; it is the share of hits.",
    ),
    _mistake(
        "hits_over_objects",
        _average(precision=lambda hits, k: hits / hits[-1].clamp(min=1)),
        "Your precision grows with recall: it is hits divided by the detections made so far.",
    ),
    _mistake(
        "ten_levels",
        _average(levels=lambda r, p: _levels(r, p, count=10, divide=10)),
        "Ten levels are averaged: recall 0, 0.1, …, 1 are eleven.",
    ),
    _mistake(
        "divided_by_ten",
        _average(levels=lambda r, p: _levels(r, p, divide=10)),
        "The sum over eleven levels is divided by ten.",
    ),
    _mistake(
        "a_hundred_levels",
        _average(levels=lambda r, p: _levels(r, p, count=101)),
        "Looks like the mean at 101 levels, as COCO has them; eleven were asked.",
    ),
    _mistake(
        "levels_strictly_above",
        _average(levels=lambda r, p: _levels(r, p, reaches=lambda r, level: r > level + 1e-9)),
        "A recall of exactly 0.5 does not reach the level 0.5 in your function: at least as much "
        "is enough.",
    ),
    _mistake(
        "levels_by_rounding",
        _average(levels=lambda r, p: _levels(r, p, reaches=lambda r, level: r >= level)),
        "A level such as 0.30000000000000004 misses a recall of 0.3: compare hits · 10 with level "
        "· num_ground_truth in whole numbers, or leave a little room.",
    ),
    _mistake(
        "unreached_levels_carried_on",
        _average(levels=lambda r, p: _levels(r, p, beyond=lambda p: p[-1])),
        "Levels that no cut reaches take the last precision; they count 0.",
    ),
    _mistake(
        "unreached_levels_left_out",
        _average(
            levels=lambda r, p: _levels(
                r, p, divide=sum(bool((r > k / 10 - 1e-9).any()) for k in range(11))
            )
        ),
        "Levels that no cut reaches are left out of the mean; they count 0.",
    ),
    _mistake(
        "confident_only",
        _of_confident,
        "Detections with a score below 0.5 do not count in your function; all are ranked.",
    ),
    _mistake(
        "percent",
        lambda s, h, n, method="all-point": 100 * _right(s, h, n, method=method),
        "Your value is in percent; it lies between 0 and 1.",
    ),
    _mistake(
        "not_a_number_without_detections",
        _average(empty=torch.nan),
        "Without detections comes nan: nothing was found, so the value is 0.",
    ),
    _mistake(
        "fails_without_detections",
        _fails_without,
        "It fails without detections: nothing was found, so the value is 0.",
    ),
    *blunders(_door(_right), but=("dead_gradient", "wrong_gradient", "returns_list")),
    _mistake(
        "python_float_returned",
        lambda s, h, n, method="all-point": _right(s, h, n, method=method).item(),
    ),
    _mistake("accepts_other_shapes", _cut, ACCEPTS_OTHER_SHAPES, without="shapes"),
    _mistake(
        "accepts_no_objects",
        _zero_objects,
        "No object to find was accepted: recall is undefined there, so raise a ValueError.",
        without="objects",
    ),
    _mistake(
        "accepts_too_many_hits",
        _right,
        "More hits than objects were accepted: recall above 1 says that one object was found "
        "twice and counted twice. Raise a ValueError.",
        without="hits",
    ),
    _mistake("accepts_unknown_option", _right, without="method"),
    _mistake("hides_nan", _right, without="nan"),
)
