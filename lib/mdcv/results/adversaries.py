"""GAN, WGAN and WGAN-GP: on digits, judged by features, and on a mixture, judged by the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.data import digits
from mdcv.fidelity import SmallClassifier, fid, kid, train_classifier
from mdcv.gan import (
    Game,
    PointDiscriminator,
    PointGenerator,
    Rules,
    compare_on_mixture,
    train_game,
)
from mdcv.results.measurement import Measurement
from mdcv.seeds import generator
from mdcv.train import draw_batch

DIGITS, MIXTURE = "digits", "mixture"
FID, KID, CLASSES = "FID", "KID × 1000", "digits drawn, of 10"
MODES, QUALITY, TRANSPORT = "modes found", "share at a mode, %", "exact W₁ to the truth"
#: A digit counts as drawn when so many of a thousand samples show it; real data has 98 at least.
SHARE_OF_A_DIGIT = 0.02


@dataclass(frozen=True)
class AdversarySizes:
    """How large the networks are, and how many updates both players make together."""

    moves: int
    width: int
    depth: int
    samples: int
    batch: int
    classifier_steps: int


SIZES = {
    "smoke": AdversarySizes(12, 16, 1, 64, 16, 3),
    "cpu": AdversarySizes(6000, 256, 2, 1000, 128, 400),
    "gpu": AdversarySizes(120_000, 512, 3, 10_000, 256, 2000),
}
GAMES = {
    "GAN": Rules("gan", learning_rate=3e-4),
    "WGAN": Rules("wgan", opponent_steps=5, learning_rate=3e-4, clip=0.05),
    "WGAN-GP": Rules("wgan-gp", opponent_steps=5, learning_rate=3e-4, penalty_weight=10.0),
}


class DigitGenerator(PointGenerator):
    """From noise to the 64 pixels of a digit, each in (0, 1)."""

    def forward(self, noise: Float[Tensor, "b z"]) -> Float[Tensor, "b 64"]:
        return super().forward(noise).sigmoid()


def measure_on_digits(
    preset: str, seeds: Sequence[int], *, device: torch.device | str, progress: bool
) -> Iterator[Measurement]:
    """FID and KID to the training images, and how many of the ten digits a generator draws.

    Features come from a small classifier that is trained first: the numbers compare these
    generators with each other, on another scale than scores on Inception features. The rows
    called "held-out data" judge real images that nothing was trained on: nobody can expect less.
    """
    sizes = SIZES[preset]
    images, labels = (part.to(device) for part in digits())
    unseen = digits(held_out=True)[0].to(device)
    judge = train_classifier(images, labels, steps=sizes.classifier_steps, progress=progress)
    yield from _scores("held-out data", seeds[0], unseen, images, judge)
    for model, rules in GAMES.items():
        for seed in seeds:
            made = _play(replace(rules, batch=sizes.batch), sizes, images, seed, progress)
            yield from _scores(model, seed, made, images, judge)


def _play(
    rules: Rules, sizes: AdversarySizes, images: Tensor, seed: int, progress: bool
) -> Float[Tensor, "n 1 8 8"]:
    """Samples of a generator that was trained with this seed."""
    rng, size = generator(seed), {"width": sizes.width, "depth": sizes.depth}
    game = Game(
        DigitGenerator(16, 64, rng=rng, **size).to(images),
        PointDiscriminator(64, rng=rng, **size).to(images),
        lambda n, source: draw_batch(n, images.flatten(1), generator=source),
        rules,
    )
    train_game(game, sizes.moves // (rules.opponent_steps + 1), seed=seed, progress=progress)
    return game.generator.sample(sizes.samples, generator=generator(seed)).view(-1, 1, 8, 8)


def _scores(
    model: str, seed: int, made: Tensor, images: Tensor, judge: SmallClassifier
) -> Iterator[Measurement]:
    with torch.no_grad():
        real, fake = judge.features(images), judge.features(made)
        shown = judge(made).argmax(dim=1).bincount(minlength=10)
    drawn = int((shown >= SHARE_OF_A_DIGIT * len(made)).sum())
    values = {FID: float(fid(real, fake)), KID: 1000 * float(kid(real, fake)), CLASSES: drawn}
    for measure, value in values.items():
        yield Measurement(DIGITS, model, measure, seed, float(value))


def measure_on_mixture(
    preset: str, seeds: Sequence[int], *, device: torch.device | str, progress: bool
) -> Iterator[Measurement]:
    """Modes found, share of samples at one, exact transport distance, FID and KID to the truth.

    On a known mixture nothing has to be judged through features: `compare_on_mixture` computes
    the Wasserstein distance itself, FID and KID take the points as they are, and its row "data"
    says what a perfect generator would get.
    """
    for row in compare_on_mixture(preset, seeds=seeds, device=device, progress=progress):
        values = {
            MODES: row.modes,
            QUALITY: 100 * row.high_quality,
            TRANSPORT: row.transport,
            FID: row.fid,
            KID: 1000 * row.kid,
        }
        for measure, value in values.items():
            yield Measurement(MIXTURE, row.model, measure, row.seed, float(value))
