"""The generative half of the course in one table, and what the papers say it should show."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from mdcv.results.adversaries import (
    CLASSES,
    DIGITS,
    FID,
    MIXTURE,
    MODES,
    TRANSPORT,
    measure_on_digits,
    measure_on_mixture,
)
from mdcv.results.densities import ELBO, EXACT, INK, IWAE, measure_densities
from mdcv.results.expectation import Expectation
from mdcv.results.measurement import Measurement
from mdcv.results.table import measure_all

BURDA = "Burda, Grosse and Salakhutdinov 2016, theorem 1"
OORD = "van den Oord, Kalchbrenner and Kavukcuoglu 2016, table 4"
ARJOVSKY = "Arjovsky, Chintala and Bottou 2017, section 4.3"
GULRAJANI = "Gulrajani and others 2017, figure 1 and section 5"

#: What to expect, and from where.
GENERATIVE = (
    Expectation(INK, ("VAE", IWAE), "<", ("VAE", ELBO), BURDA),
    Expectation(INK, ("PixelCNN", EXACT), "<", ("VAE", IWAE), OORD),
    Expectation(DIGITS, ("WGAN-GP", FID), "<", ("WGAN", FID), GULRAJANI),
    Expectation(DIGITS, ("WGAN-GP", CLASSES), ">=", ("GAN", CLASSES), ARJOVSKY),
    Expectation(MIXTURE, ("WGAN-GP", TRANSPORT), "<", ("WGAN", TRANSPORT), GULRAJANI),
    Expectation(MIXTURE, ("WGAN-GP", MODES), ">=", ("GAN", MODES), ARJOVSKY),
)


def reproduce_generative(
    preset: str = "cpu",
    *,
    seeds: Sequence[int] = (0, 1, 2),
    device: torch.device | str = "cpu",
    progress: bool = True,
) -> list[Measurement]:
    """Every number of the table: VAE and PixelCNN by density, three adversarial games by samples.

    Each model is trained once a seed, from the data to the number; nothing is loaded.

    Args:
        preset: "smoke" for a second, "cpu" for minutes, "gpu" for the papers' sizes.
        seeds: one run of every model for each.
        device: where the networks train.
        progress: whether every training shows a line.

    Raises:
        ValueError: the preset is unknown, or there is no seed.

    >>> rows = reproduce_generative("smoke", seeds=[0], progress=False)
    >>> sorted({row.model for row in rows} - {"data", "held-out data"})
    ['GAN', 'PixelCNN', 'VAE', 'WGAN', 'WGAN-GP']
    """
    parts = (measure_densities, measure_on_digits, measure_on_mixture)
    return measure_all(parts, preset, seeds=seeds, device=device, progress=progress)
