"""What the exercises on two point clouds share: hard cases, bad input, laws, building blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.cases import Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Case, Law, Refusal

#: How far one distance may be off; sums of n distances get n times as much. It admits the 1e-6
#: that PyTorch's own pairwise distance adds to every coordinate, and small guards under a root.
PER_DISTANCE = 5e-6

Options = Mapping[str, Any]


def in_words(x: Tensor, y: Tensor) -> str:
    """The sizes of two clouds in words.

    >>> in_words(torch.zeros(2, 7, 3), torch.zeros(2, 5, 3))
    'a batch of 2, 7 and 5 points in 3-D'
    """
    return f"a batch of {x.shape[0]}, {x.shape[1]} and {y.shape[1]} points in {x.shape[2]}-D"


def slack(x: Tensor, y: Tensor) -> float:
    """The absolute tolerance of a sum over all points of both clouds."""
    return PER_DISTANCE * (x.shape[1] + y.shape[1])


def plain_cases(draw: Draw, *choices: Options, equal: bool = False) -> list[Case]:
    """Random clouds: for each choice of options two float64 pairs of one shape, and a third one."""
    cases = []
    for options in choices:
        x, y = draw.pair()
        batch, n, m, dimension = draw.sizes()
        others = [
            (x, y),
            (2.0 * x + 0.3, y - 0.7 * y.mean(dim=1, keepdim=True)),
            (draw.cloud(batch, n, dimension), draw.cloud(batch, m, dimension)),
        ]
        for a, b in others:
            if equal:
                b = draw.cloud(a.shape[0], a.shape[1], a.shape[2]) + 0.5
            cases.append(Case(in_words(a, b), (a, b), options, atol=slack(a, b)))
    return cases


def hard_cases(draw: Draw, options: Options, *, equal: bool = False) -> list[Case]:
    """Clouds far from the origin, float32, coincident points, single points, odd memory layouts."""
    far = draw.cloud(2, 29, 3, offset=1e4, spread=1e-2, dtype=torch.float32)
    far_y = draw.cloud(2, 29 if equal else 31, 3, offset=1e4, spread=1e-2, dtype=torch.float32)
    away, away_y = draw.cloud(3, 7, 2, offset=4e4), draw.cloud(3, 7 if equal else 8, 2, offset=4e4)
    x, y = draw.cloud(2, 9, 5), draw.cloud(2, 9 if equal else 7, 5)
    x[:, 3], x[:, 4] = x[:, 1], x[:, 1]
    y[:, 2], y[:, 5] = x[:, 1], x[:, 6]
    one, other = draw.cloud(3, 1, 2), draw.cloud(3, 1 if equal else 4, 2)
    u, v = draw.cloud(3, 8, 5), draw.cloud(3, 8 if equal else 7, 5)
    a, b = draw.cloud(2, 7, 3), draw.cloud(2, 7 if equal else 5, 3)
    a, b = a.float(), b.float()

    def case(kind: str, p: Tensor, q: Tensor, **more: Any) -> Case:
        return Case(f"{kind} ({in_words(p, q)})", (p, q), options, **{"atol": slack(p, q)} | more)

    return [
        case(
            "float32 clouds of size 0.01 around 10,000",
            far,
            far_y,
            rtol=1e-2,
            suspicion="cancellation",
        ),
        case("float64 clouds around 40,000", away, away_y, suspicion="float32_inside"),
        case("points that coincide", x, y),
        case("clouds of a single point", one, other),
        case(
            "inputs that are not contiguous",
            transposed_layout(u),
            strided_layout(v),
            suspicion="needs_contiguous_input",
        ),
        case("float32", a, b),
    ]


def gradient_cases(draw: Draw, *choices: Options, equal: bool = False) -> list[Case]:
    """Gradients on random clouds, and their finiteness where points coincide."""
    cases = []
    for options in choices:
        x, y = draw.pair()
        if equal:
            y = draw.cloud(*x.shape) + 0.5
        cases.append(
            Case(f"the gradient, {in_words(x, y)}", (x, y), options, "value", atol=slack(x, y))
        )
    x, y = draw.cloud(2, 7, 3), draw.cloud(2, 7 if equal else 5, 3)
    x[:, 2] = x[:, 4]
    y[:, :3] = x[:, 1:4]
    y[1] = x[1, : y.shape[1]]
    for options in choices:
        kind = f"the gradient where points coincide, {in_words(x, y)}"
        cases.append(Case(kind, (x, y), options, "finite", atol=slack(x, y)))
    return cases


def cloud_refusals(draw: Draw, *, empty: bool = True, equal: bool = False) -> list[Refusal]:
    """Bad input that every distance between two batches of clouds refuses."""
    three = draw.cloud(3, 5, 3)
    other = draw.cloud(3, 5 if equal else 7, 3)
    nothing = torch.zeros(3, 0, 3, dtype=torch.float64)
    refusals = []
    if empty:
        refusals.append(Refusal("two empty sets", (nothing, nothing), "accepts_empty_set"))
    if empty and not equal:
        refusals += [
            Refusal("an empty x", (nothing, other), "accepts_empty_set"),
            Refusal("an empty y", (three, nothing), "accepts_empty_set"),
        ]
    refusals += [
        Refusal("batches of 1 and 3", (three[:1], other), "broadcasts_batches"),
        Refusal("batches of 3 and 1", (three, other[:1]), "broadcasts_batches"),
        Refusal("batches of 3 and 2", (three, other[:2]), "broadcasts_batches"),
        Refusal("points in 3-D and 2-D", (three, other[..., :2]), "accepts_unequal_dimensions"),
        Refusal("points in 3-D and 1-D", (three, other[..., :1]), "accepts_unequal_dimensions"),
        Refusal("two clouds without a batch axis", (three[0], other[0]), "accepts_wrong_ndim"),
    ]
    return refusals


def nan_refusal(draw: Draw, *, equal: bool = False) -> Refusal:
    """NaN in one point: a refusal is right, and so is NaN in the answer; a number is not."""
    x, y = draw.cloud(2, 5, 3), draw.cloud(2, 5 if equal else 7, 3)
    x[1, 2, 0] = torch.nan
    return Refusal("a point that holds NaN", (x, y), "hides_nan", nan_is_fine=True)


def refusing(
    function: Callable[..., Tensor],
    *,
    empty: bool = True,
    equal: bool = False,
    batch: bool = True,
    option: bool = True,
) -> Callable[..., Tensor]:
    """The function behind a plain door, for variants that differ elsewhere.

    `equal` also refuses sets of unequal size; `empty`, `batch` and `option` turned off let empty
    sets, unequal batches and unknown options through.
    """

    def guarded(x: Tensor, y: Tensor, **options: Any) -> Tensor:
        if x.ndim != 3 or y.ndim != 3 or x.shape[2] != y.shape[2]:
            raise ValueError(f"shapes {tuple(x.shape)} and {tuple(y.shape)} do not fit together")
        if x.shape[0] != y.shape[0] and (batch or 1 not in (x.shape[0], y.shape[0])):
            raise ValueError(f"batches of {x.shape[0]} and {y.shape[0]}")
        if empty and 0 in (x.shape[1], y.shape[1]):
            raise ValueError("empty set")
        if equal and x.shape[1] != y.shape[1]:
            raise ValueError("sets of unequal size")
        if option and options.get("reduction", "sum") not in ("sum", "mean"):
            raise ValueError("unknown reduction")
        return function(x, y, **options)

    return guarded


def distances(x: Tensor, y: Tensor) -> Tensor:
    """(B, N, M) distances by subtraction, with a gradient of zero at distance zero."""
    return torch.linalg.vector_norm(x[:, :, None] - y[:, None], dim=-1)


def squares(x: Tensor, y: Tensor) -> Tensor:
    """(B, N, M) squared distances by subtraction."""
    return (x[:, :, None] - y[:, None]).square().sum(dim=-1)


def expanded_squares(x: Tensor, y: Tensor) -> Tensor:
    """(B, N, M) squared distances as |x|² − 2xy + |y|², which cancels far from the origin."""
    return x.square().sum(2)[:, :, None] + y.square().sum(2)[:, None] - 2 * x @ y.mT


def symmetry(draw: Draw, options: Options) -> list[tuple[tuple[Any, ...], Options]]:
    """A pair and the same pair exchanged."""
    x, y = draw.pair()
    return [((x, y), options), ((y, x), options)]


def shuffled(draw: Draw, options: Options) -> list[tuple[tuple[Any, ...], Options]]:
    """A pair, and the same pair with the points of y in another order."""
    x, y = draw.pair()
    return [((x, y), options), ((x, y[:, draw.order(y.shape[1])]), options)]


def moved(draw: Draw, options: Options) -> list[tuple[tuple[Any, ...], Options]]:
    """A pair, and the same pair moved together."""
    x, y = draw.pair()
    by = 3.0 * draw.tensor(1, 1, x.shape[2])
    return [((x, y), options), ((x + by, y + by), options)]


def scaled(draw: Draw, options: Options) -> list[tuple[tuple[Any, ...], Options]]:
    """A pair, and the same pair three times as large."""
    x, y = draw.pair()
    return [((x, y), options), ((3 * x, 3 * y), options)]


def alone(draw: Draw, options: Options) -> list[tuple[tuple[Any, ...], Options]]:
    """A pair as a batch, and only its first element."""
    x, y = draw.pair()
    return [((x, y), options), ((x[:1], y[:1]), options)]


def with_itself(draw: Draw, options: Options) -> list[tuple[tuple[Any, ...], Options]]:
    """A cloud against itself."""
    x, _ = draw.pair()
    return [((x, x), options)]


def agree(values: Sequence[Tensor]) -> bool:
    """Whether both values are the same."""
    return torch.allclose(values[0], values[1], rtol=1e-6, atol=1e-8)


def set_laws(options: Options, *, power: int = 1, symmetric: bool = True) -> tuple[Law, ...]:
    """The laws of a distance between sets, as clues."""
    laws = [
        Law(
            "The value of the first pair changes with the rest of the batch: pairs must not mix.",
            lambda draw: alone(draw, options),
            lambda v: torch.allclose(v[0][:1], v[1], rtol=1e-6, atol=1e-8),
        ),
        Law(
            "The value changes when the points of y come in another order: a set has no order.",
            lambda draw: shuffled(draw, options),
            agree,
        ),
        Law(
            "A set is not at distance 0 from itself.",
            lambda draw: with_itself(draw, options),
            lambda v: bool((v[0].abs() < 1e-4).all()),
        ),
        Law(
            "The value changes when both sets are moved together.",
            lambda draw: moved(draw, options),
            agree,
        ),
        Law(
            f"Sets three times as large should be {3**power} times as far apart; yours are not.",
            lambda draw: scaled(draw, options),
            lambda v: torch.allclose(3**power * v[0], v[1], rtol=1e-5),
        ),
    ]
    if symmetric:
        laws.insert(
            0,
            Law(
                "d(X, Y) and d(Y, X) differ: both directions belong to the value.",
                lambda draw: symmetry(draw, options),
                agree,
            ),
        )
    return tuple(laws)
