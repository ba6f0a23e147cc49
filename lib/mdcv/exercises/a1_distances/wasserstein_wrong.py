"""Wrong ways to write `wasserstein_1d`, each with its name and its sentence."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mdcv.exercises.a1_distances.guards import of_samples
from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Mistake


def _moves(x: Tensor, y: Tensor) -> Tensor:
    return (x.sort(dim=-1).values - y.sort(dim=-1).values).abs()


def _mean_of_order(moves: Tensor, p: float) -> Tensor:
    """(mean of the p-th powers)^(1/p), with a gradient of zero where nothing moves."""
    return torch.linalg.vector_norm(moves, ord=p, dim=-1) / moves.shape[-1] ** (1 / p)


def _right(x: Tensor, y: Tensor, *, p: float = 1) -> Tensor:
    return _mean_of_order(_moves(x, y), p)


def _from_moves(reduce: Callable[[Tensor, float], Tensor]) -> Callable[..., Tensor]:
    return lambda x, y, p=1: reduce(_moves(x, y), p)


def _between(pair: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """Right but for which number goes to which."""
    return lambda x, y, p=1: _mean_of_order(pair(x, y).abs(), p)


def _nearest(x: Tensor, y: Tensor) -> Tensor:
    return (x[..., :, None] - y[..., None, :]).abs().amin(dim=-1)


def _without_absolute_value(x: Tensor, y: Tensor, p: float = 1) -> Tensor:
    moves = x.sort(dim=-1).values - y.sort(dim=-1).values
    return moves.pow(p).mean(dim=-1).pow(1 / p)


def _sorted_over_the_batch(x: Tensor, y: Tensor) -> Tensor:
    return x.sort(dim=0).values - y.sort(dim=0).values


def _pooled(x: Tensor, y: Tensor) -> Tensor:
    return _sorted_over_the_batch(x.flatten(), y.flatten()).view(x.shape)


def _all_pairs(x: Tensor, y: Tensor) -> Tensor:
    return (x[..., :, None] - y[..., None, :]).flatten(-2)


def _of_means(x: Tensor, y: Tensor, p: float = 1) -> Tensor:
    return (x.mean(dim=-1) - y.mean(dim=-1)).abs()


def _own_root(moves: Tensor, p: float) -> Tensor:
    mean = moves.pow(p).mean(dim=-1)
    return mean if p == 1 else mean ** (1 / p)


def _guarded_root(moves: Tensor, p: float) -> Tensor:
    mean = moves.pow(p).mean(dim=-1)
    return mean if p == 1 else (mean + 1e-8) ** (1 / p)


def _mistake(name: str, function: Callable[..., Tensor], sentence: str = "") -> Mistake:
    return Mistake(name, of_samples(function), sentence)


WRONG = (
    _mistake(
        "not_sorted",
        _between(lambda x, y: x - y),
        "Looks like the i-th number of x against the i-th of y as they came: sort both first.",
    ),
    _mistake(
        "only_x_sorted",
        _between(lambda x, y: x.sort(dim=-1).values - y),
        "Looks as if x were sorted and y were not: the i-th smallest goes to the i-th smallest.",
    ),
    _mistake(
        "only_y_sorted",
        _between(lambda x, y: x - y.sort(dim=-1).values),
        "Looks as if y were sorted and x were not: the i-th smallest goes to the i-th smallest.",
    ),
    _mistake(
        "opposite_orders",
        _between(lambda x, y: x.sort(dim=-1).values - y.sort(dim=-1, descending=True).values),
        "Looks as if one sample were sorted upward and the other downward: that is the dearest "
        "plan.",
    ),
    _mistake(
        "sorted_over_the_batch",
        _between(_sorted_over_the_batch),
        "Looks as if the first axis were sorted: the numbers of a sample lie along the last one.",
    ),
    _mistake(
        "rows_pooled",
        _between(_pooled),
        "Looks as if all rows were sorted together: each row is a sample of its own.",
    ),
    _mistake(
        "ordered_by_size",
        _between(
            lambda x, y: (
                x.gather(-1, x.abs().argsort(dim=-1)) - y.gather(-1, y.abs().argsort(dim=-1))
            )
        ),
        "Looks as if the numbers were sorted by their absolute value: −3 is smaller than 1.",
    ),
    _mistake(
        "each_to_its_nearest",
        _between(_nearest),
        "Looks as if each number went to its nearest one: several may share one partner there; "
        "here each has its own.",
    ),
    _mistake(
        "all_pairs",
        _between(_all_pairs),
        "Looks like a mean over all pairs: each number has one partner.",
    ),
    _mistake(
        "difference_of_means",
        _of_means,
        "Looks like the distance between the two means: samples of one mean may still differ.",
    ),
    _mistake(
        "no_absolute_value",
        _without_absolute_value,
        "Moves to the left and to the right cancel in your value: take |x − y| before the power.",
    ),
    _mistake(
        "sum_for_mean",
        _from_moves(lambda moves, p: torch.linalg.vector_norm(moves, ord=p, dim=-1)),
        "Looks like a sum over the numbers in the place of a mean: each carries the share 1/N.",
    ),
    _mistake(
        "divided_after_the_root",
        _from_moves(
            lambda moves, p: torch.linalg.vector_norm(moves, ord=p, dim=-1) / moves.shape[-1]
        ),
        "Divided by N after the root: the mean stands inside it.",
    ),
    _mistake(
        "root_missing",
        _from_moves(lambda moves, p: moves.pow(p).mean(dim=-1)),
        "Looks like W to the power p: the p-th root is missing, and the unit is not that of the "
        "numbers.",
    ),
    _mistake(
        "square_root_always",
        _from_moves(lambda moves, p: _mean_of_order(moves, p) ** (p / 2)),
        "Looks like a square root for every p: take the p-th root.",
    ),
    _mistake(
        "order_ignored",
        _from_moves(lambda moves, p: moves.mean(dim=-1)),
        "Right for p = 1, and p has no effect on your value.",
    ),
    _mistake(
        "order_two_always",
        _from_moves(lambda moves, p: _mean_of_order(moves, 2)),
        "Looks like order 2 whatever p is: the default is p = 1.",
    ),
    _mistake(
        "root_of_each_move",
        _from_moves(lambda moves, p: moves.pow(1 / p).mean(dim=-1).pow(p)),
        "Looks as if the root came first and the power last: powers inside, root outside.",
    ),
    _mistake(
        "largest_move",
        _from_moves(lambda moves, p: moves.amax(dim=-1)),
        "Looks like the largest single move (order infinity): average over all.",
    ),
    _mistake(
        "median_move",
        _from_moves(lambda moves, p: moves.quantile(0.5, dim=-1)),
        "Looks like the median move: average over all.",
    ),
    _mistake(
        "mean_over_the_batch",
        _from_moves(lambda moves, p: _mean_of_order(moves, p).mean()),
        "One number came, the mean over the batch: each row has a value of its own.",
    ),
    _mistake(
        "not_averaged",
        _from_moves(lambda moves, p: moves),
        "One number came for each move: average over the last axis.",
    ),
    _mistake(
        "halved",
        _from_moves(lambda moves, p: _mean_of_order(moves, p) / 2),
        "Your value is half of the right one: every move counts in full.",
    ),
    _mistake("coincident_points", _from_moves(_guarded_root)),
    _mistake("nan_gradient", _from_moves(_own_root)),
    *blunders(of_samples(_right)),
    Mistake(
        "accepts_unequal_sizes",
        of_samples(_right, sizes=False),
        "Samples of unequal size were accepted, and some numbers left out. Raise a ValueError.",
    ),
    Mistake(
        "broadcasts_rows",
        of_samples(_right, shapes=False),
        "Batches of different shape were accepted, and one was repeated. Compare the shapes and "
        "raise a ValueError.",
    ),
    Mistake(
        "accepts_empty_samples",
        of_samples(_right, empty=False),
        "Empty samples were accepted; a mean over nothing has no value. Raise a ValueError.",
    ),
    Mistake(
        "accepts_order_below_one",
        of_samples(_right, order=False),
        "An order below 1 was accepted; there it is no distance. Raise a ValueError.",
    ),
)
