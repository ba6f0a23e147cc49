"""The exercise `cross_entropy`."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.divergence import cross_entropy
from mdcv.exercises.a1_distances import row_questions
from mdcv.exercises.a1_distances.guards import of_rows
from mdcv.exercises.a1_distances.row_mistakes import shared_mistakes
from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Case, Exercise, Mistake, Part, Right

# Right, written differently


def _by_masking(p: Tensor, q: Tensor) -> Tensor:
    if p.shape != q.shape:
        raise ValueError("shapes differ")
    for name, rows in (("p", p), ("q", q)):
        if (rows < 0).any() or not torch.allclose(
            rows.sum(-1), torch.ones_like(rows.sum(-1)), rtol=0, atol=1e-4
        ):
            raise ValueError(f"{name} is not a distribution")
    safe = torch.where(p > 0, q, torch.ones_like(q))
    return -(p * safe.log()).sum(dim=-1)


def _by_loops(p: Tensor, q: Tensor) -> Tensor:
    if p.size() != q.size():
        raise ValueError(f"{p.size()} and {q.size()}")
    if p.ndim > 1:
        pairs = zip(p, q, strict=True)
        return torch.stack([_by_loops(a, b) for a, b in pairs])
    for row in (p, q):
        if not abs(float(row.sum()) - 1) < 1e-4 or float(row.min()) < 0:
            raise ValueError("no distribution")
    total = p.new_zeros(())
    for a, b in zip(p, q, strict=True):
        if a > 0:
            total = total - a * b.log()
    return total


def _by_xlogy(p: Tensor, q: Tensor) -> Tensor:
    return -torch.xlogy(p, q).sum(-1)


def _by_einsum(p: Tensor, q: Tensor) -> Tensor:
    surprise = torch.where((p == 0) & (q == 0), torch.ones_like(q), q).log().neg()
    zero = torch.zeros_like(surprise)
    return torch.einsum("...k,...k->...", p, torch.where(p == 0, zero, surprise))


# Wrong, each with its name


def _right(p: Tensor, q: Tensor) -> Tensor:
    return -torch.xlogy(p, q).sum(dim=-1)


def _entropy(p: Tensor) -> Tensor:
    return -torch.xlogy(p, p).sum(dim=-1)


def _of_logits(p: Tensor, q: Tensor) -> Tensor:
    return -(p * q.log_softmax(dim=-1)).sum(dim=-1)


def _hard_label(p: Tensor, q: Tensor) -> Tensor:
    return -q.gather(-1, p.argmax(dim=-1, keepdim=True)).squeeze(-1).log()


def _both_ways(p: Tensor, q: Tensor) -> Tensor:
    return _right(p, q) - torch.xlogy(1 - p, 1 - q).sum(dim=-1)


def _without_forbidden(p: Tensor, q: Tensor) -> Tensor:
    return -(p * torch.where(q > 0, q, torch.ones_like(q)).log()).sum(dim=-1)


def _mistake(name: str, function, sentence: str = "") -> Mistake:
    return Mistake(name, of_rows(function), sentence)


WRONG = (
    _mistake(
        "arguments_swapped",
        lambda p, q: _right(q, p),
        "Looks like −Σ q log p: p is what happens and gives the weights; q is what is believed "
        "and goes into the logarithm.",
    ),
    _mistake(
        "entropy_of_p",
        lambda p, q: _entropy(p) + 0 * q.sum(-1),
        "Looks like the entropy of p: the surprise is that of someone who believes in q.",
    ),
    _mistake(
        "entropy_subtracted",
        lambda p, q: _right(p, q) - _entropy(p),
        "Looks like the KL divergence: the entropy of p is subtracted; here it stays in.",
    ),
    _mistake(
        "log_base_10",
        lambda p, q: _right(p, q) / torch.log(torch.tensor(10.0, dtype=p.dtype)),
        "Looks like the logarithm to base 10: your value is 0.4343 times the one in nats.",
    ),
    _mistake(
        "opposite_sign",
        lambda p, q: -_right(p, q),
        "The sign is the opposite: logarithms of probabilities are negative, surprise is not.",
    ),
    _mistake(
        "not_weighted",
        lambda p, q: -q.log().sum(dim=-1),
        "Every outcome counts alike in your sum: weigh each surprise by its probability under p.",
    ),
    _mistake(
        "not_summed",
        lambda p, q: -torch.xlogy(p, q),
        "One number came for each outcome: the expectation sums over the last axis.",
    ),
    _mistake(
        "sums_over_the_first_axis",
        lambda p, q: -torch.xlogy(p, q).sum(dim=0),
        "Looks like a sum over the first axis: outcomes lie along the last one.",
    ),
    _mistake(
        "q_taken_as_scores",
        _of_logits,
        "Looks as if a softmax went over q, as F.cross_entropy does: q holds probabilities, not "
        "scores.",
    ),
    _mistake(
        "softmax_over_both",
        lambda p, q: _of_logits(p.softmax(dim=-1), q),
        "Looks as if a softmax went over p and q: both are probabilities already.",
    ),
    _mistake(
        "likeliest_outcome_only",
        _hard_label,
        "Only the likeliest outcome of p counts in your value: p is a distribution, not a label.",
    ),
    _mistake(
        "binary_for_each_outcome",
        _both_ways,
        "Looks like a binary cross-entropy for each outcome, with (1 − p) log(1 − q) added: the "
        "outcomes exclude each other.",
    ),
    _mistake(
        "log_of_the_expectation",
        lambda p, q: -(p * q).sum(dim=-1).log(),
        "Looks like the logarithm of an expectation: take the logarithm first, then the mean.",
    ),
    _mistake(
        "perplexity",
        lambda p, q: _right(p, q).exp(),
        "Looks like the perplexity, exp of the cross-entropy.",
    ),
    _mistake(
        "squared_error",
        lambda p, q: (p - q).square().sum(dim=-1),
        "Looks like a sum of squared differences; no logarithm is in it.",
    ),
    _mistake("nan_at_zero", lambda p, q: -(p * q.log()).sum(dim=-1), row_questions.NAN_AT_ZERO),
    _mistake(
        "finite_where_infinite",
        lambda p, q: -(p * q.clamp(min=1e-8).log()).sum(dim=-1),
        row_questions.FINITE,
    ),
    _mistake(
        "forbidden_left_out",
        _without_forbidden,
        "Outcomes with q = 0 are left out of your sum: where p produces them the answer is "
        "infinite. Leave out those with p = 0.",
    ),
    *shared_mistakes(_right),
)


def _gradients(draw: Draw) -> list[Case]:
    """With certain labels too: there the gradient must be finite, as in every classifier."""
    sure = torch.eye(7, dtype=torch.float64)[draw.order(7)[:5]]
    certain = Case(
        "the gradient where p is certain (5 pairs of distributions over 7 outcomes)",
        (sure, row_questions.rows(draw, 5, 7)),
        gradient="finite",
    )
    return [*row_questions.gradients(draw), certain]


CROSS_ENTROPY = Exercise(
    name="cross_entropy",
    contract=(
        "cross_entropy(p, q) returns −Σ p log q over the last axis, in nats, with "
        "0 · log 0 = 0 and infinity where q = 0 < p; rows are taken as they come. "
        "Different shapes, negative entries, rows that do not sum to 1 within 1e-4: ValueError."
    ),
    reference=cross_entropy,
    parts=(
        Part("values", 0.5, row_questions.values, is_value=True),
        Part("zeros", 0.15, row_questions.zeros),
        Part("hard places", 0.1, row_questions.hard),
        Part("gradient", 0.1, _gradients),
        Part("bad input", 0.1, row_questions.refusals),
    ),
    right=(
        Right("by masking", _by_masking),
        Right("by loops", _by_loops),
        Right("by xlogy", of_rows(_by_xlogy)),
        Right("by einsum", of_rows(_by_einsum)),
    ),
    wrong=WRONG,
    laws=row_questions.laws(zero_on_itself=False),
    traits={"one_value_for_the_batch": row_questions.ONE_FOR_ALL},
    points=5,
)
