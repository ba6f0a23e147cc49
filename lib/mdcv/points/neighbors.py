"""The k nearest neighbors of every point, with distances that have a gradient."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from mdcv.errors import check_clouds, check_integer
from mdcv.kernels.arithmetic import widened
from mdcv.kernels.nearest_neighbors import find_nearest_neighbors


class Neighbors(NamedTuple):
    """What `nearest_neighbors` returns."""

    squared_distances: Float[Tensor, "b n k"]
    indices: Int[Tensor, "b n k"]


def nearest_neighbors(
    x: Float[Tensor, "b n d"], y: Float[Tensor, "b m d"], k: int = 1
) -> Neighbors:
    """For every point of x the k nearest points of y: squared distances, ascending, and indices.

    Distances are exact (from differences, not from the expanded square) and their gradient flows
    to both points of each pair. Ties go to the lower index.

    Args:
        x: queries, may be empty.
        y: the points to search.
        k: how many, from 1 to the number of points in y.

    Returns:
        `squared_distances` in the unit of x squared, in its dtype, and `indices` into y.

    Raises:
        ValueError: shapes, dtypes or devices do not fit together, k is out of range, y is empty,
            or a coordinate is NaN or infinite.

    >>> import torch
    >>> x = torch.tensor([[[0.0], [10.0]]])
    >>> y = torch.tensor([[[1.0], [8.0], [-3.0]]])
    >>> nearest_neighbors(x, y, k=2)
    Neighbors(squared_distances=tensor([[[ 1.,  9.],
             [ 4., 81.]]]), indices=tensor([[[0, 2],
             [1, 0]]]))
    """
    check_clouds(x, y, allow_empty=True)
    if y.shape[1] == 0:
        raise ValueError(f"empty set: y has shape {tuple(y.shape)}; expected at least one point")
    check_integer("k", k, low=1, high=y.shape[1])
    squared, indices = find_nearest_neighbors(widened(x), widened(y), k, True)
    return Neighbors(squared.to(x.dtype), indices)


def nearest_squared_distances(
    x: Float[Tensor, "b n d"], y: Float[Tensor, "b m d"]
) -> Float[Tensor, "b n"]:
    """Squared distance from every point of x to the nearest of y, for checked float32 or float64.

    NaN throughout a batch element that holds NaN or an infinity: what a distance is built from
    hides nothing and, on a GPU, waits for nothing.
    """
    squared, _ = find_nearest_neighbors(x, y, 1, False)
    return squared.squeeze(-1)
