"""Set abstraction: fewer points, each of which knows its neighborhood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mdcv.errors import check_integer, check_number
from mdcv.pointnet.doors import check_points, check_sizes
from mdcv.pointnet.grouping import check_features, gather_points, group_points
from mdcv.pointnet.perceptron import PointMLP
from mdcv.pointnet.symmetric import pool_points
from mdcv.points import farthest_point_sample


class Abstraction(NamedTuple):
    """What `SetAbstraction` returns: the centers, and a feature for each."""

    points: Float[Tensor, "b s 3"]
    features: Float[Tensor, "b s k"]


class SetAbstraction(nn.Module):
    """A small PointNet in a ball around each of S centers: (B, N, 3 + C) to (B, S, 3 + K).

    f_s = max over points p with |p - c_s| <= radius of h(p - c_s, feature of p)

    The centers are chosen by farthest point sampling, the ball holds the first k points within the
    radius, in index order. Places that no point fills take no part, neither in the maximum nor in
    the statistics of the batch. So a feature does not change when the whole cloud is moved; but
    unlike PointNet's it may change with the order of the points: the first point is the first
    center, and a ball with more than k points keeps those that come first.

    Args:
        in_features: C, 0 for coordinates alone.
        widths: of h; the last is K.
        centers: S; a cloud needs at least as many points.
        radius: in the unit of the points.
        neighbors: k.
        rng: where the initial weights come from; `None` means PyTorch's default generator.

    Raises:
        ValueError: a size is out of range or the radius is negative; when called, fewer points than
            centers, features that do not fit, or what `group_points` refuses.

    Source: Qi, Yi, Su and Guibas 2017 (PointNet++), arXiv:1706.02413, section 3.2. Their code fills
    a ball with copies of its first point, which weigh in the batch statistics.

    >>> layer = SetAbstraction(0, [8, 16], centers=4, radius=0.5, neighbors=6)
    >>> points, features = layer(torch.rand(2, 30, 3))
    >>> points.shape, features.shape
    (torch.Size([2, 4, 3]), torch.Size([2, 4, 16]))
    """

    def __init__(
        self,
        in_features: int,
        widths: Sequence[int],
        *,
        centers: int,
        radius: float | int,
        neighbors: int,
        rng: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_integer("in_features", in_features, low=0)
        check_integer("centers", centers, low=1)
        check_integer("neighbors", neighbors, low=1)
        check_number("radius", radius, finite=False)
        self.in_features, self.centers = in_features, centers
        self.radius, self.neighbors = radius, neighbors
        self.h = PointMLP([3 + in_features, *check_sizes("widths", widths)], rng=rng)

    def forward(
        self, points: Float[Tensor, "b n 3"], features: Float[Tensor, "b n c"] | None = None
    ) -> Abstraction:
        check_points("points", points, 3, least=self.centers, like=self)
        if features is not None:
            check_features("features", features, points)
        came = 0 if features is None else features.shape[2]
        if came != self.in_features:
            raise ValueError(f"{came} features per point; expected {self.in_features}")
        centers = gather_points(points, farthest_point_sample(points, self.centers))
        rows, is_there = group_points(
            points, centers, self.radius, self.neighbors, features=features
        )
        inside = self.h(rows[is_there])
        places = inside.new_zeros(*is_there.shape, inside.shape[-1])
        pooled = pool_points(places.index_put((is_there,), inside), mask=is_there)
        return Abstraction(centers, pooled)
