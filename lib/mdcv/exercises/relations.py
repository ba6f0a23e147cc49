"""Simple relations between a wrong value and the right one: the classic slips of a formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mdcv.exercises.exercise import Case

#: Given yours, the right value and the case: two tensors that are equal when the relation holds,
#: or None where it makes no sense.
Relation = Callable[[Tensor, Tensor, Case], tuple[Tensor, Tensor] | None]


def _size_of(argument: int, axis: int, power: int) -> Relation:
    """Yours is the right one times a size of an argument, to a power."""

    def relation(yours: Tensor, theirs: Tensor, case: Case) -> tuple[Tensor, Tensor] | None:
        tensors = [a for a in case.arguments if isinstance(a, Tensor)]
        if len(tensors) <= argument or tensors[argument].ndim <= axis:
            return None
        return yours, theirs * float(tensors[argument].shape[axis]) ** power

    return relation


def _batch_in_other_order(yours: Tensor, theirs: Tensor, case: Case):
    if yours.ndim != 1 or len(yours) < 2:
        return None
    return yours.sort().values, theirs.sort().values


RELATIONS: tuple[tuple[str, Relation], ...] = (
    ("Your value is the right one with the opposite sign.", lambda y, t, c: (y, -t)),
    ("Your value is the square of the right one.", lambda y, t, c: (y, t * t)),
    (
        "Your value is the square root of the right one.",
        lambda y, t, c: (y, t.clamp(min=0).sqrt()),
    ),
    ("Your value is one divided by the right one.", lambda y, t, c: (y, 1 / t)),
    ("Your value is the logarithm of the right one.", lambda y, t, c: (y, t.log())),
    ("The values are right, but at other places of the batch.", _batch_in_other_order),
    ("Your value is N times the right one (N points of x).", _size_of(0, 1, +1)),
    ("Your value is the right one divided by N, the points of x.", _size_of(0, 1, -1)),
    ("Your value is M times the right one (M points of y).", _size_of(1, 1, +1)),
    ("Your value is the right one divided by M, the points of y.", _size_of(1, 1, -1)),
    ("Your value is the right one times the batch size.", _size_of(0, 0, +1)),
    ("Your value is the right one divided by the batch size.", _size_of(0, 0, -1)),
    ("Your value is the right one times the dimension D.", _size_of(0, 2, +1)),
    ("Your value is the right one divided by the dimension D.", _size_of(0, 2, -1)),
)


def constant_ratio(pairs: Sequence[tuple[Tensor, Tensor]]) -> str | None:
    """Words for a ratio that is the same in every entry of every case; None if there is none.

    >>> constant_ratio([(torch.tensor([2.0, 4.0, 6.0]), torch.tensor([1.0, 2.0, 3.0]))])
    'Your value is 2 times the right one, in every case.'
    """
    yours = torch.cat([y.flatten() for y, _ in pairs])
    theirs = torch.cat([t.flatten() for _, t in pairs])
    away_from_zero = theirs.abs() > 1e-6
    if int(away_from_zero.sum()) < 3:
        return None
    ratio = yours[away_from_zero] / theirs[away_from_zero]
    middle = ratio.median()
    if not bool(((ratio - middle).abs() <= 1e-4 * middle.abs()).all()) or abs(middle - 1) < 1e-3:
        return None
    return f"Your value is {middle.item():.4g} times the right one, in every case."
