"""Wrong ways to write `chamfer_distance`, each with its name and its sentence."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mdcv.exercises.a4_point_sets.tables import (
    between_centers,
    distances,
    expanded_squares,
    refusing,
    squares,
)
from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Mistake
from mdcv.points.norms import zero_safe_root

# Wrong: one way of computing with every knob that can be turned wrongly


def _chamfer(
    table: Tensor,
    *,
    squared: bool = True,
    reduction: str = "sum",
    one_sided: bool = False,
) -> Tensor:
    """Chamfer from a table of squared distances."""
    table = table if squared else zero_safe_root(table)
    reduce = torch.sum if reduction == "sum" else torch.mean
    forth, back = reduce(table.amin(2), 1), reduce(table.amin(1), 1)
    return forth if one_sided else forth + back


def _right(x: Tensor, y: Tensor, **options) -> Tensor:
    return _chamfer(squares(x, y), **options)


def _with(**forced) -> Callable[..., Tensor]:
    """Ignores what the caller chose, and takes these options instead."""
    return refusing(lambda x, y, **options: _right(x, y, **{**options, **forced}))


def _flipped(option: str) -> Callable[..., Tensor]:
    defaults = {"squared": True, "one_sided": False}

    def wrong(x: Tensor, y: Tensor, **options) -> Tensor:
        options[option] = not options.get(option, defaults[option])
        return _right(x, y, **options)

    return refusing(wrong)


def _sum_and_mean_exchanged(x: Tensor, y: Tensor, *, reduction: str = "sum", **options) -> Tensor:
    other = "mean" if reduction == "sum" else "sum"
    return _right(x, y, reduction=other, **options)


def _directions_averaged(x: Tensor, y: Tensor, *, one_sided: bool = False, **options) -> Tensor:
    value = _right(x, y, one_sided=one_sided, **options)
    return value if one_sided else value / 2


def _doubled(x: Tensor, y: Tensor, **options) -> Tensor:
    return 2 * _right(x, y, **options)


def _forth_twice(x: Tensor, y: Tensor, *, one_sided: bool = False, **options) -> Tensor:
    forth = _right(x, y, one_sided=True, **options)
    return forth if one_sided else 2 * forth


def _other_side(x: Tensor, y: Tensor, *, one_sided: bool = False, **options) -> Tensor:
    if one_sided:
        return _right(y, x, one_sided=True, **options)
    return _right(x, y, **options)


def _mean_of_all(
    x: Tensor, y: Tensor, *, reduction: str = "sum", one_sided: bool = False, **options
) -> Tensor:
    if reduction == "mean" and not one_sided:
        return _right(x, y, **options) / (x.shape[1] + y.shape[1])
    return _right(x, y, reduction=reduction, one_sided=one_sided, **options)


def _one_count_for_both(x: Tensor, y: Tensor, *, reduction: str = "sum", **options) -> Tensor:
    value = _right(x, y, **options)
    return value / x.shape[1] if reduction == "mean" else value


def _counts_exchanged(
    x: Tensor, y: Tensor, *, reduction: str = "sum", one_sided: bool = False, **options
) -> Tensor:
    if reduction == "sum":
        return _right(x, y, one_sided=one_sided, **options)
    forth = _right(x, y, one_sided=True, **options) / y.shape[1]
    back = _right(y, x, one_sided=True, **options) / x.shape[1]
    return forth if one_sided else forth + back


def _larger_direction(x: Tensor, y: Tensor, *, one_sided: bool = False, **options) -> Tensor:
    forth, back = _right(x, y, one_sided=True, **options), _right(y, x, one_sided=True, **options)
    return forth if one_sided else torch.maximum(forth, back)


def _batch_averaged(x: Tensor, y: Tensor, **options) -> Tensor:
    return _right(x, y, **options).mean().expand(len(x))


def _root_after_sum(x: Tensor, y: Tensor, *, squared: bool = True, **options) -> Tensor:
    if squared:
        return _right(x, y, **options)
    one_sided = options.pop("one_sided", False)
    forth = zero_safe_root(_right(x, y, one_sided=True, **options))
    back = zero_safe_root(_right(y, x, one_sided=True, **options))
    return forth if one_sided else forth + back


def _root_of_the_total(x: Tensor, y: Tensor, *, squared: bool = True, **options) -> Tensor:
    total = _right(x, y, **options)
    return total if squared else zero_safe_root(total)


def _squared_after_sum(x: Tensor, y: Tensor, *, squared: bool = True, **options) -> Tensor:
    plain = _right(x, y, squared=False, **options)
    return plain.square() if squared else plain


def _centers(x: Tensor, y: Tensor, *, squared: bool = True, **options) -> Tensor:
    return between_centers(x, y).square() if squared else between_centers(x, y)


def _divided_by_the_larger(x: Tensor, y: Tensor, *, reduction: str = "sum", **options) -> Tensor:
    value = _right(x, y, **options)
    return value / max(x.shape[1], y.shape[1]) if reduction == "mean" else value


def _squared_twice(x: Tensor, y: Tensor, *, squared: bool = True, **options) -> Tensor:
    table = squares(x, y)
    if not squared:
        return _chamfer(table, squared=False, **options)
    return _chamfer(table.square(), **options)


def _index_aligned(
    x: Tensor, y: Tensor, *, squared: bool = True, reduction: str = "sum", one_sided: bool = False
) -> Tensor:
    n = min(x.shape[1], y.shape[1])
    each = (x[:, :n] - y[:, :n]).square().sum(2)
    each = each if squared else zero_safe_root(each)
    value = each.sum(1) if reduction == "sum" else each.mean(1)
    return value if one_sided else 2 * value


def _truncated(x: Tensor, y: Tensor, **options) -> Tensor:
    n = min(x.shape[1], y.shape[1])
    return _right(x[:, :n], y[:, :n], **options)


def _farthest(
    x: Tensor, y: Tensor, *, squared: bool = True, reduction: str = "sum", one_sided: bool = False
) -> Tensor:
    table = squares(x, y) if squared else distances(x, y)
    reduce = torch.sum if reduction == "sum" else torch.mean
    forth, back = reduce(table.amax(2), 1), reduce(table.amax(1), 1)
    return forth if one_sided else forth + back


def _mean_over_coordinates(x: Tensor, y: Tensor, **options) -> Tensor:
    return _chamfer(squares(x, y) / x.shape[2], **options)


def _manhattan(x: Tensor, y: Tensor, *, squared: bool = True, **options) -> Tensor:
    table = (x[:, :, None] - y[:, None]).abs().sum(-1)
    return _chamfer(table.square() if squared else table, **options)


def _all_pairs(x: Tensor, y: Tensor, *, squared: bool = True, **options) -> Tensor:
    table = squares(x, y) if squared else distances(x, y)
    forth, back = table.mean(2), table.mean(1)
    if options.get("reduction", "sum") == "sum":
        forth, back = forth.sum(1), back.sum(1)
    else:
        forth, back = forth.mean(1), back.mean(1)
    return forth if options.get("one_sided") else forth + back


def _expanded_square(x: Tensor, y: Tensor, **options) -> Tensor:
    return _chamfer(expanded_squares(x, y).clamp(min=0), **options)


def _own_root(
    x: Tensor, y: Tensor, *, squared: bool = True, reduction: str = "sum", one_sided: bool = False
) -> Tensor:
    table = squares(x, y)
    table = table if squared else table.sqrt()
    reduce = torch.sum if reduction == "sum" else torch.mean
    forth, back = reduce(table.amin(2), 1), reduce(table.amin(1), 1)
    return forth if one_sided else forth + back


def _goal_detached(x: Tensor, y: Tensor, *, one_sided: bool = False, **options) -> Tensor:
    forth = _right(x, y.detach(), one_sided=True, **options)
    if one_sided:
        return forth
    return forth + _right(y, x.detach(), one_sided=True, **options)


def _x_detached(x: Tensor, y: Tensor, **options) -> Tensor:
    return _right(x.detach(), y, **options)


def _zero_for_empty(x: Tensor, y: Tensor, **options) -> Tensor:
    if 0 in (x.shape[1], y.shape[1]):
        return x.new_zeros(len(x))
    return _right(x, y, **options)


def _mean_for_anything(x: Tensor, y: Tensor, *, reduction: str = "sum", **options) -> Tensor:
    return _right(x, y, reduction="sum" if reduction == "sum" else "mean", **options)


WRONG = (
    Mistake(
        "always_plain",
        _with(squared=False),
        "Looks like plain distances where squared ones were asked; squared=True, the default, "
        "asks for squares.",
    ),
    Mistake(
        "always_squared",
        _with(squared=True),
        "Looks like squared distances where plain ones were asked: the option squared does "
        "nothing.",
    ),
    Mistake(
        "squared_flipped",
        _flipped("squared"),
        "squared=True takes plain distances in your function, and False squared ones: exchange "
        "them.",
    ),
    Mistake(
        "always_mean",
        _with(reduction="mean"),
        "Looks like a mean over the points where a sum was asked; reduction='sum' is the default.",
    ),
    Mistake(
        "always_sum",
        _with(reduction="sum"),
        "Your value grows with the number of points: a sum where a mean was asked.",
    ),
    Mistake(
        "sum_and_mean_exchanged",
        refusing(_sum_and_mean_exchanged),
        "reduction='sum' takes the mean in your function, and 'mean' the sum: exchange them.",
    ),
    Mistake(
        "always_one_sided",
        _with(one_sided=True),
        "Looks like the direction from x to y alone: a subset is at distance 0. One direction "
        "is missing.",
    ),
    Mistake(
        "always_two_sided",
        _with(one_sided=False),
        "Both directions come with one_sided=True as well: then only x to y counts.",
    ),
    Mistake(
        "one_sided_flipped",
        _flipped("one_sided"),
        "one_sided=True takes both directions in your function, and False one: exchange them.",
    ),
    Mistake(
        "other_side",
        refusing(_other_side),
        "With one_sided=True your value goes from y to x; x to y was asked.",
    ),
    Mistake(
        "directions_averaged",
        refusing(_directions_averaged),
        "Half of our value: the two directions are added, not averaged.",
    ),
    Mistake("doubled", refusing(_doubled), "Twice our value: something is counted two times."),
    Mistake(
        "forth_twice",
        refusing(_forth_twice),
        "Looks like x to y counted twice: the second direction starts from the points of y.",
    ),
    Mistake(
        "larger_direction",
        refusing(_larger_direction),
        "Looks like the larger of the two directions: Chamfer adds them.",
    ),
    Mistake(
        "mean_of_all_points",
        refusing(_mean_of_all),
        "Looks like one mean over the points of both sets: each direction is divided by its own"
        " count.",
    ),
    Mistake(
        "one_count_for_both",
        refusing(_one_count_for_both),
        "Both directions are divided by the points of x: the way from y divides by the points "
        "of y.",
    ),
    Mistake(
        "divided_by_the_larger",
        refusing(_divided_by_the_larger),
        "Both directions are divided by the larger count: each is divided by its own.",
    ),
    Mistake(
        "counts_exchanged",
        refusing(_counts_exchanged),
        "Each direction is divided by the other set's count: divide by the points it starts from.",
    ),
    Mistake("batch_averaged", refusing(_batch_averaged)),
    Mistake(
        "root_after_sum",
        refusing(_root_after_sum),
        "Looks like the root of a sum of squares: with squared=False each distance has its own "
        "root.",
    ),
    Mistake(
        "root_of_the_total",
        refusing(_root_of_the_total),
        "Looks like the root of the whole sum: with squared=False each distance has its own root.",
    ),
    Mistake(
        "squared_after_sum",
        refusing(_squared_after_sum),
        "Looks like the square of a sum of distances: each distance is squared before they add up.",
    ),
    Mistake("centers_of_the_sets", refusing(_centers)),
    Mistake(
        "squared_twice",
        refusing(_squared_twice),
        "Looks like squares of squared distances: square once.",
    ),
    Mistake(
        "index_aligned",
        refusing(_index_aligned),
        "Looks like the i-th point of x against the i-th of y: each point looks for its nearest.",
    ),
    Mistake(
        "truncated",
        refusing(_truncated),
        "Looks like both sets cut to the smaller size: every point counts.",
    ),
    Mistake(
        "farthest_for_nearest",
        refusing(_farthest),
        "Looks like the farthest point where the nearest was asked.",
    ),
    Mistake(
        "all_pairs",
        refusing(_all_pairs),
        "Looks like the average over all pairs: only the nearest point counts.",
    ),
    Mistake("mean_over_coordinates", refusing(_mean_over_coordinates)),
    Mistake("manhattan", refusing(_manhattan)),
    Mistake("cancellation", refusing(_expanded_square)),
    Mistake("nan_gradient", refusing(_own_root)),
    Mistake(
        "goal_detached",
        refusing(_goal_detached),
        "The value is right, but each point pulls only itself: the nearest point it found must "
        "get a gradient as well.",
    ),
    Mistake("gradient_of_one_input", refusing(_x_detached)),
    *blunders(refusing(_right)),
    Mistake("accepts_empty_set", refusing(_zero_for_empty, empty=False)),
    Mistake("broadcasts_batches", refusing(_right, batch=False)),
    Mistake("accepts_unknown_option", refusing(_mean_for_anything, option=False)),
)
