"""Plain building blocks for the right and wrong variants: tables of distances, and a door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def refusing(
    function: Callable[..., Tensor],
    *,
    empty: bool = True,
    equal: bool = False,
    batch: bool = True,
    option: bool = True,
) -> Callable[..., Tensor]:
    """The function behind a plain door, for variants that differ elsewhere.

    `equal` also refuses sets of unequal size; `empty`, `batch` and `option` turned off let empty
    sets, unequal batches and unknown options through.
    """

    def guarded(x: Tensor, y: Tensor, **options: Any) -> Tensor:
        if x.ndim != 3 or y.ndim != 3 or x.shape[2] != y.shape[2]:
            raise ValueError(f"shapes {tuple(x.shape)} and {tuple(y.shape)} do not fit together")
        if x.shape[0] != y.shape[0] and (batch or 1 not in (x.shape[0], y.shape[0])):
            raise ValueError(f"batches of {x.shape[0]} and {y.shape[0]}")
        if empty and 0 in (x.shape[1], y.shape[1]):
            raise ValueError("empty set")
        if equal and x.shape[1] != y.shape[1]:
            raise ValueError("sets of unequal size")
        if option and options.get("reduction", "sum") not in ("sum", "mean"):
            raise ValueError("unknown reduction")
        return function(x, y, **options)

    return guarded


def distances(x: Tensor, y: Tensor) -> Tensor:
    """(B, N, M) distances by subtraction, with a gradient of zero at distance zero."""
    return torch.linalg.vector_norm(x[:, :, None] - y[:, None], dim=-1)


def squares(x: Tensor, y: Tensor) -> Tensor:
    """(B, N, M) squared distances by subtraction."""
    return (x[:, :, None] - y[:, None]).square().sum(dim=-1)


def expanded_squares(x: Tensor, y: Tensor) -> Tensor:
    """(B, N, M) squared distances as |x|² − 2xy + |y|², which cancels far from the origin."""
    return x.square().sum(2)[:, :, None] + y.square().sum(2)[:, None] - 2 * x @ y.mT


def between_centers(x: Tensor, y: Tensor) -> Tensor:
    """(B,) distances between the means of the sets."""
    return torch.linalg.vector_norm(x.mean(1) - y.mean(1), dim=1)
