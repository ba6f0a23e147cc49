"""The exercise `wasserstein_1d`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mdcv.divergence import wasserstein_1d
from mdcv.exercises.a1_distances.wasserstein_right import RIGHT
from mdcv.exercises.a1_distances.wasserstein_wrong import WRONG
from mdcv.exercises.cases import Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Call, Case, Exercise, Law, Part, Refusal

Options = Mapping[str, Any]


def _samples(draw: Draw, *shape: int) -> tuple[Tensor, Tensor]:
    """Two samples of one shape, of different mean and width, whose ranks cross."""
    x, y = draw.tensor(*shape), draw.tensor(*shape)
    row = 1 + 0.3 * torch.arange(shape[0], dtype=x.dtype).view(-1, *[1] * (len(shape) - 1))
    wider = row if len(shape) > 1 else 1.0
    return 1.2 * wider * x - 0.3, 0.7 * y + 0.4


def _values(*choices: Options):
    def questions(draw: Draw) -> list[Case]:
        cases = []
        for options in choices:
            batch, n, other, _ = draw.sizes()
            shapes = [(batch, n), (batch, n), draw.sizes()[:2], (other,), (2, 3, other)]
            cases += [_case("", *_samples(draw, *shape), options) for shape in shapes]
        return cases

    return questions


def _hard(draw: Draw) -> list[Case]:
    x, y = _samples(draw, 3, 8)
    tied, other = (3 * x).round(), (3 * y).round()
    cases = []
    for options in ({}, {"p": 2}):
        single = tuple(value.float() for value in _samples(draw, 5, 7))
        cases += [
            _case(
                "one sample twice, in another order",
                x,
                x[:, draw.order(8)],
                options,
                suspicion="coincident_points",
            ),
            _case("samples with ties", tied, other, options),
            _case("samples of one number", *_samples(draw, 4, 1), options),
            _case("as many rows as numbers", *_samples(draw, 6, 6), options),
            _case("a batch of one", *_samples(draw, 1, 5), options),
            _case("101 numbers", *_samples(draw, 2, 101), options),
            _case("numbers of size 100,000", 1e5 * x, 1e5 * y, options),
            _case("numbers around 40,000", x + 4e4, y + 4e4, options, suspicion="float32_inside"),
            _case(
                "inputs that are not contiguous",
                transposed_layout(x),
                strided_layout(y),
                options,
                suspicion="needs_contiguous_input",
            ),
            _case("float32", *single, options, atol=1e-5),
        ]
    return cases


def _gradients(draw: Draw) -> list[Case]:
    batch, n, *_ = draw.sizes()
    x, _ = _samples(draw, 3, 7)
    again = x[:, draw.order(7)]
    choices: tuple[Options, ...] = ({}, {"p": 2}, {"p": 3})
    pairs = [_samples(draw, batch, n) for _ in choices]
    return [
        _case("the gradient", *pair, options, gradient="value")
        for pair, options in zip(pairs, choices, strict=True)
    ] + [
        _case(
            "the gradient where both samples are one",
            x,
            again,
            options,
            gradient="finite",
            suspicion="coincident_points",
        )
        for options in choices
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    x, y = _samples(draw, 3, 5)
    longer, nan = draw.tensor(3, 7), x.clone()
    nan[1, 2] = torch.nan
    bad: list[tuple[str, Tensor, Tensor, Options, str]] = [
        ("samples of 5 and 7 numbers", x, longer, {}, "accepts_unequal_sizes"),
        ("samples of 7 and 5 numbers, p=2", longer, y, {"p": 2}, "accepts_unequal_sizes"),
        ("3 rows against 1", x, y[:1], {}, "broadcasts_rows"),
        ("3 rows against none", x[0], y, {}, "broadcasts_rows"),
        ("empty samples", x[:, :0], y[:, :0], {}, "accepts_empty_samples"),
        ("p=0.5", x, y, {"p": 0.5}, "accepts_order_below_one"),
        ("p=0", x, y, {"p": 0}, "accepts_order_below_one"),
        ("p=-1", x, y, {"p": -1}, "accepts_order_below_one"),
    ]
    return [
        *(Refusal(kind, (a, b), name, options) for kind, a, b, options, name in bad),
        Refusal("a number that is NaN", (nan, y), "hides_nan", or_any_sign=True),
    ]


def _case(kind: str, x: Tensor, y: Tensor, options: Options, **more: Any) -> Case:
    *batch, n = x.shape
    count = "one pair" if not batch else f"{' x '.join(map(str, batch))} pairs"
    chosen = "".join(f", {name}={value!r}" for name, value in options.items())
    sizes = f"{count} of samples of {n}{chosen}"
    return Case(f"{kind} ({sizes})" if kind else sizes, (x, y), options, **more)


def _law(sentence: str, change: Any, holds: Any) -> Law:
    def calls(draw: Draw) -> list[Call]:
        x, y = _samples(draw, 4, 7)
        return [((x, y), {}), (change(draw, x, y), {})]

    return Law(sentence, calls, holds)


LAWS = (
    _law(
        "The value changes when the numbers of y come in another order: a sample has no order.",
        lambda draw, x, y: (x, y[:, draw.order(7)]),
        lambda values: torch.allclose(values[0], values[1], rtol=1e-5),
    ),
    _law(
        "A sample is not at distance 0 from itself.",
        lambda draw, x, y: (x, x.clone()),
        lambda values: bool((values[1].abs() < 1e-5).all()),
    ),
    _law(
        "A sample moved by 3 is 3 away from where it was; yours says something else.",
        lambda draw, x, y: (x, x + 3.0),
        lambda values: bool(((values[1] - 3).abs() < 1e-5).all()),
    ),
    _law(
        "The value of one row changes with the rest of the batch: rows must not mix.",
        lambda draw, x, y: (x[:1], y[:1]),
        lambda values: torch.allclose(values[0][:1], values[1], rtol=1e-5),
    ),
)

WASSERSTEIN_1D = Exercise(
    name="wasserstein_1d",
    contract=(
        "wasserstein_1d(x, y, *, p=1) returns, for each row, (mean over i of "
        "|x_(i) − y_(i)|^p)^(1/p) of the sorted samples. Shapes that differ, empty "
        "samples, p below 1: ValueError."
    ),
    reference=wasserstein_1d,
    parts=(
        Part("order 1", 0.35, _values({}), is_value=True),
        Part("other orders", 0.2, _values({"p": 2}, {"p": 3}, {"p": 1.5}), is_value=True),
        Part("hard places", 0.15, _hard),
        Part("gradient", 0.15, _gradients),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    laws=LAWS,
    traits={
        "one_value_for_the_batch": (
            "One number came for the whole batch; each row is a pair of samples with a value of "
            "its own."
        ),
    },
    points=7,
)
