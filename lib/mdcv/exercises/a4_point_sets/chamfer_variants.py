"""Right and wrong ways to write `chamfer_distance`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mdcv.exercises.a4_point_sets.tables import (
    distances,
    expanded_squares,
    refusing,
    squares,
)
from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Mistake, Right
from mdcv.points.norms import zero_safe_root

# Right, written differently


def _by_broadcasting(
    x: Tensor, y: Tensor, *, squared: bool = True, reduction: str = "sum", one_sided: bool = False
) -> Tensor:
    if reduction not in ("sum", "mean"):
        raise ValueError(f"reduction {reduction} is neither sum nor mean")
    if x.ndim != 3 or y.ndim != 3 or x.shape[0] != y.shape[0] or x.shape[2] != y.shape[2]:
        raise ValueError(f"expected (b, n, d) and (b, m, d), not {x.shape} and {y.shape}")
    if x.shape[1] == 0 or y.shape[1] == 0:
        raise ValueError("empty point set")
    difference = x.unsqueeze(2) - y.unsqueeze(1)
    table = (difference**2).sum(-1) if squared else difference.norm(dim=-1)
    reduce = torch.sum if reduction == "sum" else torch.mean
    total = reduce(table.min(dim=2).values, dim=1)
    return total if one_sided else total + reduce(table.min(dim=1).values, dim=1)


def _by_loops(x, y, *, squared=True, reduction="sum", one_sided=False):
    if len(x.shape) != 3 or len(y.shape) != 3:
        raise ValueError("three axes, please")
    if len(x) != len(y):
        raise ValueError("as many x as y, please")
    if x.shape[-1] != y.shape[-1]:
        raise ValueError("points of one dimension, please")
    if reduction != "sum" and reduction != "mean":
        raise ValueError("sum or mean, please")

    def one_way(start, goal):
        if len(start) == 0 or len(goal) == 0:
            raise ValueError("no points")
        total = 0.0
        for p in start:
            nearest = torch.stack([((p - q) ** 2).sum() for q in goal]).min()
            total = total + (nearest if squared else zero_safe_root(nearest))
        return total / len(start) if reduction == "mean" else total

    values = [
        one_way(a, b) if one_sided else one_way(a, b) + one_way(b, a)
        for a, b in zip(x, y, strict=True)
    ]
    return torch.stack(values)


def _by_indices(
    x: Tensor, y: Tensor, *, squared: bool = True, reduction: str = "sum", one_sided: bool = False
) -> Tensor:
    """Searches without a graph, then measures the found pairs with one."""
    if {"sum": 0, "mean": 0}.get(reduction) is None:
        raise ValueError("unknown reduction")
    if x.ndim + y.ndim != 6 or x.shape[::2] != y.shape[::2] or 0 in (x.shape[1], y.shape[1]):
        raise ValueError("bad shapes")
    with torch.no_grad():
        table = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
        to_y, to_x = table.argmin(dim=2), table.argmin(dim=1)

    def measure(start: Tensor, goal: Tensor, index: Tensor) -> Tensor:
        found = goal.gather(1, index[..., None].expand(-1, -1, goal.shape[2]))
        gap = start - found
        each = gap.pow(2).sum(2) if squared else torch.linalg.vector_norm(gap, dim=2)
        return getattr(each, reduction)(1)

    forth = measure(x, y, to_y)
    return forth if one_sided else forth + measure(y, x, to_x)


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


RIGHT = (
    Right("by broadcasting", _by_broadcasting),
    Right("by loops", _by_loops),
    Right("by indices", _by_indices),
)

WRONG = (
    Mistake(
        "always_plain",
        _with(squared=False),
        "Looks like plain distances where squared ones were asked: the option squared does "
        "nothing.",
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
        "Looks like a mean over the points where a sum was asked: the option reduction does "
        "nothing.",
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
        "counts_exchanged",
        refusing(_counts_exchanged),
        "Each direction is divided by the other set's count: divide by the points it starts from.",
    ),
    Mistake(
        "batch_averaged",
        refusing(_batch_averaged),
        "Every pair got one value, the mean over the batch: reduce over points only.",
    ),
    Mistake(
        "root_after_sum",
        refusing(_root_after_sum),
        "Looks like the root of a sum of squares: with squared=False each distance has its own "
        "root.",
    ),
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
    Mistake(
        "mean_over_coordinates",
        refusing(_mean_over_coordinates),
        "Divided by the dimension: a squared distance is the sum over coordinates, not their mean.",
    ),
    Mistake(
        "manhattan",
        refusing(_manhattan),
        "Looks like the sum of absolute coordinates; the distance is Euclidean.",
    ),
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
