"""Laws of a distance between two point sets: a broken one is a clue to an unnamed mistake."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Call, Law

Change = Callable[[Draw, Tensor, Tensor], tuple[Tensor, Tensor]]


def set_laws(*, power: int = 1) -> tuple[Law, ...]:
    """The laws of a distance between sets of points, which scales with a power of the unit."""
    times = 3**power
    return (
        _law("d(X, Y) and d(Y, X) differ: both directions count.", lambda _, x, y: (y, x), _agree),
        _law(
            "The value of one pair changes with the rest of the batch: pairs must not mix.",
            lambda _, x, y: (x[:1], y[:1]),
            lambda values: _agree([values[0][:1], values[1]]),
        ),
        _law(
            "The value changes when the points of y come in another order: a set has no order.",
            lambda draw, x, y: (x, y[:, draw.order(y.shape[1])]),
            _agree,
        ),
        _law(
            "A set is not at distance 0 from itself.",
            lambda _, x, y: (x, x),
            lambda values: bool((values[1].abs() < 1e-4).all()),
        ),
        _law(
            "The value changes when both sets are moved together.",
            lambda draw, x, y: (x + 3.0, y + 3.0),
            _agree,
        ),
        _law(
            f"Sets three times as large are {times} times as far apart; yours are not.",
            lambda _, x, y: (3 * x, 3 * y),
            lambda values: _agree([times * values[0], values[1]]),
        ),
    )


def _law(sentence: str, change: Change, holds: Callable[[Sequence[Tensor]], bool]) -> Law:
    """A law about a random pair of sets and the same pair, changed."""

    def calls(draw: Draw) -> list[Call]:
        x = draw.cloud(2, 7, 3)
        y = draw.cloud(2, 7, 3) + 0.5 * draw.tensor(1, 1, 3)
        return [((x, y), {}), (change(draw, x, y), {})]

    return Law(sentence, calls, holds)


def _agree(values: Sequence[Tensor]) -> bool:
    return torch.allclose(values[0], values[1], rtol=1e-5, atol=1e-7)
