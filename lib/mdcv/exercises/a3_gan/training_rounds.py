"""What is wrong with a game, told from what its recording players saw and from what was learned."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from mdcv.exercises.calling import Answer
from mdcv.exercises.exercise import Finding
from mdcv.exercises.objects import Network
from mdcv.exercises.records import events, weights_after

#: The game that is recorded: rounds, samples in a batch, numbers in a noise vector.
STEPS, BATCH, NOISE = 7, 5, 3
LEARNING_RATE = 0.05

#: A generator that has learned: this share of its samples lies within 3 σ of a mode, and this
#: share of all samples at each mode but one. Of 800 right trainings the worst had 0.70 of its
#: samples near a mode, and 0.13 at the mode that came last but one.
GOOD_SHARE, SHARE_OF_A_MODE = 0.6, 0.05

Layers = list[tuple[Tensor, Tensor]]


def examine_rounds(
    answers: Sequence[Answer],
    kind: str,
    data: Tensor,
    noise: Tensor,
    weights: tuple[Layers, Layers],
) -> Finding | None:
    """What is wrong with three recorded games: two with one random seed, one with another."""
    first, again, other = answers
    name = (
        _trouble_with_data(first, data)
        or _trouble_with_noise(first, noise)
        or _trouble_with_players(first, weights)
        or _trouble_with_what_returns(first, noise)
        or _trouble_with_randomness(first, again, other, noise)
    )
    return _finding(name, kind) if name else None


def examine_first_round(
    answers: Sequence[Answer], kind: str, data: Tensor, weights: tuple[Layers, Layers]
) -> Finding | None:
    """What is wrong with the first move of two linear players.

    Adam moves every weight by lr in its first step, against the sign of its gradient.
    """
    ((linear, shift),), ((slope, _),) = weights
    records = answers[0].records
    after = {event.who: event.tensors for event in records if event.what == "after"}
    generator, discriminator = after["generator"], after["discriminator"]
    moves = {
        "slope": discriminator["steps.0.weight"] - slope,
        "shift": generator["steps.0.bias"] - shift,
        "linear": generator["steps.0.weight"] - linear,
    }
    seen = [event.tensors["input"] for event in events(records, "discriminator", "forward")]
    rows = torch.cat(seen[:-1] or seen)  # the last look belongs to the generator's move
    real = (rows[:, None] == data).all(-1).any(1)
    # The loss climbs along (σ(score) - label) x, averaged over the rows.
    slopes = (torch.sigmoid(rows @ slope[0]) - real.float())[:, None] * rows
    if float(moves["slope"][0] @ slopes.mean(0)) > 0:
        return _finding("discriminator_turned", kind)
    if float(moves["shift"] @ slope[0]) < 0:
        return _finding("generator_turned", kind)
    lengths = torch.cat([move.flatten().abs() for move in moves.values()]) / LEARNING_RATE
    if bool(((lengths - 1).abs() < 0.02).all()):
        return None
    alike = bool(((lengths / lengths.median() - 1).abs() < 0.02).all())
    return _finding("another_learning_rate" if alike else "not_adam", kind)


def examine_coverage(
    values: Sequence[Tensor], kind: str, centers: Tensor, std: float
) -> Finding | None:
    """What is wrong with samples that should lie at all modes of a mixture."""
    (samples,) = values
    if samples.ndim != 2 or samples.shape[1] != centers.shape[1]:
        return _finding("modes_missing", kind)
    distance, mode = torch.cdist(samples.double(), centers.double()).min(dim=1)
    good = distance < 3 * std
    share = torch.bincount(mode[good], minlength=len(centers)) / len(samples)
    found, quality = int((share > SHARE_OF_A_MODE).sum()), float(good.double().mean())
    if found >= len(centers) - 1 and quality > GOOD_SHARE:
        return None
    words = f"{found} of {len(centers)} modes, {100 * quality:.0f} % of the samples near one"
    return _finding("modes_missing", f"{kind}: {words}")


def _finding(name: str, kind: str) -> Finding:
    from mdcv.exercises.a3_gan.training_variants import WRONG

    sentence = next(mistake.sentence for mistake in WRONG if mistake.name == name)
    return Finding(f"{sentence} Seen with {kind}.", name)


def _trouble_with_data(answer: Answer, data: Tensor) -> str | None:
    batches = []
    for event in events(answer.records, "discriminator", "forward"):
        same = (event.tensors["input"][:, None] == data).all(-1)
        rows = same.double().argmax(1)[same.any(1)]
        if len(rows):
            batches.append(tuple(rows.tolist()))
    if not batches:
        return "never_sees_data"
    distinct = list(dict.fromkeys(batches))
    if any(len(rows) != BATCH for rows in distinct):
        return "another_batch_size"
    if len(distinct) == 1:
        return "one_batch_for_ever"
    if all((b - a) % len(data) == 1 for rows in distinct for a, b in itertools.pairwise(rows)):
        return "data_in_order"
    if len(distinct) != STEPS:
        return "too_few_rounds" if len(distinct) < STEPS else "too_many_rounds"
    return None


def _noises(answer: Answer, asked: Tensor) -> list[Tensor]:
    """The different noise batches of a game; not what the generator was asked for at its end."""
    found: list[Tensor] = []
    for event in events(answer.records, "generator", "forward"):
        z = event.tensors["input"]
        if not any(z.shape == known.shape and torch.equal(z, known) for known in [asked, *found]):
            found.append(z)
    return found


def _trouble_with_noise(answer: Answer, asked: Tensor) -> str | None:
    found = _noises(answer, asked)
    if len(found) < STEPS:
        return "one_noise_for_ever"
    every = torch.cat([z.flatten() for z in found])
    normal = abs(float(every.mean())) < 0.45 and 0.68 < float(every.std()) < 1.35
    return None if normal else "noise_not_normal"


def _trouble_with_players(answer: Answer, weights: tuple[Layers, Layers]) -> str | None:
    moves = []
    for who, layers in zip(("generator", "discriminator"), weights, strict=True):
        before = torch.cat([value.flatten() for layer in layers for value in layer]).double()
        after = weights_after(answer.records, who)
        moves.append((after - before) / LEARNING_RATE)
        if not bool(moves[-1].abs().max() > 1e-3):
            return f"{who}_stands_still"
    moved = torch.cat(moves)
    whole = ((moved - moved.round()).abs() < 2e-3) & (moved.round() % 2 == STEPS % 2)
    return "optimizer_made_anew" if bool(whole.double().mean() > 0.9) else None


def _trouble_with_what_returns(answer: Answer, asked: Tensor) -> str | None:
    """Whether what came back generates as the trained network does."""
    (after,) = events(answer.records, "generator", "after")
    names = sorted({name.rsplit(".", 1)[0] for name in after.tensors if "grad" not in name})
    layers = [(after.tensors[f"{n}.weight"], after.tensors[f"{n}.bias"]) for n in names]
    with torch.no_grad():
        wanted = Network(layers, "leaky_relu")(asked)
    mine = answer.value
    right = mine is not None and mine.shape == wanted.shape
    right = right and torch.allclose(mine, wanted, rtol=1e-4, atol=1e-5)
    return None if right else "returns_the_untrained"


def _trouble_with_randomness(
    first: Answer, again: Answer, other: Answer, asked: Tensor
) -> str | None:
    once, twice = (weights_after(answer.records, "generator") for answer in (first, again))
    if not torch.allclose(once, twice, rtol=1e-5, atol=1e-6):
        return "not_from_rng"
    mine, theirs = _noises(first, asked), _noises(other, asked)
    same = all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=False))
    return "seeds_itself" if same else None
