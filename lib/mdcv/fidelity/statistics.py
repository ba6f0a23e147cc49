"""Mean and covariance of features that arrive in batches, or on several machines."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.errors import check_finite, check_integer, check_tensor

#: Rows that are centered and multiplied at once; bounds the float64 copy of a large batch.
ROWS = 4096


class FeatureStatistics:
    """Running mean and covariance of feature vectors, in float64, for any number of them.

    Two sets with counts n and m, means a and b and scatter matrices S and T (sums of outer
    products of deviations) join into

        count n + m,  mean a + (b − a) m/(n+m),  scatter S + T + (b − a)(b − a)ᵀ nm/(n+m).

    Only deviations from a mean are ever squared, so nothing cancels for features far from the
    origin, and sets may be joined in any order: results agree up to rounding. No graph is kept.
    The numbers live where the first features lived.

    Args:
        dim: the length D of a feature vector.

    Source: Chan, Golub and LeVeque 1979, "Updating formulae and a pairwise algorithm for
    computing sample variances".

    >>> statistics = FeatureStatistics(2)
    >>> _ = statistics.update(torch.tensor([[0.0, 0.0], [2.0, 0.0]]))
    >>> _ = statistics.update(torch.tensor([[1.0, 3.0]]))
    >>> statistics.count, statistics.mean
    (3, tensor([1., 1.], dtype=torch.float64))
    >>> statistics.cov
    tensor([[1., 0.],
            [0., 3.]], dtype=torch.float64)
    """

    def __init__(self, dim: int) -> None:
        check_integer("dim", dim, low=1)
        self.dim = dim
        self.count = 0
        self._mean: Tensor | None = None
        self._scatter: Tensor | None = None

    @property
    def mean(self) -> Float[Tensor, " d"]:
        """The mean of all features so far, in float64; refused before there are any."""
        if self._mean is None:
            raise ValueError("no features so far; expected at least one for a mean")
        return self._mean.clone()

    @property
    def cov(self) -> Float[Tensor, "d d"]:
        """The covariance with N − 1, in float64; refused for fewer than two samples."""
        if self._scatter is None or self.count < 2:
            raise ValueError(f"{self.count} features so far; expected at least 2 for a covariance")
        return self._scatter / (self.count - 1)

    @torch.no_grad()
    def update(self, features: Float[Tensor, "n d"]) -> FeatureStatistics:
        """Takes a batch of feature vectors in, and returns the statistics themselves.

        Args:
            features: one feature vector per row, of any floating-point dtype; no rows is fine.

        Raises:
            ValueError: the shape is not (N, dim), an entry is not finite, or the features are on
                another device than those before. Nothing has been taken in then.
        """
        check_tensor("features", features, ndim=2, layout=f"(N, {self.dim})")
        if features.shape[1] != self.dim:
            raise ValueError(
                f"features has shape {tuple(features.shape)}; expected (N, {self.dim})"
            )
        if self._mean is not None and features.device != self._mean.device:
            raise ValueError(
                f"features is on {features.device}; expected {self._mean.device} as those before"
            )
        check_finite("features", features)
        for rows in features.split(ROWS):
            if len(rows):
                rows = rows.to(torch.float64)
                mean = rows.mean(dim=0)
                centered = rows - mean
                self._join(len(rows), mean, centered.T @ centered)
        return self

    @torch.no_grad()
    def merge(self, other: FeatureStatistics) -> FeatureStatistics:
        """Takes everything in that `other` has seen, and returns the statistics themselves.

        `other` stays as it is. It may live on another device.

        Raises:
            ValueError: `other` holds no feature statistics, or those of another dimension.
        """
        if not isinstance(other, FeatureStatistics):
            raise ValueError(f"other is {type(other).__name__}; expected FeatureStatistics")
        if other.dim != self.dim:
            raise ValueError(f"other has dim {other.dim}; expected {self.dim}")
        if other._mean is not None and other._scatter is not None:
            self._join(other.count, other._mean, other._scatter)
        return self

    def _join(self, count: int, mean: Tensor, scatter: Tensor) -> None:
        if self._mean is None or self._scatter is None:
            self.count, self._mean, self._scatter = count, mean, scatter
            return
        shift = mean.to(self._mean.device) - self._mean
        total = self.count + count
        between = torch.outer(shift, shift) * (self.count * count / total)
        self._scatter = self._scatter + scatter.to(self._scatter.device) + between
        self._mean = self._mean + shift * (count / total)
        self.count = total

    def __repr__(self) -> str:
        return f"FeatureStatistics(dim={self.dim}, count={self.count})"
