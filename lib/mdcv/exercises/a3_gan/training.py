"""The exercise `train_gan`: the whole game, judged by its rounds and by what was learned."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from mdcv.exercises.a3_gan.training_rounds import (
    BATCH,
    LEARNING_RATE,
    NOISE,
    STEPS,
    examine_coverage,
    examine_first_round,
    examine_rounds,
)
from mdcv.exercises.a3_gan.training_variants import RIGHT, WRONG, train_gan
from mdcv.exercises.cases import Draw, Made, Seeded
from mdcv.exercises.exercise import Exercise, Part, Refusal, Trial


def _layers(draw: Draw, *sizes: int, gain: float = 1.0) -> list[tuple[Tensor, Tensor]]:
    pairs = itertools.pairwise(sizes)
    return [
        (gain * draw.tensor(m, n).float() / n**0.5, 0.1 * draw.tensor(m).float()) for n, m in pairs
    ]


def _recorded(who: str, layers: list[tuple[Tensor, Tensor]]) -> Made:
    return Made(
        "recording_network",
        who=who,
        layers=layers,
        activation="leaky_relu",
        flat=who == "discriminator",
    )


def _call(generator: Made, discriminator: Made, data: Tensor, noise: Tensor, **options):
    """Trains, then asks the generator that came for its samples from this noise."""
    given = {"steps": STEPS, "batch": BATCH, "noise_dim": NOISE, "lr": LEARNING_RATE} | options
    arguments = (generator, discriminator, data), [("", (noise,), {})]
    return arguments, {"options": given}


def _rounds(draw: Draw) -> list[Trial]:
    """Few rounds of small players: twice with one random seed, once with another."""
    weights = _layers(draw, NOISE, 8, 2), _layers(draw, 2, 8, 1)
    data = draw.tensor(41, 2).float() + 1.0
    noise = draw.tensor(4, NOISE).float()
    seed = draw.integer(0, 2**30)
    players = _recorded("generator", weights[0]), _recorded("discriminator", weights[1])
    calls = tuple(
        _call(*players, data, noise, rng=Seeded(chosen)) for chosen in (seed, seed, seed + 1)
    )
    kind = f"{STEPS} rounds of {BATCH} samples out of {len(data)}"

    def examine(answers):
        return examine_rounds(answers, kind, data, noise, weights)

    return [Trial(kind, calls, examine, whole=True)]


def _first_round(draw: Draw) -> list[Trial]:
    """One round of linear players, whose first move Adam makes exactly `lr` long."""
    slope = torch.tensor([[0.6, -0.5]]) * (1 + 0.3 * draw.uniform(1).float())
    weights = _layers(draw, NOISE, 2), [(slope, torch.zeros(1))]
    data = draw.tensor(37, 2).float() + torch.tensor([5.0, 4.0])
    players = _recorded("generator", weights[0]), _recorded("discriminator", weights[1])
    call = _call(*players, data, draw.tensor(4, NOISE).float(), steps=1, rng=draw.seeded())
    kind = "a single round of linear players"

    def examine(answers):
        return examine_first_round(answers, kind, data, weights)

    return [Trial(kind, (call,), examine, whole=True)]


def _coverage(draw: Draw) -> list[Trial]:
    """A mixture of four modes that nobody has seen, and 1,000 samples from the generator."""
    turn = 6.2832 * draw.uniform(1)
    angles = turn + torch.arange(4) * 1.5708 + 0.25 * (draw.uniform(4) - 0.5)
    radius = 1.2 + 0.2 * (draw.uniform(4) - 0.5)
    centers = (radius * torch.stack([angles.cos(), angles.sin()])).mT.float()
    chosen = torch.tensor([draw.integer(0, 3) for _ in range(600)])
    data = centers[chosen] + 0.25 * draw.tensor(600, 2).float()
    width = 48
    generator = _layers(draw, NOISE, width, width, 2, gain=1.4)
    discriminator = _layers(draw, 2, width, width, 1, gain=1.4)
    kind = "250 rounds of 96 samples on a mixture of four modes"

    def player(layers: list[tuple[Tensor, Tensor]], *, flat: bool) -> Made:
        return Made("network", layers=layers, activation="leaky_relu", flat=flat)

    call = _call(
        player(generator, flat=False),
        player(discriminator, flat=True),
        data,
        draw.tensor(1000, NOISE).float(),
        steps=250,
        batch=96,
        lr=1.2e-2,
        rng=draw.seeded(),
    )

    def examine(values):
        return examine_coverage(values, kind, centers, 0.25)

    return [Trial(kind, (call,), examine, limit=60.0)]


def _refusals(draw: Draw) -> list[Refusal]:
    players = (
        _recorded("generator", _layers(draw, NOISE, 2)),
        _recorded("discriminator", _layers(draw, 2, 1)),
    )
    data, noise = draw.tensor(11, 2).float(), draw.tensor(4, NOISE).float()

    def refusal(kind: str, name: str, data: Tensor = data, **options: int) -> Refusal:
        arguments, chosen = _call(*players, data, noise, rng=Seeded(3), **options)
        return Refusal(kind, arguments, name, chosen)

    return [
        refusal("no data", "accepts_nothing_to_do", data[:0]),
        refusal("0 steps", "accepts_nothing_to_do", steps=0),
        refusal("-3 steps", "accepts_nothing_to_do", steps=-3),
        refusal("batches of 0", "accepts_nothing_to_do", batch=0),
    ]


TRAIN_GAN = Exercise(
    name="train_gan",
    contract=(
        "train_gan(generator, discriminator, data, *, steps, batch, noise_dim, lr, rng) plays "
        "steps rounds, in each one move of the discriminator on batch rows of data drawn at random "
        "and as many fakes, then one of the generator, each with an Adam of its own (lr, betas "
        "0.5 and 0.9) and standard normal noise from rng; it returns the trained generator. No "
        "data, steps or batch below 1: ValueError."
    ),
    reference=train_gan,
    parts=(
        Part("rounds", 0.4, _rounds, is_value=True),
        Part("first round", 0.15, _first_round, is_value=True),
        Part("what it learned", 0.3, _coverage),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    points=6,
    through="then_ask",
)
