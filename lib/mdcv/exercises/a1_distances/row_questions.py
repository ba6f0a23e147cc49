"""The questions that every function of two batches of probabilities is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.cases import Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Call, Case, Finding, Law, Refusal, Trial

FINITE = (
    "q gives probability 0 to something that p produces, so the answer is infinite, and yours is "
    "not. Add nothing under the logarithm, clip nothing, and leave out no such outcome."
)
NAN_AT_ZERO = (
    "p holds a zero and your answer is nan: 0 · log 0 counts as 0 here, since p log p tends to 0. "
    "Multiply by the logarithm only where p is above 0."
)
UNNORMALIZED = (
    "Rows that do not sum to 1 were accepted. They are no distribution; raise a ValueError."
)
NEGATIVE = "A negative probability was accepted; raise a ValueError."
RENORMALIZED = (
    "The value is right, and the gradient tells that your rows are divided by their sums first: "
    "take them as they come."
)
ONE_FOR_ALL = "One number came for the whole batch; each row has a value of its own."
OTHER_SHAPE = (
    "p and q of different shapes were accepted, and one of them was repeated. Compare the shapes "
    "and raise a ValueError."
)


def rows(draw: Draw, *shape: int, scale: float = 1.0) -> Tensor:
    """Random float64 distributions along the last axis; none of them even, none with a zero."""
    return (scale * draw.tensor(*shape)).softmax(dim=-1)


def values(draw: Draw) -> list[Case]:
    """Two pairs of one shape, one of another, a pair without a batch, one with two batch axes."""
    batch, k, outcomes, _ = draw.sizes()
    shapes = [(batch, k), (batch, k), draw.sizes()[:2], (outcomes,), (2, 3, outcomes)]
    return [_case("", rows(draw, *shape), rows(draw, *shape, scale=1.5)) for shape in shapes]


def zeros(draw: Draw) -> list[Case | Trial]:
    """Outcomes that p, or q, or both rule out, and probabilities that are almost zero."""
    p, q = rows(draw, 5, 7), rows(draw, 5, 7)
    some = p.clone()
    some[1, 2] = some[3, 4] = some[3, 0] = 0
    some = some / some.sum(dim=-1, keepdim=True)
    sure = torch.eye(7, dtype=torch.float64)[draw.order(7)[:5]]
    gone = rows(draw, 5, 7)
    gone[0, 3] = gone[2, 5] = gone[4, 0] = 0
    gone = gone / gone.sum(dim=-1, keepdim=True)
    neither = p * (gone > 0)
    neither = neither / neither.sum(dim=-1, keepdim=True)
    tiny = q.clone()
    tiny[1, 1], tiny[2, 6], tiny[4, 3] = 1e-14, 1e-30, 1e-100
    tiny = tiny / tiny.sum(dim=-1, keepdim=True)
    forbidden = (p > 0) & (gone == 0)
    return [
        _no_nan("p with zeros (5 rows of 7 outcomes)", [((some, q), {}), ((neither, gone), {})]),
        _infinite("q = 0 where p > 0, in 3 of 5 rows", (p, gone), forbidden.any(dim=-1)),
        _case("zeros in p", some, q),
        _case("a p that is certain", sure, q),
        _case("outcomes that both rule out", neither, gone),
        _case("probabilities of 1e-14, 1e-30 and 1e-100 in q", p, tiny),
        _case("probabilities of 1e-14, 1e-30 and 1e-100 in p", tiny, q),
    ]


def hard(draw: Draw) -> list[Case]:
    """One outcome, equal rows, many outcomes, odd layouts, float32, sums off by rounding."""
    p, q = rows(draw, 3, 8), rows(draw, 3, 8)
    one = torch.ones(3, 1, dtype=torch.float64)
    loose = 1 + 5e-5 * torch.tensor([[1.0], [-1.0], [1.0]], dtype=torch.float64)
    return [
        _case("p and q equal", p, p.clone()),
        _case("a single outcome", one, one.clone()),
        _case("a batch of one", rows(draw, 1, 5), rows(draw, 1, 5)),
        _case("as many rows as outcomes", rows(draw, 6, 6), rows(draw, 6, 6)),
        _case("101 outcomes", rows(draw, 2, 101), rows(draw, 2, 101)),
        _case("p and q far apart", rows(draw, 4, 7, scale=6.0), rows(draw, 4, 7, scale=6.0)),
        _case(
            "inputs that are not contiguous",
            transposed_layout(p),
            strided_layout(q),
            suspicion="needs_contiguous_input",
        ),
        _case("float32", rows(draw, 5, 9).float(), rows(draw, 5, 9).float(), atol=1e-5),
        _case("rows whose sums are off by 0.00005", p * loose, q / loose, rtol=1e-3, atol=1e-3),
    ]


def gradients(draw: Draw) -> list[Case]:
    """Gradients where no probability is zero."""
    batch, k, *_ = draw.sizes()
    pairs = [(rows(draw, batch, k), rows(draw, batch, k)), (rows(draw, 5), rows(draw, 5))]
    return [_case("the gradient", p, q, gradient="value") for p, q in pairs]


def refusals(draw: Draw) -> list[Refusal]:
    """Rows that are no distributions, and pairs over different outcomes."""
    p, q = rows(draw, 3, 5), rows(draw, 3, 5)
    wide = rows(draw, 3, 7)
    more, scores, negative, nan = q.clone(), draw.tensor(3, 5).abs() + 1, p.clone(), p.clone()
    more[1] = more[1] * 1.01
    negative[2, :2] = torch.stack([-p[2, 0], 2 * p[2, 0] + p[2, 1]])
    nan[1, 2] = torch.nan
    bad: list[tuple[str, Tensor, Tensor, str]] = [
        ("a row of q that sums to 1.01", p, more, "accepts_unnormalized"),
        ("a row of p that sums to 1.01", more, p, "accepts_unnormalized"),
        ("scores in the place of q", p, scores, "accepts_unnormalized"),
        ("a negative entry in p, sums 1", negative, q, "accepts_negative"),
        ("a negative entry in q, sums 1", p, negative, "accepts_negative"),
        ("3 rows against 1", p, q[:1], "broadcasts_rows"),
        ("3 rows against none", p[0], q, "broadcasts_rows"),
        ("5 outcomes against 7", p, wide, "broadcasts_rows"),
    ]
    return [
        *(Refusal(kind, (a, b), name) for kind, a, b, name in bad),
        Refusal("a probability that is NaN", (nan, q), "hides_nan", or_any_sign=True),
    ]


def laws(*, zero_on_itself: bool) -> tuple[Law, ...]:
    """What holds for any two batches of rows: clues to mistakes without a name."""

    def law(sentence: str, change: Callable[[Draw, Tensor, Tensor], Any], holds: Any) -> Law:
        def calls(draw: Draw) -> list[Call]:
            p, q = rows(draw, 4, 7), rows(draw, 4, 7)
            return [((p, q), {}), (change(draw, p, q), {})]

        return Law(sentence, calls, holds)

    def reordered(draw: Draw, p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
        order = draw.order(7)
        return p[:, order], q[:, order]

    found = [
        law("The value changes when the outcomes of both are renamed.", reordered, _agree),
        law(
            "The value of one row changes with the rest of the batch: rows must not mix.",
            lambda _, p, q: (p[:1], q[:1]),
            lambda answers: _agree([answers[0][:1], answers[1]]),
        ),
    ]
    if zero_on_itself:
        found.append(
            law(
                "A distribution is not at 0 from itself.",
                lambda _, p, q: (p, p.clone()),
                lambda answers: bool((answers[1].abs() < 1e-5).all()),
            )
        )
    return tuple(found)


def _agree(answers: Sequence[Tensor]) -> bool:
    return torch.allclose(answers[0], answers[1], rtol=1e-5, atol=1e-7)


def _case(kind: str, p: Tensor, q: Tensor, **more: Any) -> Case:
    *batch, k = p.shape
    count = "one pair" if not batch else f"{' x '.join(map(str, batch))} pairs"
    sizes = f"{count} of distributions over {k} outcomes"
    return Case(f"{kind} ({sizes})" if kind else sizes, (p, q), **more)


def _no_nan(kind: str, calls: Sequence[Call]) -> Trial:
    """Asks that no answer is NaN, whatever the value."""

    def examine(answers: Sequence[Tensor]) -> Finding | None:
        if not any(bool(answer.isnan().any()) for answer in answers):
            return None
        return Finding(f"{NAN_AT_ZERO} Seen with {kind}.", "nan_at_zero", "nan", "a number")

    return Trial(kind, tuple(calls), examine, _fingerprint, torch.float64)


def _infinite(kind: str, arguments: tuple[Tensor, Tensor], where: Tensor) -> Trial:
    """Asks for +∞ in the rows named, and for a number in the others."""

    def examine(answers: Sequence[Tensor]) -> Finding | None:
        (answer,) = answers
        if answer.shape != where.shape or torch.equal(answer == torch.inf, where):
            return None  # another shape is seen elsewhere
        return Finding(f"{FINITE} Asked with {kind}.", "finite_where_infinite", "", "inf")

    return Trial(kind, ((arguments, {}),), examine, _fingerprint, torch.float64)


def _fingerprint(answers: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """The numbers themselves; what is not finite becomes a number that nothing else gives."""
    numbers = torch.cat([answer.flatten().double() for answer in answers])
    numbers = numbers.nan_to_num(nan=-7e99, posinf=7e99, neginf=-8e99)
    return numbers, (1e-7 * numbers.abs()).clamp(min=1e-7)
