"""Feature propagation: from a few centers back to every point."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mdcv.errors import check_integer
from mdcv.kernels.arithmetic import widened
from mdcv.pointnet.doors import check_points, check_sizes
from mdcv.pointnet.grouping import check_features, gather_points
from mdcv.pointnet.perceptron import PointMLP
from mdcv.points import nearest_neighbors


def interpolate_features(
    points: Float[Tensor, "b n 3"],
    centers: Float[Tensor, "b s 3"],
    features: Float[Tensor, "b s c"],
    *,
    neighbors: int = 3,
) -> Float[Tensor, "b n c"]:
    """For every point the mean of its nearest centers' features, weighted by 1 / distance².

    f(x) = Σ_i w_i f_i / Σ_i w_i,   w_i = 1 / |x - c_i|²,   i over the 3 nearest centers

    A point that lies on a center has that center's feature; on several at one place, their mean.
    With fewer centers than `neighbors`, all are taken.

    Args:
        points: where features are wanted.
        centers, features: where they are known.
        neighbors: how many centers count.

    Raises:
        ValueError: no center, shapes, dtypes or devices that do not fit together, or a coordinate
            that is NaN or infinite.

    Source: Qi, Yi, Su and Guibas 2017 (PointNet++), arXiv:1706.02413, equation 2 with p = 2, k = 3.
    Their code adds 1e-8 to each distance; ours takes the limit.

    >>> centers = torch.tensor([[[0.0, 0, 0], [3, 0, 0]]])
    >>> points = torch.tensor([[[0.0, 0, 0], [1, 0, 0]]])
    >>> interpolate_features(points, centers, torch.tensor([[[0.0], [10.0]]]))
    tensor([[[0.],
             [2.]]])
    """
    check_integer("neighbors", neighbors, low=1)
    check_points("centers", centers, 3)
    check_features("features", features, centers)
    k = min(neighbors, centers.shape[1])
    squared, indices = nearest_neighbors(widened(points), widened(centers), k)
    nearest = squared[..., :1]
    # 1 / d² up to a common factor, at most 1: no overflow for a point close to its center.
    apart = torch.where(squared == 0, 1.0, squared)
    weight = torch.where(nearest == 0, (squared == 0).to(squared), nearest / apart)
    weight = weight / weight.sum(dim=-1, keepdim=True)
    known = gather_points(widened(features), indices)
    return (weight.unsqueeze(-1) * known).sum(dim=2).to(features.dtype)


class FeaturePropagation(nn.Module):
    """Features of centers (B, S, C) to features of all points (B, N, K).

    out_i = h( interpolated feature of x_i,  what x_i knew before )

    Args:
        in_features: C plus the length of what a point knew before.
        widths: of h; the last is K.
        rng: where the initial weights come from; `None` means PyTorch's default generator.

    Raises:
        ValueError: a size is not an integer >= 1; when called, features that do not add up to
            `in_features`, or what `interpolate_features` refuses.

    Source: Qi, Yi, Su and Guibas 2017 (PointNet++), arXiv:1706.02413, section 3.4.

    >>> layer = FeaturePropagation(8 + 3, [16])
    >>> points, centers = torch.rand(2, 30, 3), torch.rand(2, 5, 3)
    >>> layer(points, centers, torch.rand(2, 5, 8), skip=points).shape
    torch.Size([2, 30, 16])
    """

    def __init__(
        self, in_features: int, widths: Sequence[int], *, rng: torch.Generator | None = None
    ) -> None:
        super().__init__()
        check_integer("in_features", in_features, low=1)
        self.in_features = in_features
        self.h = PointMLP([in_features, *check_sizes("widths", widths)], rng=rng)

    def forward(
        self,
        points: Float[Tensor, "b n 3"],
        centers: Float[Tensor, "b s 3"],
        features: Float[Tensor, "b s c"],
        skip: Float[Tensor, "b n l"] | None = None,
    ) -> Float[Tensor, "b n k"]:
        check_points("points", points, 3, like=self)
        rows = interpolate_features(points, centers, features)
        if skip is not None:
            check_features("skip", skip, points)
            rows = torch.cat([rows, skip], dim=-1)
        if rows.shape[2] != self.in_features:
            raise ValueError(f"{rows.shape[2]} features per point; expected {self.in_features}")
        return self.h(rows)
