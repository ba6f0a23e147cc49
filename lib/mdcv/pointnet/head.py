"""γ: from a feature to one logit per class."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from mdcv.errors import check_integer, check_number
from mdcv.pointnet.doors import check_sizes
from mdcv.pointnet.perceptron import PointMLP


def classifier_head(
    sizes: Sequence[int],
    num_classes: int,
    dropout: float | int,
    rng: torch.Generator | None,
    *,
    norm: bool = False,
) -> nn.Sequential:
    """Hidden layers, dropout, one logit per class.

    Raises:
        ValueError: a size is not an integer >= 1, or dropout is not in [0, 1).
    """
    check_integer("num_classes", num_classes, low=1)
    check_number("dropout", dropout)
    if dropout >= 1:
        raise ValueError(f"dropout is {dropout!r}; expected a number in [0, 1)")
    sizes = check_sizes("head", list(sizes))
    hidden = [PointMLP(sizes, norm=norm, rng=rng)] if len(sizes) > 1 else []
    last = PointMLP([sizes[-1], num_classes], norm=False, linear_end=True, rng=rng)
    return nn.Sequential(*hidden, nn.Dropout(dropout), last)
