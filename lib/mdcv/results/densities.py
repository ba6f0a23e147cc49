"""Models with a density, on black and white digits: whose code for a new digit is shortest?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mdcv.autoregressive import PixelCNN, bits_per_dimension
from mdcv.data import digits
from mdcv.results.measurement import Measurement
from mdcv.seeds import generator
from mdcv.train import draw_batch, train
from mdcv.vae import VAE, importance_weighted_bound, log_weights, train_vae

INK = "digits, black and white"
#: All three are lengths of a code for a held-out digit; the first two are upper bounds of it.
ELBO, IWAE, EXACT = "ELBO, bits per pixel", "IWAE bound, bits per pixel", "bits per pixel"


@dataclass(frozen=True)
class DensitySizes:
    """How large the models are, how long they train, and how many draws tighten the bound."""

    vae_steps: int
    vae_hidden: int
    pixel_steps: int
    pixel_channels: int
    pixel_blocks: int
    draws: int


SIZES = {
    "smoke": DensitySizes(3, 16, 3, 8, 1, 4),
    "cpu": DensitySizes(2000, 256, 600, 32, 4, 256),
    "gpu": DensitySizes(20_000, 512, 10_000, 64, 8, 5000),
}


def ink(*, held_out: bool) -> Tensor:
    """The digits with every pixel black or white: on where more than half of it holds ink."""
    return (digits(held_out=held_out)[0] > 0.5).float()


def measure_densities(
    preset: str, seeds: Sequence[int], *, device: torch.device | str, progress: bool
) -> Iterator[Measurement]:
    """ELBO and IWAE bound of a VAE, and the exact likelihood of a PixelCNN, on held-out digits.

    All in bits per pixel, smaller is better: the scale on which a bound and a likelihood of the
    same images may stand side by side.
    """
    sizes = SIZES[preset]
    seen, unseen = (ink(held_out=held_out).to(device) for held_out in (False, True))
    for seed in seeds:
        for measure, value in _vae(sizes, seen, unseen, seed, progress).items():
            yield Measurement(INK, "VAE", measure, seed, value)
    for seed in seeds:
        yield Measurement(
            INK, "PixelCNN", EXACT, seed, _pixel_cnn(sizes, seen, unseen, seed, progress)
        )


def _vae(
    sizes: DensitySizes, seen: Tensor, unseen: Tensor, seed: int, progress: bool
) -> dict[str, float]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vae = VAE((1, 8, 8), hidden=(sizes.vae_hidden, sizes.vae_hidden)).to(seen)
    train_vae(vae, seen, steps=sizes.vae_steps, seed=seed, progress=progress)
    with torch.no_grad():
        weights = log_weights(vae, unseen, sizes.draws, generator=generator(seed, seen.device))
    return {ELBO: _bits(weights.mean(dim=0)), IWAE: _bits(importance_weighted_bound(weights))}


def _pixel_cnn(
    sizes: DensitySizes, seen: Tensor, unseen: Tensor, seed: int, progress: bool
) -> float:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = PixelCNN(channels=sizes.pixel_channels, blocks=sizes.pixel_blocks).to(seen)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, sizes.pixel_steps)

    def step(_: int, source: torch.Generator) -> dict[str, Tensor]:
        loss = -model.log_prob(draw_batch(64, seen, generator=source)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        return {"nats": loss}

    train(
        step,
        sizes.pixel_steps,
        seed=seed,
        device=seen.device,
        progress=progress,
        name="training the PixelCNN",
    )
    with torch.no_grad():
        return _bits(model.log_prob(unseen))


def _bits(log_probability: Tensor) -> float:
    return bits_per_dimension(log_probability, 64).mean().item()
