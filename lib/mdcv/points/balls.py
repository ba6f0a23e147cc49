"""Ball query: the points around each center, for networks that look at neighborhoods."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor

from mdcv.errors import check_clouds, check_integer, check_number
from mdcv.kernels.ball_query import collect_ball


def ball_query(
    points: Float[Tensor, "b n d"], centers: Float[Tensor, "b c d"], radius: float | int, k: int
) -> Int[Tensor, "b c k"]:
    """For every center the first k points, in index order, at most `radius` away; -1 fills up.

    First in index order, not nearest first. A distance equal to the radius counts: the distance,
    rounded to the points' dtype, is compared with the radius, rounded likewise.

    Args:
        points: what to choose from; an empty set gives -1 throughout.
        centers: where to look, in the same unit.
        radius: in that unit, 0 or more; infinity takes all.
        k: how many at most, 1 or more.

    Raises:
        ValueError: shapes, dtypes or devices do not fit together, the radius is negative or NaN,
            k is below 1, or a coordinate is NaN or infinite.

    Source: Qi, Yi, Su and Guibas 2017 (PointNet++), arXiv:1706.02413, section 3.2. Their code
    repeats the first index where ours pads with -1.

    >>> import torch
    >>> points = torch.tensor([[[0.0], [5.0], [1.0], [2.0]]])
    >>> ball_query(points, torch.tensor([[[0.0], [4.0]]]), radius=2.0, k=3)
    tensor([[[ 0,  2,  3],
             [ 1,  3, -1]]])
    """
    check_clouds(points, centers, allow_empty=True, names=("points", "centers"))
    check_number("radius", radius, finite=False)
    check_integer("k", k, low=1)
    return collect_ball(points.detach(), centers.detach(), float(radius), k)
