"""The exercise `generator_loss`, in both of its forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mdcv.exercises.a3_gan.score_questions import gradients, hard, plain, refusals, refusing
from mdcv.exercises.blunders import blunders
from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Case, Exercise, Mistake, Part, Right
from mdcv.gan import generator_loss

SATURATING = {"saturating": True}

# Right, written differently


def _softplus(fake: Tensor, *, saturating: bool = False) -> Tensor:
    return -F.softplus(fake).mean() if saturating else F.softplus(-fake).mean()


def _with_labels(fake: Tensor, *, saturating: bool = False) -> Tensor:
    label = 0.0 if saturating else 1.0
    loss = F.binary_cross_entropy_with_logits(fake, torch.full_like(fake, label))
    return -loss if saturating else loss


def _difference(fake: Tensor, *, saturating: bool = False) -> Tensor:
    """The two forms differ by the logit: log(1 − σ(a)) = log σ(a) − a."""
    log_real = F.logsigmoid(fake)
    return (log_real - fake).mean() if saturating else -log_real.mean()


def _summed(fake: Tensor, *, saturating: bool = False) -> Tensor:
    zero = fake.new_zeros(())
    terms = torch.logaddexp(zero, fake if saturating else -fake)
    return (-1 if saturating else 1) * terms.sum() / terms.numel()


# Wrong, each with its name


def _guarded(fake: Tensor, *, saturating: bool = False) -> Tensor:
    share = torch.sigmoid(fake)
    return (1 - share + 1e-8).log().mean() if saturating else -(share + 1e-8).log().mean()


def _naive(fake: Tensor, *, saturating: bool = False) -> Tensor:
    share = torch.sigmoid(fake)
    return (1 - share).log().mean() if saturating else -share.log().mean()


def _clamped(fake: Tensor, *, saturating: bool = False) -> Tensor:
    share = torch.sigmoid(fake)
    kept = (1 - share if saturating else share).log().clamp(min=-100).mean()
    return kept if saturating else -kept


def _both(change: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
    """The right loss, changed at its end."""
    return refusing(
        lambda fake, *, saturating=False: change(_softplus(fake, saturating=saturating))
    )


def _of(change: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
    """The right loss of changed scores."""
    return refusing(
        lambda fake, *, saturating=False: _softplus(change(fake), saturating=saturating)
    )


WRONG = (
    Mistake(
        "always_saturating",
        refusing(lambda fake, *, saturating=False: -F.softplus(fake).mean()),
        "This is log(1 − D) in both forms: where the discriminator rejects every fake its slope "
        "vanishes. The default form is −log D.",
    ),
    Mistake(
        "never_saturating",
        refusing(lambda fake, *, saturating=False: F.softplus(-fake).mean()),
        "saturating=True changes nothing; it asks for the minimax form, log(1 − D).",
    ),
    Mistake(
        "forms_exchanged",
        refusing(lambda fake, *, saturating=False: _softplus(fake, saturating=not saturating)),
        "The two forms are exchanged: saturating is the one with log(1 − D).",
    ),
    Mistake(
        "helps_the_discriminator",
        refusing(lambda fake, *, saturating=False: F.softplus(fake).mean()),
        "Minimizing your loss makes fakes easier to tell: this is the discriminator's own term.",
    ),
    Mistake(
        "sign_turned",
        _both(torch.neg),
        "Your loss falls as the discriminator recognizes the fakes: the sign is turned.",
    ),
    Mistake(
        "sign_of_saturating",
        refusing(
            lambda fake, *, saturating=False: F.softplus(fake if saturating else -fake).mean()
        ),
        "The saturating form has the wrong sign: it is the mean of log(1 − D), which is negative "
        "and which the generator makes more negative still.",
    ),
    Mistake(
        "summed",
        refusing(
            lambda fake, *, saturating=False: _softplus(fake, saturating=saturating) * fake.numel()
        ),
        "Your value grows with the number of samples: a sum where a mean was asked.",
    ),
    Mistake(
        "sigmoid_twice",
        _of(torch.sigmoid),
        "Your discriminator can never be sure: the sigmoid is applied twice. A function of logits "
        "brings its own.",
    ),
    Mistake(
        "takes_probabilities",
        refusing(
            lambda fake, *, saturating=False: (
                (1 - fake).log().mean() if saturating else -fake.log().mean()
            )
        ),
        "You take the logarithm of the scores themselves; they are logits, so a sigmoid stands in "
        "between.",
    ),
    Mistake(
        "log_of_a_sigmoid",
        refusing(_naive),
        "For large logits the sigmoid is exactly 0 or 1 and its logarithm infinite. Take both in "
        "one step: logsigmoid or softplus.",
    ),
    Mistake(
        "clamped_logarithm",
        refusing(_clamped),
        "The logarithm is cut off at −100, as BCELoss does: a generator far behind then gets no "
        "gradient at all. Work with the logits.",
    ),
    Mistake(
        "guarded_logarithm",
        refusing(_guarded),
        "A small number inside the logarithm bends the loss where the discriminator is sure. Work "
        "with the logits.",
    ),
    Mistake(
        "log_base_2",
        _both(lambda value: value / math.log(2)),
        "Looks like the logarithm to base 2; the loss is in nats.",
    ),
    Mistake(
        "critic_s_way",
        refusing(lambda fake, *, saturating=False: -fake.mean()),
        "This is what a generator minimizes against a critic; against a discriminator a logarithm "
        "stands in between.",
    ),
    Mistake(
        "loss_of_the_mean",
        _of(lambda fake: fake.mean()),
        "You average the logits and then take the loss; average the losses of the samples.",
    ),
    Mistake(
        "one_value_per_sample",
        refusing(lambda fake, *, saturating=False: F.softplus(-fake)),
        "One value came for every sample; the loss is one number, their mean.",
    ),
    Mistake(
        "least_squares",
        refusing(lambda fake, *, saturating=False: (fake - 1).square().mean() / 2),
        "This is the least-squares loss; the cross-entropy was asked.",
    ),
    *blunders(refusing(generator_loss), but=("returns_list",)),
    Mistake(
        "python_float_returned",
        refusing(lambda fake, **options: generator_loss(fake, **options).item()),
    ),
    Mistake(
        "accepts_no_scores",
        _softplus,
        "A batch without scores was accepted; the mean of nothing is nan. Raise a ValueError.",
    ),
)


def _hard(draw: Draw) -> list[Case]:
    return [
        *hard(draw, 1, suspicion="unstable"),
        *hard(draw, 1, SATURATING, suspicion="unstable"),
    ]


GENERATOR_LOSS = Exercise(
    name="generator_loss",
    contract=(
        "generator_loss(fake_logits, *, saturating=False) returns one number to minimize, "
        "−mean log σ(fake); with saturating=True the minimax form, mean log(1 − σ(fake)). Exact "
        "for logits of any size, in any shape. No logits: ValueError."
    ),
    reference=generator_loss,
    parts=(
        Part("non-saturating", 0.35, lambda draw: plain(draw, 1), is_value=True),
        Part("saturating", 0.2, lambda draw: plain(draw, 1, SATURATING), is_value=True),
        Part("large logits", 0.2, _hard),
        Part("gradient", 0.15, lambda draw: gradients(draw, 1, {}, SATURATING)),
        Part("bad input", 0.1, lambda draw: refusals(draw, "logits")),
    ),
    right=(
        Right("softplus", refusing(_softplus)),
        Right("labels of ones and zeros", refusing(_with_labels)),
        Right("by their difference", refusing(_difference)),
        Right("sum over the count", refusing(_summed)),
    ),
    wrong=WRONG,
    points=4,
    traits={
        "unstable": (
            "The value is lost for large logits. A sigmoid followed by a logarithm cannot hold "
            "them; logsigmoid and softplus can."
        )
    },
)
