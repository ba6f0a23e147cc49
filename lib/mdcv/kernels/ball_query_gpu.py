"""Ball query on a GPU: a block of centers goes through the points in order until it is served."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from mdcv.kernels.nearest_neighbors_gpu import WIDE, squared_distances

CENTERS, POINTS = 16, 128


def ball_query_gpu(points: Tensor, centers: Tensor, squared_limit: float, k: int) -> Tensor:
    """Indices (B, C, k) as the reference gives them; points (B, N, D) with D at least 1.

    Distances are computed in float64, whatever the dtype of points and centers.
    """
    (batch, n, axes), count = points.shape, centers.shape[1]
    found = torch.full((batch, count, k), -1, dtype=torch.int64, device=points.device)
    if found.numel():
        # In a tensor: Triton would round a number to float32.
        limit = points.new_full((), squared_limit, dtype=torch.float64)
        grid = (batch * triton.cdiv(count, CENTERS),)
        by_axis = points.mT.contiguous(), centers.mT.contiguous()
        _collect[grid](*by_axis, limit, found, n, count, k, axes, CENTERS, POINTS, **WIDE)
    return found


@triton.jit
def _collect(
    points,
    centers,
    limit,
    found,
    n,
    count,
    k,
    AXES: tl.constexpr,
    CENTERS: tl.constexpr,
    POINTS: tl.constexpr,
):
    blocks = tl.cdiv(count, CENTERS)
    b = (tl.program_id(0) // blocks).to(tl.int64)
    i = tl.program_id(0) % blocks * CENTERS + tl.arange(0, CENTERS)
    points += b * AXES * n
    centers += b * AXES * count + i[:, None]
    squared_limit = tl.load(limit)
    row = found + (b * count + i)[:, None] * k
    # Centers beyond the last one ask for nothing.
    filled = tl.where(i < count, 0, k)
    first = 0
    while (first < n) & (tl.min(filled, axis=0) < k):
        j = first + tl.arange(0, POINTS)[None, :]
        table = squared_distances(
            centers, points + j, i[:, None] < count, j < n, count, n, AXES=AXES, KIND=tl.float64
        )
        is_inside = (table <= squared_limit) & (j < n)
        inside = is_inside.to(tl.int32)
        place = filled[:, None] + tl.cumsum(inside, axis=1) - inside
        index = tl.zeros([CENTERS, POINTS], tl.int64) + j
        tl.store(row + place, index, mask=is_inside & (place < k))
        filled += tl.sum(inside, axis=1)
        first += POINTS
