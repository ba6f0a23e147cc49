"""Answers that nobody listed: odd ones that are right, wrong ones with other constants."""

from __future__ import annotations

import pytest
import scipy.special
import torch
from torch.nn import functional

from mdcv.exercises import judge
from mdcv.exercises.a1_distances.guards import of_embeddings, of_rows, of_samples


def by_distribution_functions(x, y, p=1):
    """W1 as the area between two distribution functions; sorting for the other orders."""
    n = x.shape[-1]
    if p != 1:
        moves = x.topk(n, dim=-1).values - y.topk(n, dim=-1).values
        return torch.linalg.vector_norm(moves, ord=p, dim=-1) / n ** (1 / p)
    at, origin = torch.cat([x, y], dim=-1).sort(dim=-1)
    steps = torch.where(origin < n, 1.0, -1.0).to(x.dtype).cumsum(dim=-1) / n
    return (steps[..., :-1].abs() * at.diff(dim=-1)).sum(dim=-1)


def of_full_covariances(mu, logvar, prior_mu=None, prior_logvar=None):
    m = torch.zeros_like(mu) if prior_mu is None else prior_mu
    v = torch.zeros_like(mu) if prior_logvar is None else prior_logvar
    if not mu.shape == logvar.shape == m.shape == v.shape:
        raise ValueError("shapes differ")
    pair = [
        torch.distributions.MultivariateNormal(a, torch.diag_embed(b.exp()), validate_args=False)
        for a, b in ((mu, logvar), (m, v))
    ]
    return torch.distributions.kl_divergence(*pair)


def pytorchs_triplets(anchor, positive, negative, margin=1.0):
    if margin == 0:  # PyTorch's own refuses it
        distance = functional.pairwise_distance
        return functional.relu(distance(anchor, positive) - distance(anchor, negative)).mean()
    return functional.triplet_margin_loss(anchor, positive, negative, margin=margin)


def clamped_roots(a, b, same, margin=1.0):
    squared = (a - b).square().sum(dim=1)
    hinge = functional.relu(margin - squared.clamp(min=1e-12).sqrt())
    return torch.where(same, squared, hinge.square()).mean() / 2


def in_double(p, q):
    return (-torch.xlogy(p.double(), q.double()).sum(dim=-1)).to(p.dtype)


def through_ratios(p, q):
    above, below = torch.where(p > 0, p, 1.0), torch.where(p > 0, q, 1.0)
    return torch.where(p > 0, p * (above / below).log(), 0.0).sum(dim=-1).clamp(min=0)


RIGHT = [
    ("cross_entropy", of_rows(in_double)),
    ("kl_divergence", of_rows(through_ratios)),
    ("gaussian_kl", of_full_covariances),
    ("wasserstein_1d", of_samples(by_distribution_functions)),
    ("contrastive_loss", of_embeddings(clamped_roots)),
    ("triplet_loss", of_embeddings(pytorchs_triplets)),
]


@pytest.mark.parametrize("seed", [0, 3, 2**40])
@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_an_odd_right_answer_is_accepted(name, answer, seed):
    outcome = judge(name, answer, seed=seed)
    assert outcome.passed, outcome.message


@pytest.mark.parametrize("clip", [1e-4, 1e-7, 1e-10, 1e-12, 1e-30])
def test_a_clip_of_any_size_is_named(clip):
    added = of_rows(lambda p, q: -(p * (q + clip).log()).sum(dim=-1))
    clamped = of_rows(lambda p, q: (torch.xlogy(p, p) - p * q.clamp(min=clip).log()).sum(dim=-1))
    for name, answer in (("cross_entropy", added), ("kl_divergence", clamped)):
        outcome = judge(name, answer, seed=2)
        assert not outcome.passed and outcome.score < 0.9
        parts = {part.name: part for part in outcome.parts}
        assert parts["zeros"].misconception == "finite_where_infinite"


def test_any_way_to_nan_at_zero_is_named():
    ways = (
        lambda p, q: -(p * q.log()).sum(dim=-1) * (p.log() / p.log()).mean(dim=-1),
        lambda p, q: -(q.log() * p.log().exp() + 0 * p.log()).sum(dim=-1),
    )
    for way in ways:
        assert judge("cross_entropy", of_rows(way)).misconception == "nan_at_zero"


@pytest.mark.parametrize(
    ("name", "answer", "misconception"),
    [
        (
            "kl_divergence",
            of_rows(lambda p, q: functional.kl_div(p.log(), q, reduction="none").sum(dim=-1)),
            "arguments_swapped",
        ),
        (
            "kl_divergence",
            of_rows(lambda p, q: torch.from_numpy(scipy.special.rel_entr(
                p.detach().numpy(), q.detach().numpy())).sum(dim=-1)),
            "dead_gradient",
        ),
        (
            "triplet_loss",
            of_embeddings(lambda a, p, n, margin=1.0: functional.relu(
                (a - p).square().sum(1) - (a - n).square().sum(1) + margin).mean()),
            "squared_distances",
        ),
        (
            "wasserstein_1d",
            of_samples(lambda x, y, p=1: ((x.sort().values - y.sort().values).abs().pow(p)
                                          .mean(-1) + 1e-9).pow(1 / p)),
            "coincident_points",
        ),
    ],
)  # fmt: skip
def test_a_wrong_answer_in_other_words_has_the_same_name(name, answer, misconception):
    outcome = judge(name, answer, seed=4)
    assert not outcome.passed
    assert outcome.misconception == misconception, outcome.message


@pytest.mark.parametrize("variance", [1e-6, 1e-12])
def test_a_floor_under_the_variance_is_found(variance):
    def floored(mu, logvar, prior_mu=None, prior_logvar=None):
        m = torch.zeros_like(mu) if prior_mu is None else prior_mu
        v = torch.zeros_like(mu) if prior_logvar is None else prior_logvar
        if not mu.shape == logvar.shape == m.shape == v.shape:
            raise ValueError("shapes differ")
        first, second = logvar.exp() + variance, v.exp() + variance
        terms = first / second - 1 - first.log() + second.log() + (mu - m) ** 2 / second
        return terms.sum(dim=-1) / 2

    outcome = judge("gaussian_kl", floored)
    assert outcome.misconception in ("variance_floored", "extreme_variances"), outcome.message


@pytest.mark.parametrize("margin", [0.6, 1.0, 2.5])
def test_no_question_about_pairs_hides_a_mistake_by_its_margin(margin):
    """Near and far pairs of both kinds at every margin, for many seeds."""
    from mdcv.exercises.a1_distances.contrastive import _pairs
    from mdcv.exercises.a1_distances.triplet import _triplets
    from mdcv.exercises.cases import Draw

    for seed in range(20):
        a, b, same = _pairs(Draw(seed, "pairs"), margin, 9, 2)
        inside = (a - b).norm(dim=1) < margin
        groups = [(inside & same), (inside & ~same), (~inside & same), (~inside & ~same)]
        assert all(bool(group.any()) for group in groups)
        a, p, n = _triplets(Draw(seed, "triplets"), margin, 9, 2)
        gap = (a - p).norm(dim=1) - (a - n).norm(dim=1)
        kinds = [gap > 0, (gap < 0) & (gap > -margin), gap < -margin]
        assert all(bool(kind.any()) for kind in kinds)
