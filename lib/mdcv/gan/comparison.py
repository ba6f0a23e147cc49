"""Three games on one mixture: what each generator finds, how well, and how far it stays away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch

from mdcv.data import Mixture, grid_mixture, ring_mixture
from mdcv.errors import check_option
from mdcv.fidelity import fid, kid
from mdcv.gan.coverage import mode_coverage
from mdcv.gan.game import Game, Rules, train_game
from mdcv.gan.networks import PointDiscriminator, PointGenerator
from mdcv.points import earth_movers_distance
from mdcv.seeds import generator


class MixtureResult(NamedTuple):
    """One trained generator, or a second sample of the data itself, judged against the truth."""

    model: str
    seed: int
    modes: int
    high_quality: float
    transport: float
    fid: float
    kid: float


@dataclass(frozen=True)
class ComparisonPreset:
    """How large a comparison is.

    Attributes:
        mixture: the truth.
        moves: updates of opponent and generator together, the same for every model: a model with
            five critic steps per round has a third of the rounds of one with a single step.
        width, depth: of both networks.
        samples: drawn from each generator to be judged.
        games: name of the model and its rules.
    """

    mixture: Mixture
    moves: int
    width: int
    depth: int
    samples: int
    games: dict[str, Rules]


GAMES = {
    "GAN": Rules("gan", learning_rate=1e-3),
    "WGAN": Rules("wgan", opponent_steps=5, learning_rate=1e-3, clip=0.1),
    "WGAN-GP": Rules("wgan-gp", opponent_steps=5, learning_rate=1e-3, penalty_weight=1.0),
}
#: The settings of the authors' own experiments in the plane and of the papers.
PAPER_GAMES = {
    "GAN": Rules("gan", learning_rate=1e-4),
    "WGAN": Rules("wgan", opponent_steps=5, learning_rate=5e-5, clip=0.01),
    "WGAN-GP": Rules("wgan-gp", opponent_steps=5, learning_rate=1e-4, penalty_weight=0.1),
}


def comparison_preset(name: str) -> ComparisonPreset:
    """The sizes under a name: "smoke" for tests, "cpu" about a minute, "gpu" the papers' sizes.

    Raises:
        ValueError: the name is unknown.

    >>> comparison_preset("gpu").mixture.centers.shape
    torch.Size([25, 2])
    """
    check_option("preset", name, ("smoke", "cpu", "gpu"))
    ring = ring_mixture(8, std=0.05)
    if name == "gpu":
        return ComparisonPreset(grid_mixture(5), 120_000, 512, 3, 2000, PAPER_GAMES)
    if name == "cpu":
        return ComparisonPreset(ring, 6000, 64, 2, 1000, GAMES)
    small = {model: replace(rules, batch=32) for model, rules in GAMES.items()}
    return ComparisonPreset(ring, 36, 16, 1, 50, small)


def compare_on_mixture(
    preset: str = "cpu",
    *,
    seeds: Sequence[int] = (0, 1, 2),
    device: torch.device | str = "cpu",
    progress: bool = False,
) -> list[MixtureResult]:
    """GAN, clipped WGAN and WGAN-GP on one mixture: a row per model and seed.

    Every model has the same networks, starts from the same weights for the same seed, and makes the
    same number of moves. The first rows, called "data", judge a second sample of the truth: no
    generator can expect to do better, since two samples of one distribution differ too.

    What the literature leads one to expect (Gulrajani and others 2017, arXiv:1704.00028, figure 1):
    with the penalty all modes are found, and the transport distance is smaller than with clipping.

    Args:
        preset: "smoke", "cpu" or "gpu", see `comparison_preset`.
        seeds: one run of each model per seed.
        device: where the networks train.
        progress: whether each run shows a line.

    Returns:
        `modes` found, share of samples of `high_quality` (both as `mode_coverage` counts them), and
        `transport`, the exact W₁ to as many fresh samples of the truth, in the mixture's unit;
        `fid` and `kid` to the same samples, with the points themselves as features.

    Raises:
        ValueError: the preset is unknown.

    >>> rows = compare_on_mixture("smoke", seeds=[0])
    >>> [row.model for row in rows]
    ['data', 'GAN', 'WGAN', 'WGAN-GP']
    """
    sizes = comparison_preset(preset)
    rows = []
    for seed in seeds:
        again = sizes.mixture.sample(sizes.samples, generator=generator(1000 + seed))
        rows.append(_judge("data", seed, again, sizes.mixture))
    for model, rules in sizes.games.items():
        for seed in seeds:
            game = _new_game(sizes, rules, seed, device)
            rounds = sizes.moves // (rules.opponent_steps + 1)
            train_game(game, rounds, seed=seed, progress=progress)
            made = game.generator.sample(sizes.samples, generator=generator(2000 + seed))
            rows.append(_judge(model, seed, made.cpu(), sizes.mixture))
    return rows


def _new_game(sizes: ComparisonPreset, rules: Rules, seed: int, device: torch.device | str) -> Game:
    rng = generator(seed)
    size = {"width": sizes.width, "depth": sizes.depth, "rng": rng}
    dimension = sizes.mixture.centers.shape[1]
    players = PointGenerator(2, dimension, **size), PointDiscriminator(dimension, **size)
    return Game(
        *(player.to(device) for player in players),
        lambda n, source: sizes.mixture.sample(n, generator=source),
        rules,
    )


def _judge(model: str, seed: int, samples: torch.Tensor, truth: Mixture) -> MixtureResult:
    found = mode_coverage(samples, truth)
    reference = truth.sample(len(samples), generator=generator(3000 + seed))
    transport = earth_movers_distance(samples[None], reference[None], reduction="mean")
    on_points = float(fid(reference, samples)), float(kid(reference, samples))
    return MixtureResult(model, seed, *found[:2], float(transport), *on_points)
