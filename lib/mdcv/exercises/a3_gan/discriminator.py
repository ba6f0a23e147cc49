"""The exercise `discriminator_loss`."""

from __future__ import annotations

import math
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
from mdcv.gan import discriminator_loss

# Right, written differently


def _softplus(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def _with_labels(real: Tensor, fake: Tensor) -> Tensor:
    bce = F.binary_cross_entropy_with_logits
    return bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))


def _score_by_score(real: Tensor, fake: Tensor) -> Tensor:
    total = real.new_zeros(())
    for sign, scores in ((-1, real), (1, fake)):
        for score in scores.flatten():
            total = total + torch.logaddexp(torch.zeros_like(score), sign * score) / scores.numel()
    return total


def _as_two_classes(real: Tensor, fake: Tensor) -> Tensor:
    terms = []
    for scores, label in ((real.flatten(), 1), (fake.flatten(), 0)):
        logits = torch.stack([torch.zeros_like(scores), scores], dim=1)
        labels = torch.full((len(scores),), label, dtype=torch.int64)
        terms.append(F.cross_entropy(logits, labels))
    return sum(terms)


# Wrong, each with its name


def _pooled(real: Tensor, fake: Tensor) -> Tensor:
    losses = torch.cat([F.softplus(-real).flatten(), F.softplus(fake).flatten()])
    return losses.mean()


def _clamped(real: Tensor, fake: Tensor) -> Tensor:
    return (
        -torch.sigmoid(real).log().clamp(min=-100).mean()
        - (1 - torch.sigmoid(fake)).log().clamp(min=-100).mean()
    )


def _with_epsilon(real: Tensor, fake: Tensor) -> Tensor:
    return (
        -(torch.sigmoid(real) + 1e-8).log().mean() - (1 - torch.sigmoid(fake) + 1e-8).log().mean()
    )


def _mistake(name: str, loss: Callable[..., Any], sentence: str = "") -> Mistake:
    return Mistake(name, refusing(loss), sentence)


WRONG = (
    _mistake(
        "labels_swapped",
        lambda r, f: F.softplus(r).mean() + F.softplus(-f).mean(),
        "Your loss falls when real samples are called fake and fakes real: the two labels are "
        "exchanged.",
    ),
    _mistake(
        "value_of_the_game",
        lambda r, f: -discriminator_loss(r, f),
        "This is what the discriminator maximizes; an optimizer minimizes, so turn the sign.",
    ),
    _mistake(
        "fakes_called_real",
        lambda r, f: F.softplus(-r).mean() + F.softplus(-f).mean(),
        "Both terms ask for the answer real. For a fake it is 1 − σ that should be near 1.",
    ),
    _mistake(
        "reals_called_fake",
        lambda r, f: F.softplus(r).mean() + F.softplus(f).mean(),
        "Both terms ask for the answer fake. For a real sample σ itself should be near 1.",
    ),
    _mistake(
        "real_only",
        lambda r, f: F.softplus(-r).mean() + 0 * f.mean(),
        "The fakes do not count: half of the discriminator's work is missing.",
    ),
    _mistake(
        "fake_only",
        lambda r, f: F.softplus(f).mean() + 0 * r.mean(),
        "The real samples do not count: half of the discriminator's work is missing.",
    ),
    _mistake(
        "halved",
        lambda r, f: discriminator_loss(r, f) / 2,
        "Your value is the average of the two terms; the loss is their sum.",
    ),
    _mistake(
        "pooled",
        _pooled,
        "One mean over all scores: the larger batch weighs more. Take a mean for each kind, "
        "then add.",
    ),
    _mistake(
        "summed",
        lambda r, f: F.softplus(-r).sum() + F.softplus(f).sum(),
        "Your value grows with the number of samples: a sum where a mean was asked.",
    ),
    _mistake(
        "one_value_per_sample",
        lambda r, f: (
            F.softplus(-r).flatten()[: min(r.numel(), f.numel())]
            + F.softplus(f).flatten()[: min(r.numel(), f.numel())]
        ),
        "One value came for every sample; the loss is one number, a mean for each kind.",
    ),
    _mistake(
        "sigmoid_twice",
        lambda r, f: discriminator_loss(r.sigmoid(), f.sigmoid()),
        "Your discriminator can never be sure: the sigmoid is applied twice. A function of logits "
        "brings its own.",
    ),
    _mistake(
        "takes_probabilities",
        lambda r, f: -r.log().mean() - (1 - f).log().mean(),
        "You take the logarithm of the scores themselves; they are logits, so a sigmoid stands in "
        "between.",
    ),
    _mistake(
        "log_of_a_sigmoid",
        lambda r, f: -r.sigmoid().log().mean() - (1 - f.sigmoid()).log().mean(),
        "For large logits the sigmoid is exactly 0 or 1 and its logarithm infinite. Take both in "
        "one step: logsigmoid, softplus, or a loss with logits.",
    ),
    _mistake(
        "clamped_logarithm",
        _clamped,
        "The logarithm is cut off at −100, as BCELoss does: a discriminator that is wrong with "
        "confidence then gets no gradient. Work with the logits.",
    ),
    _mistake(
        "guarded_logarithm",
        _with_epsilon,
        "A small number inside the logarithm bends the loss where the discriminator is sure. Work "
        "with the logits.",
    ),
    _mistake(
        "log_base_2",
        lambda r, f: discriminator_loss(r, f) / math.log(2),
        "Looks like the logarithm to base 2; the loss is in nats.",
    ),
    _mistake(
        "least_squares",
        lambda r, f: ((r - 1).square().mean() + f.square().mean()) / 2,
        "This is the least-squares loss; the cross-entropy was asked.",
    ),
    _mistake(
        "hinge",
        lambda r, f: (1 - r).relu().mean() + (1 + f).relu().mean(),
        "This is the hinge loss; the cross-entropy was asked.",
    ),
    _mistake(
        "wasserstein",
        lambda r, f: f.mean() - r.mean(),
        "This is a critic's loss, a difference of means; a discriminator is paid by logarithms.",
    ),
    _mistake(
        "loss_of_the_mean",
        lambda r, f: F.softplus(-r.mean()) + F.softplus(f.mean()),
        "You average the logits and then take the loss; average the losses of the samples.",
    ),
    _mistake(
        "fakes_detached",
        lambda r, f: F.softplus(-r).mean() + F.softplus(f.detach()).mean(),
        "The value is right, but the scores of the fakes are cut off: the discriminator learns "
        "from both. Cut the *samples* from the generator, not the scores.",
    ),
    *blunders(refusing(discriminator_loss), but=("returns_list",)),
    Mistake("python_float_returned", refusing(lambda r, f: discriminator_loss(r, f).item())),
    Mistake(
        "accepts_no_scores",
        _softplus,
        "A batch without scores was accepted; the mean of nothing is nan. Raise a ValueError.",
    ),
)

DISCRIMINATOR_LOSS = Exercise(
    name="discriminator_loss",
    contract=(
        "discriminator_loss(real_logits, fake_logits) returns one number to minimize, "
        "−mean log σ(real) − mean log(1 − σ(fake)), exact for logits of any size. The shapes are "
        "free and may differ. No logits: ValueError."
    ),
    reference=discriminator_loss,
    parts=(
        Part("values", 0.5, lambda draw: plain(draw, 2), is_value=True),
        Part("large logits", 0.2, lambda draw: hard(draw, 2, suspicion="unstable")),
        Part("gradient", 0.15, lambda draw: gradients(draw, 2)),
        Part("bad input", 0.1, lambda draw: refusals(draw, "real logits", "fake logits")),
    ),
    right=(
        Right("softplus", refusing(_softplus)),
        Right("labels of ones and zeros", refusing(_with_labels)),
        Right("score by score", refusing(_score_by_score)),
        Right("two classes", refusing(_as_two_classes)),
    ),
    wrong=WRONG,
    laws=(twice_the_batch(2, "The value changes when every sample comes twice: take means."),),
    points=4,
    traits={
        "unstable": (
            "The value is lost for large logits. A sigmoid followed by a logarithm cannot hold "
            "them; logsigmoid and softplus can."
        )
    },
)
