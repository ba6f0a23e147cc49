"""Two players with given weights that note what is asked of them, and what is read from it."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from mdcv.exercises.cases import Argument, Draw, Made
from mdcv.exercises.exercise import Reading
from mdcv.exercises.records import Event, events, gradients_after, weights_after

Records = tuple[Event, ...]

#: Numbers in one noise vector, and in one sample: neither fits in the place of the other.
NOISE, SAMPLE = 3, 5


def layers(draw: Draw, *sizes: int) -> list[tuple[Tensor, Tensor]]:
    """Random weights of linear layers, of a size that keeps activations near 1."""
    return [
        (draw.tensor(after, before) / before**0.5, 0.3 * draw.tensor(after))
        for before, after in itertools.pairwise(sizes)
    ]


def generator(draw: Draw, **options: bool) -> Made:
    """From (B, 3) noise to (B, 5) samples."""
    weights = layers(draw, NOISE, 7, SAMPLE)
    return Made("recording_network", who="generator", layers=weights, **options)


def discriminator(draw: Draw, *, flat: bool = True, **options: bool) -> Made:
    """From (B, 5) samples to logits (B,), or (B, 1)."""
    weights = layers(draw, SAMPLE, 8, 1)
    return Made(
        "recording_network",
        who="discriminator",
        layers=weights,
        activation="leaky_relu",
        flat=flat,
        **options,
    )


def optimizer(of: int, rule: str = "sgd", lr: float = 0.3) -> Made:
    """Over the network that stands at this place among the arguments."""
    return Made("optimizer", of=Argument(of), rule=rule, lr=lr)


def moved(who: str, suspicion: str = "") -> Reading:
    """The weights of a player after the step."""
    return Reading(
        f"the weights of the {who} after the step",
        lambda records: weights_after(records, who),
        suspicion,
    )


def has_gradients(who: str, suspicion: str) -> Reading:
    """Whether a player is left with a gradient that is not zero."""

    def read(records: Records) -> Tensor:
        left = gradients_after(records, who)
        return torch.tensor(left is not None and bool(left.any()))

    return Reading(f"whether the {who} is left with gradients", read, suspicion)


def number_of_steps(suspicion: str) -> Reading:
    """How often the optimizer was asked to step."""
    return Reading(
        "the number of optimizer steps",
        lambda records: torch.tensor(len(events(records, "optimizer", "step"))),
        suspicion,
    )


def state_of(who: str, fact: str, suspicion: str) -> Reading:
    """The mode, or the frozenness, in which a player is left."""

    def read(records: Records) -> Tensor:
        (after,) = events(records, who, "after")
        return torch.tensor(after.facts[fact])

    word = {"training": "in training mode", "frozen": "frozen"}[fact]
    return Reading(f"whether the {who} is left {word}", read, suspicion)
