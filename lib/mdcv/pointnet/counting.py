"""How many different things went by: a count with constant memory, and the simplest set function.

A hash sends every item to a number in (0, 1) that looks drawn at random, and equal items to equal
numbers. The smallest number seen does not care about order or repetition: it is a maximum, taken of
-h(x). So the counter is f = γ(g(h(x_1), …, h(x_n))), with nothing learned.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from mdcv.errors import check_integer

# The constants of SplitMix64, as signed integers; products wrap around, as they should.
_GOLDEN, _FIRST, _SECOND = -7046029254386353131, -4658895280553007687, -7723592293110705685


def uniform_hash(items: Integer[Tensor, "*shape"], *, seed: int = 0) -> Float[Tensor, "*shape"]:
    """A number in (0, 1) for every integer: equal for equal ones, else as if drawn at random.

    Args:
        items: what to hash.
        seed: chooses the function; counts under different seeds err independently.

    Returns:
        Odd multiples of 2⁻⁵³, in float64: never 0 and never 1.

    Raises:
        ValueError: items is not a tensor of integers, or the seed is not an integer >= 0.

    Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators": the
    finalizer of SplitMix64, after a step of the golden ratio for each seed.

    >>> h = uniform_hash(torch.tensor([1, 2, 1]))
    >>> bool(h[0] == h[2]), bool(h[0] == h[1])
    (True, False)
    """
    if not isinstance(items, Tensor) or items.dtype not in _INTEGERS:
        came = items.dtype if isinstance(items, Tensor) else type(items).__name__
        raise ValueError(f"items is {came}; expected a tensor of integers")
    check_integer("seed", seed, low=0, high=2**31 - 1)
    z = _mixed(torch.full_like(items, seed, dtype=torch.int64) + _GOLDEN)
    z = _mixed((items.long() ^ z) + _GOLDEN)
    return (_shifted(z, 12).double() + 0.5) * 2.0**-52


class DistinctCounter:
    """Counts the different integers in a stream, holding the k smallest hashes and nothing else.

    estimate = 1 / h_(1) for k = 1,   (k - 1) / h_(k) for k >= 2

    h_(j) is the j-th smallest hash. With n different items it is a Beta(j, n + 1 - j) variable. So
    for k >= 3 the mean of the estimate is n and its standard error √(n (n - k + 1) / (k - 2)),
    about n / √(k - 2). For k = 2 the error is infinite, for k = 1 the mean is, too, and half of all
    estimates exceed 1.44 n. With fewer than k different items the count is exact.

    Args:
        k: how many hashes to hold, 1 or more.
        seed: of the hash.

    Raises:
        ValueError: k or seed is out of range, or what is added is not a tensor of integers.

    Source: Bar-Yossef, Jayram, Kumar, Sivakumar and Trevisan 2002, "Counting distinct elements in a
    data stream", first algorithm; the unbiased form (k - 1) / h_(k) is Giroire's (2009).

    >>> counter = DistinctCounter(k=64)
    >>> for chunk in torch.arange(6).repeat(100).split(7):
    ...     counter.add(chunk)
    >>> counter.estimate()
    6.0
    """

    def __init__(self, k: int = 1, *, seed: int = 0) -> None:
        check_integer("k", k, low=1)
        check_integer("seed", seed, low=0, high=2**31 - 1)
        self.k, self.seed = k, seed
        self.smallest = torch.empty(0, dtype=torch.float64)

    def add(self, items: Integer[Tensor, "*shape"]) -> None:
        """Lets more of the stream go by."""
        self._keep(uniform_hash(items, seed=self.seed).flatten().cpu())

    def merge(self, other: DistinctCounter) -> None:
        """Takes in what another counter has seen, as if both streams had gone by here.

        Raises:
            ValueError: the other counter has another k or another seed.
        """
        if (other.k, other.seed) != (self.k, self.seed):
            raise ValueError(
                f"the other counter has k {other.k}, seed {other.seed}; expected k {self.k}, "
                f"seed {self.seed}"
            )
        self._keep(other.smallest)

    def estimate(self) -> float:
        """How many different items have gone by, about; 0 before the first."""
        seen = len(self.smallest)
        if seen < self.k:
            return float(seen)
        return max(self.k - 1, 1) / float(self.smallest[-1])

    def _keep(self, hashes: Tensor) -> None:
        self.smallest = torch.cat([self.smallest, hashes]).unique(sorted=True)[: self.k].clone()


def distinct_count(stream: Tensor | Iterable[Tensor], *, k: int = 1, seed: int = 0) -> float:
    """How many different integers a stream holds, about: see `DistinctCounter`.

    Args:
        stream: a tensor of integers, or an iterable of such tensors, read once.
        k: how many hashes to hold; 1 is the plain 1 / min h(x).
        seed: of the hash.

    Raises:
        ValueError: k or seed is out of range, or the stream does not hold integers.

    >>> distinct_count(torch.tensor([5, 5, 7, 5, 7]), k=8)
    2.0
    """
    counter = DistinctCounter(k, seed=seed)
    for items in (stream,) if isinstance(stream, Tensor) else stream:
        counter.add(items)
    return counter.estimate()


_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def _shifted(z: Tensor, bits: int) -> Tensor:
    """Shift to the right that brings zeros in, not copies of the sign."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)


def _mixed(z: Tensor) -> Tensor:
    """The finalizer: every bit of z goes into every bit of the result."""
    z = (z ^ _shifted(z, 30)) * _FIRST
    z = (z ^ _shifted(z, 27)) * _SECOND
    return z ^ _shifted(z, 31)
