"""The exercise `critic_loss`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mdcv.exercises.a3_gan.score_questions import (
    gradients,
    hard,
    plain,
    refusals,
    refusing,
    twice_the_batch,
)
from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Exercise, Mistake, Part, Right
from mdcv.gan import critic_loss

# Right, written differently


def _by_weights(real: Tensor, fake: Tensor) -> Tensor:
    weights = [torch.full((r.numel(),), s / r.numel()).to(r) for r, s in ((real, -1), (fake, 1))]
    return real.flatten() @ weights[0] + fake.flatten() @ weights[1]


def _all_pairs(real: Tensor, fake: Tensor) -> Tensor:
    return (fake.flatten()[:, None] - real.flatten()[None, :]).mean()


def _negated(real: Tensor, fake: Tensor) -> Tensor:
    return -(real.sum() / real.numel() - fake.sum() / fake.numel())


# Wrong, each with its name


def _mistake(name: str, loss: Callable[..., Any], sentence: str = "") -> Mistake:
    return Mistake(name, refusing(loss), sentence)


WRONG = (
    _mistake(
        "sign_turned",
        lambda r, f: r.mean() - f.mean(),
        "This is the gap that the critic makes as large as it can. An optimizer minimizes: after "
        "training your critic would score fakes above reals.",
    ),
    _mistake(
        "without_a_sign",
        lambda r, f: (f.mean() - r.mean()).abs(),
        "An absolute value forgets which side is higher; the critic must know.",
    ),
    _mistake(
        "squared",
        lambda r, f: (f.mean() - r.mean()).square(),
        "Looks like the square of the difference; the difference itself was asked.",
    ),
    _mistake(
        "added",
        lambda r, f: f.mean() + r.mean(),
        "Both means have the same sign: the critic lowers one and raises the other.",
    ),
    _mistake(
        "negative_sum",
        lambda r, f: -f.mean() - r.mean(),
        "Both means have the same sign: the critic lowers one and raises the other.",
    ),
    _mistake(
        "fake_only",
        lambda r, f: f.mean() + 0 * r.mean(),
        "The real samples do not count; the loss is a difference of two means.",
    ),
    _mistake(
        "real_only",
        lambda r, f: 0 * f.mean() - r.mean(),
        "The fakes do not count; the loss is a difference of two means.",
    ),
    _mistake(
        "summed",
        lambda r, f: f.sum() - r.sum(),
        "Your value grows with the number of samples: sums where means were asked.",
    ),
    _mistake(
        "one_count_for_both",
        lambda r, f: (f.sum() - r.sum()) / r.numel(),
        "Both sums are divided by the number of real samples; each kind has its own count.",
    ),
    _mistake(
        "halved",
        lambda r, f: (f.mean() - r.mean()) / 2,
        "Your value is half of the difference of the means.",
    ),
    _mistake(
        "of_probabilities",
        lambda r, f: f.sigmoid().mean() - r.sigmoid().mean(),
        "A critic has no sigmoid: its scores are unbounded, and their difference is a distance.",
    ),
    _mistake(
        "cross_entropy",
        lambda r, f: F.softplus(-r).mean() + F.softplus(f).mean(),
        "This is a discriminator's loss; a critic has no logarithm.",
    ),
    _mistake(
        "hinge",
        lambda r, f: (1 - r).relu().mean() + (1 + f).relu().mean(),
        "This is the hinge loss; the plain difference of the means was asked.",
    ),
    _mistake(
        "medians",
        lambda r, f: f.median() - r.median(),
        "Looks like medians; the loss is a difference of means.",
    ),
    _mistake(
        "largest_gap",
        lambda r, f: f.max() - r.min(),
        "Only the extreme scores count in your loss; it is a difference of means.",
    ),
    _mistake(
        "pairs_in_order",
        lambda r, f: (
            f.flatten()[: min(f.numel(), r.numel())] - r.flatten()[: min(f.numel(), r.numel())]
        ).mean(),
        "You subtract score by score and leave out what has no partner; the kinds are not paired.",
    ),
    _mistake(
        "one_value_per_sample",
        lambda r, f: f.flatten() - r.mean(),
        "One value came for every sample; the loss is one number, a difference of two means.",
    ),
    _mistake(
        "fakes_detached",
        lambda r, f: f.detach().mean() - r.mean(),
        "The value is right, but the scores of the fakes are cut off: the critic learns from both. "
        "Cut the *samples* from the generator, not the scores.",
    ),
    *blunders(refusing(critic_loss), but=("returns_list",)),
    Mistake("python_float_returned", refusing(lambda r, f: critic_loss(r, f).item())),
    Mistake(
        "accepts_no_scores",
        lambda r, f: f.mean() - r.mean(),
        "A batch without scores was accepted; the mean of nothing is nan. Raise a ValueError.",
    ),
)

CRITIC_LOSS = Exercise(
    name="critic_loss",
    contract=(
        "critic_loss(real_scores, fake_scores) returns one number to minimize, mean fake − mean "
        "real. The shapes are free and may differ. No scores: ValueError."
    ),
    reference=critic_loss,
    parts=(
        Part("values", 0.55, lambda draw: plain(draw, 2), is_value=True),
        Part("large scores", 0.15, lambda draw: hard(draw, 2)),
        Part("gradient", 0.15, lambda draw: gradients(draw, 2)),
        Part("bad input", 0.1, lambda draw: refusals(draw, "real scores", "fake scores")),
    ),
    right=(
        Right("by weights", refusing(_by_weights)),
        Right("all pairs", refusing(_all_pairs)),
        Right("the negative of the gap", refusing(_negated)),
    ),
    wrong=WRONG,
    laws=(twice_the_batch(2, "The value changes when every sample comes twice: take means."),),
    points=2,
)
