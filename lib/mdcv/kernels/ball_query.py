"""The first k points, in index order, within a radius of each center."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.errors import check_finite
from mdcv.kernels.arithmetic import rows_at_a_time, squared_distances


def ball_query_reference(points: Tensor, centers: Tensor, radius: float, k: int) -> Tensor:
    """Indices (B, C, k) into points (B, N, D) around centers (B, C, D), padded with -1.

    A point counts when its distance, rounded to the points' dtype, is at most the radius, rounded
    likewise. The distance is computed in float64, so that only this last rounding matters.
    """
    dtype, n = points.dtype, points.shape[1]
    limit = torch.tensor(radius, dtype=dtype, device=points.device)
    wide_points, index = points.double(), torch.arange(n, device=points.device)
    picks = []
    for some in centers.double().split(rows_at_a_time(points.shape[0], n), dim=1):
        inside = squared_distances(some, wide_points).sqrt().to(dtype) <= limit
        # Those outside get the index n, which sorts behind every real one.
        order = torch.where(inside, index, n).sort(dim=-1).values[..., :k]
        picks.append(torch.where(order < n, order, -1))
    found = torch.cat(picks, dim=1)
    return torch.nn.functional.pad(found, (0, k - found.shape[-1]), value=-1)


@torch.library.custom_op("mdcv::ball_query", mutates_args=())
def collect_ball(points: Tensor, centers: Tensor, radius: float, k: int) -> Tensor:
    """Indices as the reference gives them; points and centers finite or refused."""
    check_finite("points", points)
    check_finite("centers", centers)
    if points.device.type == "cpu" and points.numel():
        from mdcv.kernels.ball_query_cpu import ball_query_cpu

        return ball_query_cpu(points.detach(), centers.detach(), radius, k)
    return ball_query_reference(points, centers, radius, k)


@collect_ball.register_fake
def _(points: Tensor, centers: Tensor, radius: float, k: int) -> Tensor:
    return points.new_empty((centers.shape[0], centers.shape[1], k), dtype=torch.int64)
