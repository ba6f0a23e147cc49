"""Precision and recall of a generator: who lies in whose neighborhood."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mdcv.errors import check_integer
from mdcv.fidelity.feature_checks import check_feature_sets

#: Entries of a distance matrix that are held at once.
ENTRIES = 2**24


class PrecisionRecall(NamedTuple):
    """What `precision_and_recall` returns, both from 0 to 1."""

    precision: float
    recall: float


class FeatureNeighbors(NamedTuple):
    """What `nearest_references` returns."""

    distances: Float[Tensor, "n k"]
    indices: Int[Tensor, "n k"]


@torch.no_grad()
def precision_and_recall(
    real_features: Float[Tensor, "n d"], fake_features: Float[Tensor, "m d"], *, k: int = 3
) -> PrecisionRecall:
    """The share of fakes that look real, and the share of reals that the generator can make.

    Each sample gets a ball that reaches to its k-th nearest neighbor in its own set; the balls
    together are the set's manifold. Precision is the share of fakes inside the manifold of the
    reals, recall the share of reals inside that of the fakes.

    A generator that makes one perfect image has precision 1 and recall near 0; one that makes
    everything and noise besides has it the other way round. A Fréchet distance adds the two
    failures into one number.

    **One outlier in a set has a huge ball**, which may take in what does not belong there; and
    the balls depend on N and M. Compare at equal sizes only.

    Args:
        real_features, fake_features: one feature vector per row.
        k: the neighbor that a ball reaches to, itself not counted.

    Raises:
        ValueError: a set has fewer than k + 1 samples, dimensions, dtypes or devices differ, or
            an entry is not finite.

    Source: Kynkäänniemi, Karras, Laine, Lehtinen and Aila 2019, arXiv:1904.06991, equations 1
    and 2, with k = 3 as there.

    >>> real = torch.tensor([[0.0], [1.0], [10.0], [11.0]])
    >>> precision_and_recall(real, torch.tensor([[0.5], [0.7]]), k=1)
    PrecisionRecall(precision=1.0, recall=0.0)
    """
    check_integer("k", k, low=1)
    check_feature_sets(
        real_features,
        fake_features,
        names=("real_features", "fake_features"),
        at_least=k + 1,
        needed_for=f"a {k}-th neighbor",
    )
    inside_real = in_manifold(fake_features, real_features, k=k)
    inside_fake = in_manifold(real_features, fake_features, k=k)
    return PrecisionRecall(inside_real.double().mean().item(), inside_fake.double().mean().item())


@torch.no_grad()
def in_manifold(
    queries: Float[Tensor, "n d"], references: Float[Tensor, "m d"], *, k: int = 3
) -> Bool[Tensor, " n"]:
    """Which queries lie within the ball of at least one reference.

    The ball of a reference reaches to the k-th nearest *other* reference, its edge included.

    Args:
        queries, references: one feature vector per row.
        k: the neighbor that a ball reaches to.

    Raises:
        ValueError: as `precision_and_recall`.

    >>> in_manifold(torch.tensor([[1.5], [4.0]]), torch.tensor([[0.0], [2.0], [3.0]]), k=1)
    tensor([True, True])
    """
    check_integer("k", k, low=1)
    check_feature_sets(
        queries, references, names=("queries", "references"), at_least=1, needed_for="a distance"
    )
    check_integer("k", k, low=1, high=len(references) - 1)
    center = references.double().mean(dim=0)
    x, y = queries.double() - center, references.double() - center
    rows = _rows(y)
    # Each reference is its own nearest, at distance 0: the k-th other one is number k + 1.
    radii = torch.cat([_squared(some, y).kthvalue(k + 1, dim=1).values for some in y.split(rows)])
    edge = radii + 1e-12 * y.square().sum(dim=1).amax()  # what lies on it stays in when rounded
    return torch.cat([(_squared(some, y) <= edge).any(dim=1) for some in x.split(rows)])


@torch.no_grad()
def nearest_references(
    queries: Float[Tensor, "n d"], references: Float[Tensor, "m d"], *, k: int = 1
) -> FeatureNeighbors:
    """For every query the k nearest references: distances, ascending, and indices.

    With generated images as queries and the training set as references it shows what a generator
    has memorized: such images lie much closer to the training set than held-out ones do.

    Args:
        queries, references: one feature vector per row.
        k: how many.

    Returns:
        Euclidean distances in the features' unit and dtype, and rows of `references`.

    Raises:
        ValueError: k is out of range, dimensions, dtypes or devices differ, or an entry is not
            finite.

    >>> nearest_references(torch.tensor([[4.0]]), torch.tensor([[0.0], [3.0]])).indices
    tensor([[1]])
    """
    check_feature_sets(
        queries, references, names=("queries", "references"), at_least=1, needed_for="a distance"
    )
    check_integer("k", k, low=1, high=len(references))
    center = references.double().mean(dim=0)
    x, y = queries.double() - center, references.double() - center
    indices = torch.cat(
        [_squared(some, y).topk(k, dim=1, largest=False).indices for some in x.split(_rows(y))]
    )
    # From differences, so that an exact copy is at distance 0 and not at the root of a rounding.
    distances = torch.stack([(x - y[column]).norm(dim=1) for column in indices.T], dim=1)
    distances, order = distances.sort(dim=1, stable=True)
    return FeatureNeighbors(distances.to(queries.dtype), indices.gather(1, order))


def _rows(y: Tensor) -> int:
    """How many queries at a time, so that memory does not grow with their number."""
    return max(1, ENTRIES // len(y))


def _squared(x: Tensor, y: Tensor) -> Tensor:
    """Squared distances, from the expanded square of centered features, in float64."""
    products = x @ y.T
    return x.square().sum(1, keepdim=True) + y.square().sum(1) - 2 * products
