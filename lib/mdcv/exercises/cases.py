"""Seeded inputs that hide nothing: random, of coprime sizes, never zeros or ones.

Arguments are data, so that a question can be asked in another process: tensors, numbers, text,
None, dtypes, tuples, lists and dicts of them, and the stand-ins below.

A wrong answer often equals the right one on a degenerate input (batch 1, equal sizes, zeros).
So the sizes of one question are pairwise coprime, batches hold at least two sets, and the same
seed gives the same questions on every machine.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from mdcv.seeds import generator

#: Batch, points of x, points of y, dimension: pairwise coprime, either cloud the larger one.
SIZES = (
    (2, 7, 5, 3),
    (3, 8, 5, 7),
    (2, 5, 11, 3),
    (3, 5, 7, 2),
    (2, 9, 7, 5),
    (3, 7, 11, 2),
    (4, 7, 9, 5),
    (2, 11, 7, 3),
    (3, 7, 8, 5),
    (4, 11, 7, 3),
)


@dataclass(frozen=True)
class Seeded:
    """Stands for a random generator: every call gets a fresh one with this seed."""

    seed: int


class Made:
    """Stands for an object that is built where the call happens, anew for every call.

    Args:
        maker: the name of a function in `mdcv.exercises.objects.MAKERS`.
        values: what it is built from; data, as arguments are.

    >>> Made("optimizer", of=Argument(0), lr=0.1)
    Made('optimizer', of, lr)
    """

    def __init__(self, maker: str, /, **values: Any) -> None:
        self.maker = maker
        self.values: Mapping[str, Any] = MappingProxyType(values)

    def __repr__(self) -> str:
        return f"Made({', '.join([repr(self.maker), *self.values])})"


@dataclass(frozen=True)
class Argument:
    """Stands for what another argument became: an optimizer names the network it belongs to.

    Args:
        of: the position of an earlier argument, or the name of an earlier option.
    """

    of: int | str


@dataclass(frozen=True, eq=False)
class Constant:
    """A tensor whose gradient is not asked for, in a question that asks for gradients."""

    value: Tensor


@dataclass(frozen=True, eq=False)
class Gram:
    """Becomes the symmetric matrix F Fᵀ of this factor; gradients are asked for F.

    The derivative for a matrix that must stay symmetric depends on how its two halves are read;
    that for its factor does not.
    """

    factor: Tensor


class Draw:
    """A source of random inputs for one part of one exercise.

    >>> a, b = Draw(0, "chamfer"), Draw(0, "chamfer")
    >>> bool(a.cloud(2, 5, 3).equal(b.cloud(2, 5, 3)))
    True
    """

    def __init__(self, seed: int, topic: str) -> None:
        mixed = (seed * 0x9E3779B97F4A7C15 + zlib.crc32(topic.encode())) % 2**63
        self._generator = generator(mixed)
        self._sizes = [SIZES[i] for i in self.order(len(SIZES))]

    def order(self, n: int) -> list[int]:
        """The numbers 0 to n − 1 in random order."""
        return torch.randperm(n, generator=self._generator).tolist()

    def integer(self, low: int, high: int) -> int:
        """A random integer from `low` to `high`, both included."""
        return int(torch.randint(low, high + 1, (), generator=self._generator))

    def sizes(self) -> tuple[int, int, int, int]:
        """Batch, N, M and D: the next row of the shuffled table of coprime sizes."""
        self._sizes.append(self._sizes.pop(0))
        return self._sizes[-1]

    def seeded(self) -> Seeded:
        """A generator for the function that is asked, the same at each call."""
        return Seeded(self.integer(0, 2**31))

    def tensor(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Normal numbers of this shape, drawn in float64 and rounded to `dtype`."""
        return torch.randn(*shape, generator=self._generator, dtype=torch.float64).to(dtype)

    def uniform(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Uniform numbers in [0, 1) of this shape."""
        return torch.rand(*shape, generator=self._generator, dtype=torch.float64).to(dtype)

    def cloud(
        self,
        batch: int,
        n: int,
        dimension: int,
        *,
        offset: float = 0.0,
        spread: float = 1.0,
        dtype: torch.dtype = torch.float64,
    ) -> Tensor:
        """A batch of clouds: the k-th of them 0.4 k wider, so that no two have one scale."""
        wider = 1.0 + 0.4 * torch.arange(batch, dtype=torch.float64)[:, None, None]
        return (offset + spread * wider * self.tensor(batch, n, dimension)).to(dtype)


def transposed_layout(values: Tensor) -> Tensor:
    """The same values, laid out in memory with the last two axes the other way round."""
    return values.transpose(-1, -2).contiguous().transpose(-1, -2)


def strided_layout(values: Tensor) -> Tensor:
    """The same values as every second row of a larger tensor."""
    padded = torch.full((*values.shape[:-2], 2 * values.shape[-2], values.shape[-1]), 7.25)
    padded = padded.to(values)
    padded[..., ::2, :] = values
    return padded[..., ::2, :]


def describe(values: Tensor) -> str:
    """Shape and dtype in words.

    >>> describe(torch.zeros(2, 5, 3))
    'a float32 tensor of shape (2, 5, 3)'
    """
    return f"a {str(values.dtype).removeprefix('torch.')} tensor of shape {tuple(values.shape)}"
