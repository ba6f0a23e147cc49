"""Farthest point sampling: a subset that covers the whole set evenly."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor

from mdcv.errors import check_integer, check_tensor
from mdcv.kernels.arithmetic import widened
from mdcv.kernels.farthest_points import pick_farthest_points


def farthest_point_sample(
    points: Float[Tensor, "b n d"], k: int, *, start: int = 0
) -> Int[Tensor, "b k"]:
    """Indices of k points, each the farthest from all those chosen before it.

    i_1 = start,  i_(t+1) = argmax over i of min over s <= t of |p_i - p_(i_s)|

    Ties go to the lowest index. No index comes twice; with fewer than k distinct points,
    coordinates do.

    Args:
        points: the sets to choose from.
        k: how many, from 1 to the number of points.
        start: index of the first choice, the same in every set of the batch.

    Raises:
        ValueError: the sets are empty, k or start is out of range, or a coordinate is NaN or
            infinite.

    Source: Eldar, Lindenbaum, Porat and Zeevi 1997, "The farthest point strategy for progressive
    image sampling".

    >>> import torch
    >>> points = torch.tensor([[[0.0], [1.0], [2.0], [10.0]]])
    >>> farthest_point_sample(points, 3)
    tensor([[0, 3, 2]])
    """
    check_tensor("points", points, ndim=3, layout="(B, N, D)")
    n = points.shape[1]
    if n == 0:
        raise ValueError(
            f"empty set: points has shape {tuple(points.shape)}; expected at least one point"
        )
    check_integer("k", k, low=1, high=n)
    check_integer("start", start, low=0, high=n - 1)
    return pick_farthest_points(widened(points.detach()), k, start)
