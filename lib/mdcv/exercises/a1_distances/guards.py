"""Plain doors for the right and wrong variants, which differ behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Rows = Callable[[Tensor, Tensor], Tensor]


def of_rows(function: Rows, *, sums: bool = True, signs: bool = True, shapes: bool = True) -> Rows:
    """The function behind a door that refuses what is no pair of distributions.

    `sums`, `signs` and `shapes` turned off let unnormalized rows, negative entries, and shapes that
    broadcast through.
    """

    def guarded(p: Tensor, q: Tensor) -> Tensor:
        if p.shape != q.shape and (shapes or p.shape[-1] != q.shape[-1]):
            raise ValueError(f"p has shape {tuple(p.shape)}, q {tuple(q.shape)}")
        for rows in (p, q):
            if signs and not bool((rows >= 0).all()):
                raise ValueError("a probability is negative")
            if sums and not bool(((rows.sum(-1) - 1).abs() <= 1e-4).all()):
                raise ValueError("a row does not sum to 1")
        return function(p, q)

    return guarded


def of_samples(
    function: Callable[..., Tensor],
    *,
    shapes: bool = True,
    sizes: bool = True,
    empty: bool = True,
    order: bool = True,
) -> Callable[..., Tensor]:
    """The function behind a door that refuses what are no samples of one size.

    `shapes` off lets batches broadcast, `sizes` off cuts the longer sample, `empty` off answers 0,
    `order` off lets p < 1 through.
    """

    def guarded(x: Tensor, y: Tensor, *, p: float = 1) -> Tensor:
        if x.shape[-1] != y.shape[-1] and not sizes:
            n = min(x.shape[-1], y.shape[-1])
            x, y = x[..., :n], y[..., :n]
        if x.shape != y.shape and (shapes or x.shape[-1] != y.shape[-1]):
            raise ValueError(f"x has shape {tuple(x.shape)}, y {tuple(y.shape)}")
        if order and not p >= 1:
            raise ValueError(f"p is {p}")
        if x.shape[-1] == 0:
            if empty:
                raise ValueError("a sample is empty")
            return x.sum(dim=-1)
        return function(x, y, p=p)

    return guarded


def of_embeddings(
    function: Callable[..., Tensor],
    *,
    batch: bool = True,
    empty: bool = True,
    same: bool = True,
    margin: bool = True,
) -> Callable[..., Tensor]:
    """The function behind a door that refuses what are no batches of embeddings.

    `batch` off lets a single row stand for all, `empty` off answers 0, `same` off lets labels of
    another shape through, `margin` off lets a negative margin through.
    """

    def guarded(*inputs: Tensor, **options: Any) -> Tensor:
        sets = [value for value in inputs if value.dtype != torch.bool]
        for value in sets:
            if value.ndim != 2 or value.shape[1] != sets[0].shape[1]:
                raise ValueError(f"shapes {[tuple(v.shape) for v in sets]}")
            if len(value) != len(sets[0]) and (batch or 1 not in (len(value), len(sets[0]))):
                raise ValueError("batches of different size")
        labels = [value for value in inputs if value.dtype == torch.bool]
        if same and any(value.shape != sets[0].shape[:1] for value in labels):
            raise ValueError("same has another shape")
        if margin and options.get("margin", 1.0) < 0:
            raise ValueError("negative margin")
        if len(sets[0]) == 0:
            if empty:
                raise ValueError("no embeddings")
            return sets[0].sum()
        return function(*inputs, **options)

    return guarded
