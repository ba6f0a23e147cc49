"""The exercise `kl_divergence`."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.divergence import kl_divergence
from mdcv.exercises.a1_distances import row_questions
from mdcv.exercises.a1_distances.guards import of_rows
from mdcv.exercises.a1_distances.row_mistakes import shared_mistakes
from mdcv.exercises.exercise import Exercise, Mistake, Part, Right

# Right, written differently


def _by_entropies(p: Tensor, q: Tensor) -> Tensor:
    return torch.xlogy(p, p).sum(-1) - torch.xlogy(p, q).sum(-1)


def _by_rows(p: Tensor, q: Tensor) -> Tensor:
    if p.shape != q.shape:
        raise ValueError("not the same outcomes")
    if p.ndim > 1:
        return torch.stack([_by_rows(a, b) for a, b in zip(p, q, strict=True)])
    if min(p.min(), q.min()) < 0 or max((p.sum() - 1).abs(), (q.sum() - 1).abs()) > 1e-4:
        raise ValueError("not probabilities")
    if bool(p.isnan().any()):
        raise ValueError("nan")
    possible = p > 0
    return (p[possible] * (p[possible].log() - q[possible].log())).sum()


def _by_torch(p: Tensor, q: Tensor) -> Tensor:
    log_q = q.masked_fill(p == 0, 1.0).log()
    return torch.nn.functional.kl_div(log_q, p, reduction="none").sum(dim=-1)


def _by_ratio(p: Tensor, q: Tensor) -> Tensor:
    """Averages the logarithm of the ratio; its zeros are taken out before the logarithm."""
    ones = torch.ones_like(p)
    above = torch.where(p > 0, p, ones)
    below = torch.where(p > 0, q, ones)
    return torch.einsum("...k,...k->...", p, -torch.log(below / above))


# Wrong, each with its name


def _right(p: Tensor, q: Tensor) -> Tensor:
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(dim=-1)


def _to_mixture(p: Tensor, q: Tensor) -> Tensor:
    return _right(p, (p + q) / 2)


def _terms(p: Tensor, q: Tensor) -> Tensor:
    return torch.xlogy(p, p) - torch.xlogy(p, q)


def _difference_of_entropies(p: Tensor, q: Tensor) -> Tensor:
    return (torch.xlogy(p, p) - torch.xlogy(q, q)).sum(dim=-1)


def _clipped(p: Tensor, q: Tensor) -> Tensor:
    return (torch.xlogy(p, p) - p * q.clamp(min=1e-8).log()).sum(dim=-1)


def _without_forbidden(p: Tensor, q: Tensor) -> Tensor:
    return torch.where(q > 0, _terms(p, torch.where(q > 0, q, torch.ones_like(q))), 0.0).sum(-1)


def _mistake(name: str, function, sentence: str = "") -> Mistake:
    return Mistake(name, of_rows(function), sentence)


WRONG = (
    _mistake(
        "arguments_swapped",
        lambda p, q: _right(q, p),
        "Looks like KL(q‖p): the first argument is the one averaged over. (PyTorch's kl_div takes "
        "them the other way round.)",
    ),
    _mistake(
        "entropy_kept",
        lambda p, q: -torch.xlogy(p, q).sum(dim=-1),
        "Looks like the cross-entropy: subtract the entropy of p, the surprise nobody can avoid.",
    ),
    _mistake(
        "opposite_sign",
        lambda p, q: -_right(p, q),
        "The sign is the opposite: a wrong belief never lowers the mean surprise, so KL is at "
        "least 0.",
    ),
    _mistake(
        "not_weighted",
        lambda p, q: (p.log() - q.log()).sum(dim=-1),
        "Every outcome counts alike in your sum: weigh each logarithm by the probability under p.",
    ),
    _mistake(
        "not_summed",
        _terms,
        "One number came for each outcome: the expectation sums over the last axis.",
    ),
    _mistake(
        "sums_over_the_first_axis",
        lambda p, q: _terms(p, q).sum(dim=0),
        "Looks like a sum over the first axis: outcomes lie along the last one.",
    ),
    _mistake(
        "probabilities_for_log_probabilities",
        lambda p, q: (torch.xlogy(q, q) - q * p).sum(dim=-1),
        "Looks like F.kl_div(p, q): PyTorch expects log-probabilities first, and takes the "
        "distribution averaged over as its second argument.",
    ),
    _mistake(
        "q_not_logged",
        lambda p, q: (torch.xlogy(p, p) - p * q).sum(dim=-1),
        "Looks like Σ p (log p − q): q is not in a logarithm. PyTorch's kl_div expects the "
        "logarithm of q.",
    ),
    _mistake(
        "against_the_mixture",
        _to_mixture,
        "Looks like KL(p‖(p + q)/2), half of a Jensen-Shannon divergence: compare with q itself.",
    ),
    _mistake(
        "jensen_shannon",
        lambda p, q: (_to_mixture(p, q) + _to_mixture(q, p)) / 2,
        "Looks like the Jensen-Shannon divergence: KL compares p with q directly, one way.",
    ),
    _mistake(
        "both_directions_added",
        lambda p, q: _right(p, q) + _right(q, p),
        "Looks like KL(p‖q) + KL(q‖p): one direction was asked, and the two differ.",
    ),
    _mistake(
        "both_directions_averaged",
        lambda p, q: (_right(p, q) + _right(q, p)) / 2,
        "Looks like the mean of KL(p‖q) and KL(q‖p): one direction was asked, and the two differ.",
    ),
    _mistake(
        "absolute_terms",
        lambda p, q: _terms(p, q).abs().sum(dim=-1),
        "Looks as if each term were made positive: outcomes that q favors count negatively; only "
        "the sum is at least 0.",
    ),
    _mistake(
        "positive_terms_only",
        lambda p, q: _terms(p, q).clamp(min=0).sum(dim=-1),
        "Looks as if negative terms were dropped: outcomes that q favors count negatively; only "
        "the sum is at least 0.",
    ),
    _mistake(
        "difference_of_entropies",
        _difference_of_entropies,
        "Looks like the difference of two entropies: both logarithms are averaged under p.",
    ),
    _mistake(
        "chi_squared",
        lambda p, q: ((p - q).square() / q).sum(dim=-1),
        "Looks like Σ (p − q)² / q, the χ² divergence; no logarithm is in it.",
    ),
    _mistake(
        "total_variation",
        lambda p, q: (p - q).abs().sum(dim=-1) / 2,
        "Looks like half the sum of |p − q|, the total variation; no logarithm is in it.",
    ),
    _mistake(
        "taken_as_scores",
        lambda p, q: _right(p.softmax(dim=-1), q.softmax(dim=-1)),
        "Looks as if a softmax went over p and q: both are probabilities already.",
    ),
    _mistake(
        "nan_at_zero",
        lambda p, q: (p * (p / q).log()).sum(dim=-1),
        row_questions.NAN_AT_ZERO,
    ),
    _mistake("finite_where_infinite", _clipped, row_questions.FINITE),
    _mistake(
        "forbidden_left_out",
        _without_forbidden,
        "Outcomes with q = 0 are left out of your sum: where p produces them KL is infinite. Leave "
        "out those with p = 0.",
    ),
    _mistake(
        "sums_added",
        lambda p, q: _right(p, q) + (q - p).sum(dim=-1),
        "The value is right, and the gradient tells that Σ(q − p) is added, as in SciPy's kl_div: "
        "zero for distributions, but it has a slope.",
    ),
    *shared_mistakes(_right),
)

KL_DIVERGENCE = Exercise(
    name="kl_divergence",
    contract=(
        "kl_divergence(p, q) returns Σ p log(p / q) over the last axis, in nats, with "
        "0 · log 0 = 0 and infinity where q = 0 < p; rows are taken as they come. "
        "Different shapes, negative entries, rows that do not sum to 1 within 1e-4: ValueError."
    ),
    reference=kl_divergence,
    parts=(
        Part("values", 0.5, row_questions.values, is_value=True),
        Part("zeros", 0.15, row_questions.zeros),
        Part("hard places", 0.1, row_questions.hard),
        Part("gradient", 0.1, row_questions.gradients),
        Part("bad input", 0.1, row_questions.refusals),
    ),
    right=(
        Right("by entropies", of_rows(_by_entropies)),
        Right("by rows", _by_rows),
        Right("by PyTorch", of_rows(_by_torch)),
        Right("by the ratio", of_rows(_by_ratio)),
    ),
    wrong=WRONG,
    laws=row_questions.laws(zero_on_itself=True),
    traits={"one_value_for_the_batch": row_questions.ONE_FOR_ALL},
    points=5,
)
