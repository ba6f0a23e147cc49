"""The exercise `set_function`: γ of pooled h, with both networks given."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from mdcv.exercises.a5_pointnet.set_function_variants import RIGHT, WRONG, set_function
from mdcv.exercises.cases import Draw, Made, transposed_layout
from mdcv.exercises.exercise import Case, Exercise, Part, Refusal

#: Batch, points, numbers of a point, of a feature, of an answer: within a row no two are equal.
SIZES = ((2, 7, 3, 5, 4), (3, 5, 2, 7, 4), (2, 9, 5, 4, 3), (4, 6, 3, 7, 2))


def layers(draw: Draw, *sizes: int, dtype: torch.dtype) -> list[tuple[Tensor, Tensor]]:
    """Random weights of linear layers, large enough for activations that bend."""
    return [
        ((1.5 * draw.tensor(m, n) / n**0.5).to(dtype), (0.4 * draw.tensor(m)).to(dtype))
        for n, m in itertools.pairwise(sizes)
    ]


def _networks(
    draw: Draw, point: int, feature: int, answer: int, *, dtype: torch.dtype = torch.float64
) -> tuple[Made, Made]:
    """A bent h with features of both signs, and a bent γ."""
    h = layers(draw, point, 8, feature, dtype=dtype)
    gamma = layers(draw, feature, 8, answer, dtype=dtype)
    return Made("point_network", layers=h), Made("network", layers=gamma)


def _case(kind: str, points: Tensor, networks: tuple[Made, Made], **options) -> Case:
    batch, n, d = points.shape
    words = f"{batch} sets of {n} points in {d}-D"
    return Case(f"{kind}{words}", (points, *networks), **options)


def _plain(pooling: str | None, rows: tuple[int, ...]):
    """Questions with one kind of pooling; None leaves it at its default."""

    def questions(draw: Draw) -> list[Case]:
        cases = []
        for row in rows:
            batch, n, d, k, c = SIZES[row]
            options = {} if pooling is None else {"pooling": pooling}
            kind = f"pooling={pooling!r}, " if pooling else ""
            case = _case(kind, draw.cloud(batch, n, d), _networks(draw, d, k, c), options=options)
            cases.append(case)
        return cases

    return questions


def _hard(draw: Draw) -> list[Case]:
    h, gamma = _networks(draw, 3, 5, 4)
    single = _networks(draw, 3, 5, 4, dtype=torch.float32)
    layout = "needs_contiguous_input"
    crowd = draw.cloud(2, 3, 3)[:, [0, 1, 1, 2, 1, 0]]
    return [
        _case("a single point: ", draw.cloud(3, 1, 3), (h, gamma)),
        _case("a batch of one: ", draw.cloud(1, 7, 3), (h, gamma), options={"pooling": "mean"}),
        _case("points that come twice: ", crowd, (h, gamma), options={"pooling": "sum"}),
        _case("float32: ", draw.cloud(2, 6, 3, dtype=torch.float32), single),
        _case(
            "not contiguous: ",
            transposed_layout(draw.cloud(2, 7, 3)),
            (h, gamma),
            suspicion=layout,
        ),
        _case("far away: ", draw.cloud(2, 7, 3, offset=50.0), (h, gamma)),
    ]


def _gradients(draw: Draw) -> list[Case]:
    batch, n, d, k, c = SIZES[0]
    return [
        _case(
            f"pooling={pooling!r}, ",
            draw.cloud(batch, n, d),
            _networks(draw, d, k, c),
            options={"pooling": pooling},
            gradient="value",
        )
        for pooling in ("max", "mean", "sum")
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    h, gamma = _networks(draw, 3, 5, 4)
    points = draw.cloud(2, 7, 3)
    unknown = [
        Refusal(
            f"pooling={name!r}", (points, h, gamma), "accepts_unknown_pooling", {"pooling": name}
        )
        for name in ("median", "Max")
    ]
    empty = [
        Refusal("sets without points", (points[:, :0], h, gamma), "accepts_empty_set", options)
        for options in ({}, {"pooling": "sum"})
    ]
    return [
        *unknown,
        *empty,
        Refusal("a set without a batch axis", (points[0], h, gamma), "accepts_wrong_ndim"),
    ]


SET_FUNCTION = Exercise(
    name="set_function",
    contract=(
        "set_function(points, h, gamma, *, pooling='max') returns γ(pool(h(x₁), …, h(xₙ))) for "
        "every set of points (B, N, D): h maps (..., D) to (..., K), the pooling takes the "
        "largest value of each feature over the points ('sum': their sum, 'mean': their mean), "
        "gamma maps (B, K) to (B, C). Empty sets, other axes, unknown poolings: ValueError."
    ),
    reference=set_function,
    parts=(
        Part("maximum", 0.35, _plain(None, (0, 1, 2)), is_value=True),
        Part("sum", 0.15, _plain("sum", (1, 3)), is_value=True),
        Part("mean", 0.15, _plain("mean", (2, 0)), is_value=True),
        Part("hard places", 0.1, _hard),
        Part("gradient", 0.1, _gradients),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    points=4,
)
