"""Farthest point sampling on a GPU: one program per cloud, which goes from pick to pick."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from mdcv.kernels.box_overlap_gpu import AS_WRITTEN
from mdcv.kernels.nearest_neighbors_gpu import NO_INDEX, squared_distances

#: The largest cloud whose distances one program holds in registers.
IN_REGISTERS = 8192

#: A larger cloud is gone through this many points at a time, with its distances in memory.
BLOCK, WARPS = 4096, 16

#: A distance below that of every point, chosen ones (-1) included.
NO_DISTANCE = tl.constexpr(-2.0)


def farthest_points_gpu(points: Tensor, k: int, start: int) -> Tensor:
    """Indices (B, k) as the reference gives them; points (B, N, D) finite, N and D at least 1."""
    batch, n, axes = points.shape
    picks = torch.empty((batch, k), dtype=torch.int64, device=points.device)
    if picks.numel() == 0:
        return picks
    by_axis = points.mT.contiguous()
    if n <= IN_REGISTERS:
        block = triton.next_power_of_2(n)
        warps = max(1, block // 256)
        _pick[(batch,)](
            by_axis, picks, n, k, start, axes, block, num_warps=warps, **AS_WRITTEN
        )  # fmt: skip
    else:
        gap = points.new_full((batch, n), torch.inf)
        _pick_by_blocks[(batch,)](
            by_axis, gap, picks, n, k, start, axes, BLOCK, num_warps=WARPS, **AS_WRITTEN
        )  # fmt: skip
    return picks


@triton.jit
def _to_newest(points, newest, j, n, AXES: tl.constexpr, KIND: tl.constexpr):
    """Squared distances of the points j from the newest of the chosen."""
    newest = tl.zeros([1], tl.int32) + newest
    return squared_distances(
        points + newest, points + j, newest < n, j < n, n, n, AXES=AXES, KIND=KIND
    )


@triton.jit
def _pick(points, picks, n, k, start, AXES: tl.constexpr, BLOCK: tl.constexpr):
    cloud = tl.program_id(0).to(tl.int64)
    points += cloud * AXES * n
    kind: tl.constexpr = points.dtype.element_ty
    j = tl.arange(0, BLOCK)
    gap = tl.where(j < n, tl.full([BLOCK], float("inf"), kind), NO_DISTANCE)
    newest = tl.cast(start, tl.int32)
    for step in range(k):
        tl.store(picks + cloud * k + step, newest.to(tl.int64))
        gap = tl.minimum(gap, _to_newest(points, newest, j, n, AXES=AXES, KIND=kind))
        gap = tl.where(j == newest, -1.0, gap)
        newest = tl.min(tl.where(gap == tl.max(gap, axis=0), j, NO_INDEX), axis=0)


@triton.jit
def _pick_by_blocks(points, gaps, picks, n, k, start, AXES: tl.constexpr, BLOCK: tl.constexpr):
    cloud = tl.program_id(0).to(tl.int64)
    points += cloud * AXES * n
    gaps += cloud * n
    kind: tl.constexpr = points.dtype.element_ty
    newest = tl.cast(start, tl.int32)
    for step in range(k):
        tl.store(picks + cloud * k + step, newest.to(tl.int64))
        # Each lane keeps its own widest until all blocks are seen; the first of equals stays.
        widest = tl.full([BLOCK], NO_DISTANCE, kind)
        winner = tl.full([BLOCK], NO_INDEX, tl.int32)
        for first in range(0, n, BLOCK):
            j = first + tl.arange(0, BLOCK)
            gap = tl.load(gaps + j, mask=j < n, other=NO_DISTANCE)
            gap = tl.minimum(gap, _to_newest(points, newest, j, n, AXES=AXES, KIND=kind))
            gap = tl.where(j == newest, -1.0, gap)
            tl.store(gaps + j, gap, mask=j < n)
            is_wider = gap > widest
            widest = tl.where(is_wider, gap, widest)
            winner = tl.where(is_wider, j, winner)
        newest = tl.min(tl.where(widest == tl.max(widest, axis=0), winner, NO_INDEX), axis=0)
        # What one thread has written another may read in the next round.
        tl.debug_barrier()
