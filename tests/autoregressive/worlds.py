"""Every image of a tiny size, models in float64, and the table a causal model must show."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from mdcv.autoregressive import PixelCNN, PixelModel, PixelRNN, PlainPixelCNN


def all_images(colors: int, height: int, width: int, levels: int = 2) -> Tensor:
    """Each of the levels^(colors · height · width) images once, in float64."""
    values = [k / (levels - 1) for k in range(levels)]
    entries = itertools.product(values, repeat=colors * height * width)
    return torch.tensor(list(entries), dtype=torch.float64).view(-1, colors, height, width)


def models(colors: int = 1, levels: int = 2, *, seed: int = 0) -> dict[str, PixelModel]:
    """One of each kind, with random weights large enough to make a lively distribution."""
    torch.manual_seed(seed)
    channels = 2 * colors
    built = {
        "gated": PixelCNN(colors, levels, channels=3 * channels, blocks=2),
        "plain": PlainPixelCNN(colors, levels, channels=3 * channels, layers=2),
        "rnn": PixelRNN(colors, levels, channels=3 * channels, layers=1),
    }
    with torch.no_grad():
        for model in built.values():
            for weight in model.double().parameters():
                weight.mul_(2.0)
    return built


def earlier(n: int) -> Tensor:
    """True strictly below the diagonal: an entry may see those before it, and no other."""
    return torch.ones(n, n, dtype=torch.bool).tril(-1)
