"""The first k points, in index order, within a radius of each center."""

from __future__ import annotations

import math
import struct
from functools import lru_cache

import torch
from torch import Tensor

from mdcv.kernels.arithmetic import refuse_infinite, rows_at_a_time, squared_distances


@lru_cache(maxsize=256)
def squared_limit(radius: float, dtype: torch.dtype) -> float:
    """The greatest float64 whose root, rounded to dtype, is at most the radius, rounded likewise.

    A squared distance at most this is a distance at most the radius. By `math.sqrt`, which rounds
    correctly; vectorized roots need not.

    >>> squared_limit(2.0, torch.float64), squared_limit(2.0, torch.float32)
    (4.000000000000001, 4.000000476837...)
    """
    edge = torch.tensor(radius, dtype=dtype)

    def is_inside(squared: float) -> bool:
        return bool(torch.tensor(math.sqrt(squared), dtype=torch.float64).to(dtype) <= edge)

    if is_inside(math.inf):
        return math.inf
    # Bisection over the float64 numbers from 0 to infinity, which are in order as integers.
    inside, outside = 0, _as_integer(math.inf)
    while outside - inside > 1:
        middle = (inside + outside) // 2
        if is_inside(_as_float(middle)):
            inside = middle
        else:
            outside = middle
    return _as_float(inside)


def _as_integer(number: float) -> int:
    return struct.unpack("q", struct.pack("d", number))[0]


def _as_float(integer: int) -> float:
    return struct.unpack("d", struct.pack("q", integer))[0]


def ball_query_reference(points: Tensor, centers: Tensor, radius: float, k: int) -> Tensor:
    """Indices (B, C, k) into points (B, N, D) around centers (B, C, D), padded with -1.

    A point counts when its distance, rounded to the points' dtype, is at most the radius, rounded
    likewise. The distance is computed in float64, so that only this last rounding matters.
    """
    n, limit = points.shape[1], squared_limit(radius, points.dtype)
    wide_points, index = points.double(), torch.arange(n, device=points.device)
    picks = []
    for some in centers.double().split(rows_at_a_time(points.shape[0], n), dim=1):
        inside = squared_distances(some, wide_points) <= limit
        # Those outside get the index n, which sorts behind every real one.
        order = torch.where(inside, index, n).sort(dim=-1).values[..., :k]
        picks.append(torch.where(order < n, order, -1))
    found = torch.cat(picks, dim=1)
    return torch.nn.functional.pad(found, (0, k - found.shape[-1]), value=-1)


@torch.library.custom_op("mdcv::ball_query", mutates_args=())
def collect_ball(points: Tensor, centers: Tensor, radius: float, k: int) -> Tensor:
    """Indices as the reference gives them; points and centers finite or refused."""
    refuse_infinite("points", points)
    refuse_infinite("centers", centers)
    if points.device.type == "cpu" and points.numel():
        from mdcv.kernels.ball_query_cpu import ball_query_cpu

        limit = squared_limit(radius, points.dtype)
        return ball_query_cpu(points.detach(), centers.detach(), limit, k)
    if points.device.type == "cuda" and points.numel():
        from mdcv.kernels.ball_query_gpu import ball_query_gpu

        limit = squared_limit(radius, points.dtype)
        return ball_query_gpu(points.detach(), centers.detach(), limit, k)
    return ball_query_reference(points, centers, radius, k)


@collect_ball.register_fake
def _(points: Tensor, centers: Tensor, radius: float, k: int) -> Tensor:
    return points.new_empty((centers.shape[0], centers.shape[1], k), dtype=torch.int64)
