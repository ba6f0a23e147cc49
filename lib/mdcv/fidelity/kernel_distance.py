"""The kernel inception distance: a squared distance of means, in a space of cubic features."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from mdcv.errors import check_integer
from mdcv.fidelity.feature_checks import check_feature_sets

#: Entries of a kernel matrix that are held at once.
ENTRIES = 2**24


def kid(
    real_features: Float[Tensor, "n d"], fake_features: Float[Tensor, "m d"]
) -> Float[Tensor, ""]:
    """Squared maximum mean discrepancy under the cubic kernel, estimated without bias.

    KID = mean_{i≠j} k(rᵢ, rⱼ) + mean_{i≠j} k(fᵢ, fⱼ) − 2 mean_{i,j} k(rᵢ, fⱼ),
    k(x, y) = (x·y / D + 1)³

    The kernel is a scalar product of all products of up to three features, so the distance sees
    means, covariances and skewness, where `fid` stops at covariances. A sample is never paired
    with itself. That makes the expected value the true distance at every N, and it is why the
    estimate can be **negative** when the sets are close.

    Args:
        real_features, fake_features: one feature vector per row.

    Returns:
        A number in the features' dtype, computed in float64, with a gradient in both sets.

    Raises:
        ValueError: fewer than two samples in a set, dimensions, dtypes or devices differ, or an
            entry is not finite.

    Source: Bińkowski, Sutherland, Arbel and Gretton 2018, arXiv:1801.01401, section 4; the
    estimator: Gretton et al. 2012, equation 3. The paper averages over subsets of 1000 for
    lack of memory, which `kid_of_subsets` does; here all pairs count.

    >>> x = torch.tensor([[0.0], [2.0]])
    >>> kid(x, x + 1)                     # the four kernels by hand: 1 + 64 − (1 + 1 + 27 + 343)/2
    tensor(-121.)
    """
    check_feature_sets(
        real_features,
        fake_features,
        names=("real_features", "fake_features"),
        at_least=2,
        needed_for="an estimate without bias",
    )
    real, fake = real_features.double(), fake_features.double()
    n, m = len(real), len(fake)
    real_pairs = (_kernel_sum(real, real) - _own_kernel(real).sum()) / (n * (n - 1))
    fake_pairs = (_kernel_sum(fake, fake) - _own_kernel(fake).sum()) / (m * (m - 1))
    mixed_pairs = _kernel_sum(real, fake) / (n * m)
    return (real_pairs + fake_pairs - 2 * mixed_pairs).to(real_features.dtype)


def kid_of_subsets(
    real_features: Float[Tensor, "n d"],
    fake_features: Float[Tensor, "m d"],
    *,
    subsets: int = 100,
    size: int = 1000,
    generator: Generator | None = None,
) -> Float[Tensor, " subsets"]:
    """`kid` of random subsets, one value each: report their mean and their standard deviation.

    Args:
        subsets: how many.
        size: samples of either set in a subset, drawn without replacement.
        generator: the source of randomness, on the features' device.

    Raises:
        ValueError: as `kid`, or a subset is larger than a set.

    Source: Bińkowski et al. 2018, arXiv:1801.01401, section 4, where size is 1000.

    >>> x = torch.randn(50, 3)
    >>> kid_of_subsets(x, x + 1, subsets=4, size=20).shape
    torch.Size([4])
    """
    check_integer("subsets", subsets, low=1)
    check_integer("size", size, low=2, high=min(len(real_features), len(fake_features)))
    values = []
    for _ in range(subsets):
        chosen = [
            torch.randperm(len(features), generator=generator, device=features.device)[:size]
            for features in (real_features, fake_features)
        ]
        values.append(kid(real_features[chosen[0]], fake_features[chosen[1]]))
    return torch.stack(values)


def cubic_kernel(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """k(x, y) = (x·y / D + 1)³ for every pair.

    >>> cubic_kernel(torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0, 1.0], [1.0, -1.0]]))
    tensor([[8., 1.]])
    """
    return (x @ y.T / x.shape[1] + 1) ** 3


def _own_kernel(x: Tensor) -> Tensor:
    """k(x, x) for every row."""
    return (x.square().sum(dim=1) / x.shape[1] + 1) ** 3


def _kernel_sum(x: Tensor, y: Tensor) -> Tensor:
    """The sum over all pairs, a few rows at a time."""
    rows = max(1, ENTRIES // len(y))
    return torch.stack([cubic_kernel(some, y).sum() for some in x.split(rows)]).sum()
