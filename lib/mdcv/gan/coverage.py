"""How many modes of a known mixture a generator has found, and how often it hits one."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mdcv.data import Mixture
from mdcv.errors import check_finite, check_integer, check_number, check_tensor


class ModeCoverage(NamedTuple):
    """What `mode_coverage` returns: two numbers that fail in different ways, and the evidence."""

    modes: int
    high_quality: float
    counts: Int[Tensor, " k"]


def mode_coverage(
    samples: Float[Tensor, "n d"],
    mixture: Mixture,
    *,
    within: float | int = 3.0,
    at_least: int = 1,
) -> ModeCoverage:
    """How many modes have samples, which share of the samples lies at a mode, and counts per mode.

    A sample is of high quality if it lies within 3 σ of its nearest center; a mode is found if it
    has such a sample. A generator that repeats one perfect point has high quality and one mode; one
    that smears over the plane has all modes and low quality. Neither number replaces the other.

    Args:
        samples: points from the generator.
        mixture: the truth. In the plane 98.9 % of its own samples lie within 3 σ.
        within: how far from a center still counts, in σ.
        at_least: how many samples of high quality a mode needs to count as found.

    Returns:
        `modes`, from 0 to K; `high_quality`, from 0 to 1; `counts`, samples of high quality for
        each mode, in the order of its centers.

    Raises:
        ValueError: no samples, NaN or infinity, another dimension than the mixture's, or an option
            out of range.

    Source: Srivastava and others 2017 (VEEGAN), arXiv:1705.07761.

    >>> from mdcv.data import grid_mixture
    >>> truth = grid_mixture(2)
    >>> mode_coverage(truth.centers[[0, 0, 3]] + torch.tensor([[0.0], [0.1], [9.0]]), truth)
    ModeCoverage(modes=1, high_quality=0.666..., counts=tensor([2, 0, 0, 0]))
    """
    check_tensor("samples", samples, ndim=2, layout="(N, D)")
    modes, dimension = mixture.centers.shape
    if samples.shape[1] != dimension or len(samples) == 0:
        raise ValueError(
            f"samples has shape {tuple(samples.shape)}; expected (N, {dimension}) with N >= 1"
        )
    check_finite("samples", samples)
    check_number("within", within)
    check_integer("at_least", at_least, low=1)
    nearest, distance = mixture.nearest_mode(samples)
    good = nearest[distance <= within * mixture.std]
    counts = torch.bincount(good, minlength=modes)
    return ModeCoverage(int((counts >= at_least).sum()), len(good) / len(samples), counts)
