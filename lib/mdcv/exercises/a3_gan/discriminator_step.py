"""The exercise `discriminator_step`: who moves, who only looks on, in which order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mdcv.exercises.a3_gan.moves import moves_both, of_any_player
from mdcv.exercises.a3_gan.players import (
    NOISE,
    SAMPLE,
    discriminator,
    generator,
    has_gradients,
    moved,
    number_of_steps,
    optimizer,
    state_of,
)
from mdcv.exercises.cases import Draw, Made
from mdcv.exercises.exercise import Case, Exercise, Mistake, Part, Refusal, Right
from mdcv.gan import discriminator_loss, discriminator_step

READINGS = (
    has_gradients("generator", "fakes_carry_a_graph"),
    moved("generator", "moves_the_generator"),
    number_of_steps("number_of_steps"),
    state_of("discriminator", "training", "left_in_eval_mode"),
    state_of("discriminator", "frozen", "left_frozen"),
    state_of("generator", "frozen", "left_frozen"),
    moved("discriminator", "moves_elsewhere"),
)


def _case(kind: str, draw: Draw, given: tuple[Made, Made, Made]) -> Case:
    b, m = 4 + draw.integer(0, 2), 7 + draw.integer(0, 2)
    real, noise = 0.8 + 1.2 * draw.tensor(b, SAMPLE), draw.tensor(m, NOISE)
    words = f"{kind}, {b} real samples and {m} fakes"
    return Case(words, (*given, real, noise), readings=READINGS, atol=1e-7)


def _first(draw: Draw) -> list[Case]:
    return [
        _case("a first step", draw, (discriminator(draw), generator(draw), optimizer(0)))
        for _ in range(2)
    ]


def _later(draw: Draw) -> list[Case]:
    stale = {"stale": True}
    return [
        _case(
            "a later step, with gradients left over from the one before",
            draw,
            (discriminator(draw, **stale), generator(draw), optimizer(0)),
        ),
        _case(
            "a later step with Adam",
            draw,
            (discriminator(draw, **stale), generator(draw), optimizer(0, "adam", 0.05)),
        ),
    ]


def _other_players(draw: Draw) -> list[Case]:
    return [
        _case(
            "a discriminator that answers in a column",
            draw,
            (discriminator(draw, flat=False), generator(draw), optimizer(0)),
        ),
        _case(
            "a discriminator with batch statistics",
            draw,
            (discriminator(draw, mixing=True), generator(draw), optimizer(0)),
        ),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    players = discriminator(draw), generator(draw), optimizer(0)
    real, noise = draw.tensor(4, SAMPLE), draw.tensor(7, NOISE)
    return [
        Refusal("no real samples", (*players, real[:0], noise), "accepts_no_samples"),
        Refusal("no noise", (*players, real, noise[:0]), "accepts_no_samples"),
    ]


# Right, written differently


def _detaching(discriminator, generator, optimizer, real, noise):
    fake = generator(noise).detach()
    loss = discriminator_loss(discriminator(real), discriminator(fake))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def _twice_backward(discriminator, generator, optimizer, real, noise):
    for parameter in discriminator.parameters():
        parameter.grad = None
    real_logits = discriminator(real)
    real_loss = F.binary_cross_entropy_with_logits(real_logits, torch.ones_like(real_logits))
    if real_loss.isnan():
        raise ValueError("no real samples")
    real_loss.backward()
    with torch.inference_mode():
        fake = generator(noise)
    fake_logits = discriminator(fake.clone())
    fake_loss = F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
    if fake_loss.isnan():
        raise ValueError("no noise")
    fake_loss.backward()
    optimizer.step()
    return (real_loss + fake_loss).detach()


def _with_the_gradients_taken(discriminator, generator, optimizer, real, noise):
    parameters = list(discriminator.parameters())
    loss = discriminator_loss(discriminator(real), discriminator(generator(noise)))
    gradients = torch.autograd.grad(loss, parameters)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
    return loss.detach()


def _in_eval_for_the_fakes(discriminator, generator, optimizer, real, noise):
    discriminator.train()
    generator.eval()
    fake = generator(noise).detach()
    generator.train()
    discriminator.zero_grad()
    loss = discriminator_loss(discriminator(real), discriminator(fake))
    loss.backward()
    optimizer.step()
    return loss.item() * torch.ones((), dtype=real.dtype)


# Wrong: the pieces of one step, any of which can be replaced

Loss = Callable[[Tensor, Tensor], Tensor]


def _step(
    *,
    loss: Loss = discriminator_loss,
    fakes: Callable[[Any, Tensor], Tensor] = lambda G, z: G(z).detach(),
    clear: Callable[[Any], None] = lambda optimizer: optimizer.zero_grad(),
    scores: Callable[[Any, Tensor, Tensor], tuple[Tensor, Tensor]] = lambda D, r, f: (D(r), D(f)),
    move: Callable[[Any, Any, Any], None] = lambda D, G, optimizer: optimizer.step(),
    answer: Callable[[Tensor, Any, Tensor, Tensor], Any] = lambda value, D, r, f: value.detach(),
) -> Callable[..., Any]:
    """A step with one of its pieces replaced."""

    def wrong(discriminator, generator, optimizer, real, noise):
        if 0 in (len(real), len(noise)):
            raise ValueError("no samples")
        fake = fakes(generator, noise)
        clear(optimizer)
        value = loss(*scores(discriminator, real, fake))
        value.backward()
        move(discriminator, generator, optimizer)
        return answer(value, discriminator, real, fake.detach())

    return wrong


def _in_one_call(D: Any, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    logits = D(torch.cat([real, fake]))
    return logits[: len(real)], logits[len(real) :]


def _steps_first(discriminator, generator, optimizer, real, noise):
    if 0 in (len(real), len(noise)):
        raise ValueError("no samples")
    loss = discriminator_loss(discriminator(real), discriminator(generator(noise).detach()))
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()
    return loss.detach()


def _without_a_door(D: Any, G: Any, optimizer: Any, real: Tensor, noise: Tensor) -> Tensor:
    optimizer.zero_grad()
    loss = F.softplus(-D(real)).mean() + F.softplus(D(G(noise).detach())).mean()
    loss.backward()
    optimizer.step()
    return loss.detach()


WRONG = (
    Mistake(
        "fakes_carry_a_graph",
        _step(fakes=lambda G, z: G(z)),
        "The discriminator's step wrote gradients into the generator: the fakes still carry its "
        "graph. Detach them, or make them under no_grad.",
    ),
    Mistake(
        "moves_the_generator",
        _step(fakes=lambda G, z: G(z), move=moves_both),
        "The generator changed during the discriminator's step. One player moves at a time.",
    ),
    Mistake(
        "steps_before_backward",
        _steps_first,
        "The optimizer steps before backward has written this batch's gradients.",
    ),
    Mistake(
        "labels_swapped",
        _step(loss=lambda r, f: discriminator_loss(f, r)),
        "After your step the discriminator scores reals lower and fakes higher: the labels are "
        "exchanged.",
    ),
    Mistake(
        "climbs",
        _step(loss=lambda r, f: -discriminator_loss(r, f)),
        "Your step makes the discriminator worse on this batch: the loss has the wrong sign.",
    ),
    Mistake(
        "reports_one_sign_steps_the_other",
        _step(
            loss=lambda r, f: -discriminator_loss(r, f),
            answer=lambda value, D, r, f: -value.detach(),
        ),
        "The loss you return is right, but the step climbs it.",
    ),
    Mistake(
        "real_only",
        _step(loss=lambda r, f: F.softplus(-r).mean()),
        "The discriminator learns from real samples only.",
    ),
    Mistake(
        "fake_only",
        _step(loss=lambda r, f: F.softplus(f).mean()),
        "The discriminator learns from fakes only.",
    ),
    Mistake(
        "generator_s_loss",
        _step(loss=lambda r, f: F.softplus(-f).mean()),
        "This is the generator's loss: the discriminator learns to call the fakes real.",
    ),
    Mistake(
        "halved",
        _step(loss=lambda r, f: discriminator_loss(r, f) / 2),
        "The step is half as long: the loss is the sum of the two terms, not their average.",
    ),
    Mistake(
        "critic_s_loss",
        _step(loss=lambda r, f: f.mean() - r.mean()),
        "This is a critic's loss; a discriminator is paid by the cross-entropy.",
    ),
    Mistake(
        "sigmoid_twice",
        _step(loss=lambda r, f: discriminator_loss(r.sigmoid(), f.sigmoid())),
        "The sigmoid is applied twice: the discriminator answers logits, and the loss takes them.",
    ),
    Mistake(
        "in_one_call",
        _step(scores=_in_one_call),
        "Changing the fakes changes what your discriminator says about the reals: both went "
        "through it in one call, and batch statistics mix them. Make two calls.",
    ),
    Mistake(
        "loss_after_the_step",
        _step(answer=lambda value, D, r, f: discriminator_loss(D(r), D(f)).detach()),
        "The loss you return was measured after the step; return the one that was minimized.",
    ),
    *of_any_player(_step),
    Mistake("python_float_returned", _step(answer=lambda value, D, r, f: value.item())),
    Mistake(
        "accepts_no_samples",
        _without_a_door,
        "An empty batch was accepted: the loss is nan, and one such step makes every weight nan. "
        "Raise a ValueError.",
    ),
)


DISCRIMINATOR_STEP = Exercise(
    name="discriminator_step",
    contract=(
        "discriminator_step(discriminator, generator, optimizer, real, noise) moves the "
        "discriminator once, by its loss on these samples, and nobody else; it returns that loss "
        "as it was before the step. Two calls of the discriminator, one for each kind. An empty "
        "batch: ValueError."
    ),
    reference=discriminator_step,
    parts=(
        Part("a first step", 0.4, _first, is_value=True),
        Part("later steps", 0.3, _later),
        Part("other discriminators", 0.15, _other_players),
        Part("bad input", 0.1, _refusals),
    ),
    right=(
        Right("detaching", _detaching),
        Right("two backward passes", _twice_backward),
        Right("gradients taken by hand", _with_the_gradients_taken),
        Right("modes set", _in_eval_for_the_fakes),
    ),
    wrong=WRONG,
    points=6,
    traits={
        "number_of_steps": "The optimizer should step exactly once in a step.",
        "moves_elsewhere": (
            "The loss is right, but the discriminator did not move where its gradient leads."
        ),
    },
)
