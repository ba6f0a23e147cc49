"""Exact log-likelihood of images, and its unit: bits per dimension."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from mdcv.errors import check_integer, check_tensor


def to_levels(images: Float[Tensor, "b c h w"], levels: int) -> Int[Tensor, "b c h w"]:
    """Which of the `levels` equally spaced values from 0 to 1 each entry is.

    Raises:
        ValueError: an entry lies between the values, outside [0, 1], or is NaN: a model of
            discrete images has no probability for it.

    >>> to_levels(torch.tensor([0.0, 0.5, 1.0]).view(1, 1, 1, 3), 3).flatten()
    tensor([0, 1, 2])
    """
    check_tensor("images", images, ndim=4, layout="(B, C, H, W)")
    check_integer("levels", levels, low=2)
    scaled = images.detach() * (levels - 1)
    nearest = scaled.round()
    on_grid = (scaled - nearest).abs() <= 1e-3  # NaN is on no grid
    valid = on_grid & (nearest >= 0) & (nearest < levels)
    if not bool(valid.all()):
        example = images[~valid].flatten()[0].item()
        raise ValueError(
            f"images holds {example:.6g}; expected one of the {levels} values 0, "
            f"{1 / (levels - 1):.4g}, ..., 1"
        )
    return nearest.long()


def log_likelihood(
    logits: Float[Tensor, "b l c h w"], targets: Int[Tensor, "b c h w"]
) -> Float[Tensor, " b"]:
    """log p(x), one number per image in nats: log-probabilities of the right levels, summed.

    log p(x) = Σ_i log softmax(logits_i)[x_i],  where logits_i may depend on x_1, ..., x_{i−1} only

    The sum is a log-likelihood because of that last condition. Nothing here can check it.

    Args:
        logits: for every level of every entry, not normalized.
        targets: the levels, from 0.

    Raises:
        ValueError: shapes do not fit together, or a target is not a level.

    >>> uniform = torch.zeros(1, 2, 1, 3, 3)
    >>> one = log_likelihood(uniform, torch.ones(1, 1, 3, 3, dtype=torch.long)).exp()
    >>> (512 * one).round(decimals=4)
    tensor([1.])
    """
    check_tensor("logits", logits, ndim=5, layout="(B, L, C, H, W)")
    expected = (logits.shape[0], *logits.shape[2:])
    if tuple(targets.shape) != expected or targets.dtype != torch.int64:
        raise ValueError(
            f"targets has shape {tuple(targets.shape)} and dtype {targets.dtype}; expected "
            f"{expected} and torch.int64"
        )
    levels = logits.shape[1]
    if targets.numel() and not 0 <= int(targets.min()) <= int(targets.max()) < levels:
        raise ValueError(
            f"targets reach from {int(targets.min())} to {int(targets.max())}; expected levels "
            f"from 0 to {levels - 1}"
        )
    return -functional.cross_entropy(logits, targets, reduction="none").flatten(1).sum(dim=1)


def bits_per_dimension(
    log_probability: Float[Tensor, " *b"], dimensions: int
) -> Float[Tensor, " *b"]:
    """The length of an ideal code for an image, in bits per entry: −log₂ p(x) / D.

    Args:
        log_probability: in nats.
        dimensions: entries of an image, channels × height × width.

    Returns:
        0 for certainty, log₂ L for a uniform guess among L levels: 8 for 8-bit images. The
        density of *continuous* images has no such scale, and can be of either sign.

    >>> bits_per_dimension(torch.tensor([-9 * torch.tensor(2.0).log()]), 9)
    tensor([1.])
    """
    check_integer("dimensions", dimensions, low=1)
    return -log_probability / (dimensions * math.log(2))
