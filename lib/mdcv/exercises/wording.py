"""Puts numbers and differences into words that fit in a table or a sentence."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mdcv.exercises.cases import describe


def distance_in_words(yours: Tensor, theirs: Tensor) -> str:
    """How far off, without the answer: how many entries, and by how much at most."""
    a, b = yours.to(torch.float64).flatten(), theirs.to(torch.float64).flatten()
    off = ~torch.isclose(a, b, rtol=1e-5, atol=1e-6, equal_nan=True)
    if not theirs.dtype.is_floating_point:
        return f"{int(off.sum())} of {len(a)} entries differ"
    words = f"{int(off.sum())} of {len(a)} entries are off"
    if bool((a.isfinite() != b.isfinite()).any()):
        return f"{words}, some infinite or NaN where the right one is not, or the other way round"
    gap = ((a - b).abs() / b.abs().clamp(min=1e-12))[off & b.isfinite()]
    if len(gap) == 0:  # infinite both, with the other sign
        return words
    worst = gap.max().item()
    size = f"{100 * worst:.2g} %" if worst < 0.995 else f"{worst:.3g} times the right value"
    return f"{words}, by up to {size}"


def side_by_side(yours: Tensor, theirs: Tensor) -> tuple[str, str]:
    """Both tensors as text; when they are long, from the first entry that differs."""
    a, b = yours.detach().flatten(), theirs.detach().flatten()
    first = 0
    if len(b) > 8:
        wide, other = a.to(torch.float64), b.to(torch.float64)
        off = ~torch.isclose(wide, other, rtol=1e-5, atol=1e-6, equal_nan=True)
        first = int(off.nonzero()[0]) if bool(off.any()) else 0
    where = f"from entry {_index(first, theirs)}: " if first else ""
    return where + numbers(a[first:]), where + numbers(b[first:])


def _index(flat: int, like: Tensor) -> str:
    position = []
    for size in reversed(like.shape):
        position.append(flat % size)
        flat //= size
    return "[" + ", ".join(map(str, reversed(position))) + "]"


def numbers(values: Tensor, most: int = 8) -> str:
    """The first few entries as text.

    >>> numbers(torch.arange(3))
    '0, 1, 2'
    """
    flat = values.detach().flatten()
    show: Callable[[float], str] = (
        (lambda v: f"{v:.6g}") if flat.dtype.is_floating_point else (lambda v: str(v))
    )
    head = ", ".join(show(v) for v in flat[:most].tolist())
    return head + (", …" if len(flat) > most else "") or describe(values)


def short(dtype: torch.dtype) -> str:
    """The name of a dtype without its package."""
    return str(dtype).removeprefix("torch.")
