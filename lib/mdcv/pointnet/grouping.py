"""The points around each center, in coordinates that start at the center."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mdcv.errors import check_same_kind, check_tensor
from mdcv.points import ball_query


class Groups(NamedTuple):
    """What `group_points` returns: k rows for each center, of which `is_there` are filled."""

    rows: Float[Tensor, "b s k d"]
    is_there: Bool[Tensor, "b s k"]


def group_points(
    points: Float[Tensor, "b n 3"],
    centers: Float[Tensor, "b s 3"],
    radius: float | int,
    k: int,
    *,
    features: Float[Tensor, "b n c"] | None = None,
) -> Groups:
    """For every center up to k points within the radius: offset from the center, then features.

    row = (p - center, feature of p)

    Offsets do not change when the whole cloud is moved. Rows that are not filled hold zeros; a
    center that has no point near it has no row that is.

    Args:
        points: what to choose from.
        centers: where to look, in the same unit.
        radius: in that unit; a distance equal to it counts.
        k: how many at most, the first in index order.
        features: what else is known of each point.

    Raises:
        ValueError: shapes, dtypes or devices do not fit together, the radius is negative or NaN, k
            is below 1, or a coordinate is NaN or infinite.

    Source: Qi, Yi, Su and Guibas 2017 (PointNet++), arXiv:1706.02413, section 3.2.

    >>> points = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [9, 0, 0]]])
    >>> groups = group_points(points, points[:, 1:2], radius=2.0, k=3)
    >>> groups.rows[0, 0, :, 0], groups.is_there[0, 0]
    (tensor([-1.,  0.,  0.]), tensor([ True,  True, False]))
    """
    indices = ball_query(points, centers, radius, k)
    is_there = indices >= 0
    rows = gather_points(points, indices.clamp(min=0)) - centers.unsqueeze(2)
    if features is not None:
        check_features("features", features, points)
        rows = torch.cat([rows, gather_points(features, indices.clamp(min=0))], dim=-1)
    return Groups(rows.masked_fill(~is_there.unsqueeze(-1), 0.0), is_there)


def gather_points(values: Float[Tensor, "b n c"], indices: Int[Tensor, "b ..."]) -> Tensor:
    """The rows of each batch element at the indices (B, ...), as (B, ..., C)."""
    batch = torch.arange(len(values), device=values.device)
    return values[batch.view(-1, *[1] * (indices.ndim - 1)), indices]


def check_features(name: str, features: Tensor, points: Tensor) -> None:
    """Refuses anything but one row of features for every point."""
    check_tensor(name, features, ndim=3, layout="(B, N, C)")
    if features.shape[:2] != points.shape[:2]:
        raise ValueError(
            f"{name} has shape {tuple(features.shape)}; expected "
            f"({points.shape[0]}, {points.shape[1]}, C), a row for every point"
        )
    check_same_kind(name, features, "points", points)
