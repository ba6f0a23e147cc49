"""The exercise `generator_step`: the gradient passes through the other player."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mdcv.exercises.a3_gan.moves import moves_both, of_any_player
from mdcv.exercises.a3_gan.players import (
    NOISE,
    discriminator,
    generator,
    moved,
    number_of_steps,
    optimizer,
    state_of,
)
from mdcv.exercises.cases import Draw, Made
from mdcv.exercises.exercise import Case, Exercise, Mistake, Part, Reading, Refusal, Right
from mdcv.exercises.records import events
from mdcv.gan import generator_loss, generator_step

READINGS = (
    Reading(
        "whether the fakes carry a graph",
        lambda records: torch.tensor(
            any(event.facts["graph"] for event in events(records, "discriminator", "forward"))
        ),
        "fakes_detached",
    ),
    moved("discriminator", "moves_the_discriminator"),
    number_of_steps("number_of_steps"),
    state_of("generator", "training", "left_in_eval_mode"),
    state_of("discriminator", "training", "left_in_eval_mode"),
    state_of("discriminator", "frozen", "left_frozen"),
    moved("generator", "moves_elsewhere"),
)


def _case(kind: str, draw: Draw, given: tuple[Made, Made, Made]) -> Case:
    noise = draw.tensor(5 + draw.integer(0, 4), NOISE)
    words = f"{kind}, {len(noise)} fakes"
    return Case(words, (*given, noise), readings=READINGS, atol=1e-7)


def _first(draw: Draw) -> list[Case]:
    return [
        _case("a first step", draw, (generator(draw), discriminator(draw), optimizer(0)))
        for _ in range(2)
    ]


def _later(draw: Draw) -> list[Case]:
    def stale(**options: bool) -> tuple[Made, Made]:
        return generator(draw, stale=True), discriminator(draw, stale=True, **options)

    return [
        _case(
            "a later step, with gradients left over from the one before",
            draw,
            (*stale(), optimizer(0)),
        ),
        _case("a later step with Adam", draw, (*stale(), optimizer(0, "adam", 0.05))),
        _case("a discriminator that answers in a column", draw, (*stale(flat=False), optimizer(0))),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    players = generator(draw), discriminator(draw), optimizer(0)
    return [Refusal("no noise", (*players, draw.tensor(4, NOISE)[:0]), "accepts_no_noise")]


# Right, written differently


def _plainly(generator, discriminator, optimizer, noise):
    loss = generator_loss(discriminator(generator(noise)))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def _frozen_meanwhile(generator, discriminator, optimizer, noise):
    generator.zero_grad()
    discriminator.requires_grad_(False)
    logits = discriminator(generator(noise))
    loss = F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
    if loss.isnan():
        discriminator.requires_grad_(True)
        raise ValueError("no noise")
    loss.backward()
    discriminator.requires_grad_(True)
    optimizer.step()
    return loss.detach()


def _by_the_chain_rule(generator, discriminator, optimizer, noise):
    """Back through the discriminator first, then through the generator."""
    fake = generator(noise)
    seen = fake.detach().requires_grad_()
    loss = generator_loss(discriminator(seen))
    (slope,) = torch.autograd.grad(loss, seen)
    optimizer.zero_grad()
    fake.backward(slope)
    optimizer.step()
    discriminator.zero_grad()
    return loss.detach()


# Wrong: the pieces of one step, any of which can be replaced


def _step(
    *,
    loss: Callable[[Tensor], Tensor] = generator_loss,
    fakes: Callable[[Any, Tensor], Tensor] = lambda G, z: G(z),
    clear: Callable[[Any], None] = lambda optimizer: optimizer.zero_grad(),
    move: Callable[[Any, Any, Any], None] = lambda G, D, optimizer: optimizer.step(),
    answer: Callable[[Tensor, Any, Any, Tensor], Any] = lambda value, G, D, z: value.detach(),
) -> Callable[..., Any]:
    """A step with one of its pieces replaced."""

    def wrong(generator, discriminator, optimizer, noise):
        if len(noise) == 0:
            raise ValueError("no noise")
        clear(optimizer)
        value = loss(discriminator(fakes(generator, noise)))
        value.backward()
        move(generator, discriminator, optimizer)
        return answer(value, generator, discriminator, noise)

    return wrong


def _steps_first(generator, discriminator, optimizer, noise):
    if len(noise) == 0:
        raise ValueError("no noise")
    loss = generator_loss(discriminator(generator(noise)))
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()
    return loss.detach()


def _steps_backwards(G: Any, D: Any, optimizer: Any) -> None:
    for parameter in G.parameters():
        parameter.grad.neg_()
    optimizer.step()


def _without_a_door(generator, discriminator, optimizer, noise):
    optimizer.zero_grad()
    loss = F.softplus(-discriminator(generator(noise))).mean()
    loss.backward()
    optimizer.step()
    return loss.detach()


WRONG = (
    Mistake(
        "fakes_detached",
        _step(fakes=lambda G, z: G(z).detach()),
        "The generator received no gradient: the graph is cut at the fakes (detach, no_grad). In "
        "its own step the gradient has to pass through the discriminator into the generator.",
    ),
    Mistake(
        "moves_the_discriminator",
        _step(move=moves_both),
        "The discriminator changed during the generator's step. One player moves at a time.",
    ),
    Mistake(
        "steps_before_backward",
        _steps_first,
        "The optimizer steps before backward has written this batch's gradients.",
    ),
    Mistake(
        "saturating",
        _step(loss=lambda logits: generator_loss(logits, saturating=True)),
        "This is log(1 − D): where the discriminator rejects the fakes it gives no gradient. Take "
        "the non-saturating form.",
    ),
    Mistake(
        "helps_the_discriminator",
        _step(loss=lambda logits: F.softplus(logits).mean()),
        "After your step the fakes are easier to tell: this is the discriminator's own term.",
    ),
    Mistake(
        "climbs",
        _step(loss=lambda logits: -generator_loss(logits)),
        "After your step the fakes are easier to tell: the loss has the wrong sign.",
    ),
    Mistake(
        "steps_backwards",
        _step(move=_steps_backwards),
        "The loss you return is right, but the step climbs it.",
    ),
    Mistake(
        "sigmoid_twice",
        _step(loss=lambda logits: generator_loss(logits.sigmoid())),
        "The sigmoid is applied twice: the discriminator answers logits, and the loss takes them.",
    ),
    Mistake(
        "critic_s_way",
        _step(loss=lambda logits: -logits.mean()),
        "This is what a generator minimizes against a critic; against a discriminator a logarithm "
        "stands in between.",
    ),
    Mistake(
        "summed",
        _step(loss=lambda logits: generator_loss(logits) * logits.numel()),
        "The step grows with the number of fakes: a sum where a mean was asked.",
    ),
    Mistake(
        "noise_of_its_own",
        _step(fakes=lambda G, z: G(torch.zeros_like(z))),
        "Your fakes do not come from the noise that was given.",
    ),
    Mistake(
        "loss_after_the_step",
        _step(answer=lambda value, G, D, z: generator_loss(D(G(z))).detach()),
        "The loss you return was measured after the step; return the one that was minimized.",
    ),
    *of_any_player(_step),
    Mistake("python_float_returned", _step(answer=lambda value, G, D, z: value.item())),
    Mistake(
        "accepts_no_noise",
        _without_a_door,
        "An empty batch was accepted: the loss is nan, and one such step makes every weight nan. "
        "Raise a ValueError.",
    ),
)

GENERATOR_STEP = Exercise(
    name="generator_step",
    contract=(
        "generator_step(generator, discriminator, optimizer, noise) moves the generator once, by "
        "its non-saturating loss on the fakes made from this noise, and nobody else; it returns "
        "that loss as it was before the step. No noise: ValueError."
    ),
    reference=generator_step,
    parts=(
        Part("a first step", 0.45, _first, is_value=True),
        Part("later steps", 0.4, _later),
        Part("bad input", 0.1, _refusals),
    ),
    right=(
        Right("plainly", _plainly),
        Right("the discriminator frozen meanwhile", _frozen_meanwhile),
        Right("by the chain rule", _by_the_chain_rule),
    ),
    wrong=WRONG,
    points=6,
    traits={
        "number_of_steps": "The optimizer should step exactly once in a step.",
        "moves_elsewhere": (
            "The loss is right, but the generator did not move where its gradient leads."
        ),
    },
)
