"""Wrong ways to write `match_anchors`, each with its name and its sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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

_door = Door(
    shapes=lambda a, o, **options: is_table(a) and is_table(o),
    thresholds=lambda a, o, high=0.7, low=0.3, **options: 0 <= low <= high <= 1,
    nan=lambda a, o, **options: has_no_nan(a, o),
    inverted=lambda a, o, **options: is_upright(a) and is_upright(o),
)


# Wrong: one matching with every step that can be taken wrongly


def _best_ones(table: Tensor) -> Tensor:
    """(A, N): where an anchor reaches the greatest overlap of an object."""
    return (table == table.amax(dim=0)) & (table > 0)


def _match(
    anchors: Tensor,
    objects: Tensor,
    *,
    high: float = 0.7,
    low: float = 0.3,
    keep_best: bool = True,
    measure: Callable[[Tensor, Tensor], Tensor] = overlaps,
    is_object: Callable[[Tensor, float], Tensor] = lambda best, high: best >= high,
    is_background: Callable[[Tensor, float], Tensor] = lambda best, low: best < low,
    background: int = -1,
    ignored: int = -2,
    kept: Callable[[Tensor], Tensor] = _best_ones,
    of_kept: Callable[[Tensor, Tensor], Tensor] = lambda table, kept: table.argmax(dim=1),
    instead: Callable[[Tensor], Tensor] = lambda matches: torch.ones_like(matches).bool(),
) -> Tensor:
    """Matching with its steps as arguments; the defaults are right."""
    table = measure(anchors, objects)
    if table.numel() == 0:
        return torch.full((len(anchors),), background)
    best = table.amax(dim=1)
    matches = torch.where(is_object(best, high), table.argmax(dim=1), ignored)
    matches = torch.where(is_background(best, low), background, matches)
    if keep_best:
        found = kept(table)
        changed = found.any(dim=1) & instead(matches)
        matches = torch.where(changed, of_kept(table, found), matches)
    return matches


def _wrong(**steps: Any) -> Callable[..., Tensor]:
    return lambda anchors, objects, **options: _match(anchors, objects, **{**options, **steps})


_right = _wrong()


def _first_best_only(table: Tensor) -> Tensor:
    first = torch.zeros_like(table, dtype=torch.bool)
    first[table.argmax(dim=0), torch.arange(table.shape[1])] = True
    return first & (table > 0)


def _first_that_reaches(anchors: Tensor, objects: Tensor, **options: Any) -> Tensor:
    """The first object above the threshold, not the best one."""
    matches, table = _match(anchors, objects, **options), overlaps(anchors, objects)
    reaches = table >= options.get("high", 0.7)
    if table.numel() == 0:
        return matches
    return torch.where(reaches.any(dim=1), reaches.int().argmax(dim=1), matches)


def _of_each_object(anchors: Tensor, objects: Tensor, **options: Any) -> Tensor:
    """The best anchor of each object: the table's other axis."""
    return _match(objects, anchors, **options)


def _over_anchor(a: Tensor, o: Tensor) -> Tensor:
    inter = common_sides(a, o).clamp(min=0).prod(dim=2)
    return share(inter, areas(a)[:, None].expand_as(inter))


def _labels(anchors: Tensor, objects: Tensor, **options: Any) -> Tensor:
    """1, 0 and −1, as a loss wants them."""
    matches = _match(anchors, objects, **options)
    return torch.where(matches >= 0, 1, torch.where(matches == -1, 0, -1))


def _from_one(anchors: Tensor, objects: Tensor, **options: Any) -> Tensor:
    matches = _match(anchors, objects, **options)
    return torch.where(matches >= 0, matches + 1, matches)


def _fails_without(anchors: Tensor, objects: Tensor, **options: Any) -> Tensor:
    overlaps(anchors, objects).max(dim=1)
    return _match(anchors, objects, **options)


def _swapped(anchors: Tensor, objects: Tensor, **options: Any) -> Tensor:
    low, high = sorted([options.pop("low", 0.3), options.pop("high", 0.7)])
    return _match(anchors, objects, low=low, high=high, **options)


def _upright(boxes: Tensor) -> Tensor:
    a, b = boxes[:, :2], boxes[:, 2:]
    return torch.cat([torch.minimum(a, b), torch.maximum(a, b)], dim=1)


def _mistake(name: str, function: Any, sentence: str = "", *, without: str = "") -> Mistake:
    return Mistake(name, _door(function, without=without), sentence)


WRONG = (
    _mistake(
        "best_not_kept",
        _wrong(keep_best=False),
        "An object that no anchor fits well is never learned: with keep_best=True its best anchors "
        "belong to an object in any case.",
    ),
    _mistake(
        "best_always_kept",
        _wrong(keep_best=True),
        "The best anchors of each object are kept with keep_best=False as well.",
    ),
    _mistake(
        "best_goes_to_that_object",
        _wrong(of_kept=lambda table, kept: kept.int().argmax(dim=1)),
        "An anchor that is the best of one object but overlaps another more goes to the first in "
        "your function; it goes to its own best object.",
    ),
    _mistake(
        "one_best_anchor_only",
        _wrong(kept=_first_best_only),
        "Where two anchors fit an object equally well only the first is kept: all of them are.",
    ),
    _mistake(
        "best_replaces_background_only",
        _wrong(instead=lambda matches: matches == -1),
        "A best anchor whose IoU lies between the thresholds stays ignored; it belongs to an "
        "object.",
    ),
    _mistake(
        "best_replaces_ignored_only",
        _wrong(instead=lambda matches: matches == -2),
        "A best anchor whose IoU is below low stays background; it belongs to an object.",
    ),
    _mistake(
        "best_of_all_only",
        _wrong(kept=lambda table: (table == table.amax()) & (table > 0)),
        "Only the best anchor of the whole picture is kept; every object has best ones.",
    ),
    _mistake(
        "zero_is_the_best",
        _wrong(kept=lambda table: table == table.amax(dim=0)),
        "An object that nobody overlaps has the greatest IoU 0, and every anchor that touches "
        "nothing reaches it: a best IoU of 0 keeps no anchor.",
    ),
    _mistake(
        "high_excluded",
        _wrong(is_object=lambda best, high: best > high),
        "An IoU of exactly high does not count for the object; it should.",
    ),
    _mistake(
        "low_included",
        _wrong(is_background=lambda best, low: best <= low),
        "An IoU of exactly low is background in your function; only less than low is.",
    ),
    _mistake(
        "between_is_background",
        _wrong(ignored=-1),
        "Anchors between the two thresholds become background: they are ignored, −2.",
    ),
    _mistake(
        "between_is_object",
        _wrong(is_object=lambda best, high: best >= 0),
        "Anchors between the two thresholds belong to an object: they are ignored, −2.",
    ),
    _mistake(
        "background_is_ignored",
        _wrong(background=-2),
        "Anchors that overlap nothing are ignored: they are background, −1.",
    ),
    _mistake(
        "codes_exchanged",
        _wrong(background=-2, ignored=-1),
        "−1 and −2 are exchanged: background is −1, ignored −2.",
    ),
    _mistake(
        "labels_for_indices",
        _labels,
        "1, 0 and −1 came, the labels of a loss; which object an anchor belongs to was asked.",
    ),
    _mistake(
        "counted_from_one",
        _from_one,
        "Your indices of objects begin at 1; they begin at 0.",
    ),
    _mistake(
        "fixed_thresholds",
        lambda a, o, keep_best=True, **options: _match(a, o, keep_best=keep_best),
        "The thresholds are always 0.7 and 0.3, whatever is given.",
    ),
    _mistake(
        "first_that_reaches",
        _first_that_reaches,
        "An anchor goes to the first object that reaches the threshold; it goes to the one that it "
        "overlaps most.",
    ),
    _mistake(
        "least_for_greatest",
        _wrong(of_kept=lambda table, kept: table.argmin(dim=1)),
        "A kept anchor goes to the object that it overlaps least.",
    ),
    _mistake(
        "of_each_object",
        _of_each_object,
        "One number for each object came: each anchor has one.",
    ),
    _mistake(
        "plus_one",
        _wrong(measure=overlaps_plus_one),
        "Your overlap takes the boxes one pixel wider than x2 − x1, and small ones feel it.",
    ),
    _mistake(
        "covered_share",
        _wrong(measure=_over_anchor),
        "The overlap is divided by the area of the anchor: a small anchor inside an object is at "
        "1. The union counts.",
    ),
    _mistake(
        "fails_without_objects",
        _fails_without,
        "It fails without objects: then every anchor is background.",
    ),
    _mistake(
        "ignored_without_objects",
        lambda a, o, **options: _match(a, o, **options) if len(o) else torch.full((len(a),), -2),
        "Without objects every anchor is ignored: it is background, and there is much to learn "
        "from it.",
    ),
    _mistake("float32_inside", lambda a, o, **options: _match(a.float(), o.float(), **options)),
    _mistake("wrong_dtype", lambda a, o, **options: _match(a, o, **options).int()),
    _mistake("changes_its_input", changing_its_input(_right)),
    _mistake("returns_list", lambda a, o, **options: _match(a, o, **options).tolist()),
    _mistake("returns_numpy", lambda a, o, **options: _match(a, o, **options).numpy()),
    _mistake("returns_nothing", returning_nothing(_right)),
    _mistake(
        "accepts_other_shapes",
        lambda a, o, **options: _match(a, torch.atleast_2d(o)[:, :4], **options),
        ACCEPTS_OTHER_SHAPES,
        without="shapes",
    ),
    _mistake(
        "accepts_any_thresholds",
        _swapped,
        "Thresholds that make no sense were accepted: 0 <= low <= high <= 1. Raise a ValueError.",
        without="thresholds",
    ),
    _mistake(
        "hides_nan",
        lambda a, o, **options: _match(a, _upright(o.nan_to_num()), **options),
        without="nan",
    ),
    _mistake(
        "accepts_inverted_boxes",
        lambda a, o, **options: _match(_upright(a), _upright(o), **options),
        ACCEPTS_INVERTED_BOXES,
        without="inverted",
    ),
)
