"""Non-maximum suppression on a GPU: tiles of boxes are settled in order of their scores.

No table of all pairs is kept: memory grows with the number of boxes, not with its square.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from mdcv.kernels.box_overlap_gpu import AS_WRITTEN, corners_of, overlaps

#: A tile against a tile still fits the registers of eight warps.
TILE, WARPS = 64, 8


def box_suppression_gpu(
    boxes: Tensor, scores: Tensor, groups: Tensor | None, iou_threshold: float
) -> Tensor:
    """Indices of the boxes that stay, as the reference gives them, for checked input."""
    n = boxes.shape[0]
    order = scores.argsort(descending=True, stable=True)
    boxes = boxes[order].contiguous()
    groups = torch.zeros_like(order) if groups is None else groups[order]
    limit = torch.full((), iou_threshold, dtype=boxes.dtype, device=boxes.device)
    waiting = torch.ones(n, dtype=torch.int8, device=boxes.device)
    stays = torch.zeros_like(waiting)
    for start in range(0, n, TILE):
        programs = max(1, triton.cdiv(n - start - TILE, TILE))
        arrays = boxes, groups, limit, waiting, stays
        _settle_tile[(programs,)](*arrays, start, n, TILE, num_warps=WARPS, **AS_WRITTEN)
    return order[stays.bool()]


@triton.jit
def _settle_tile(boxes, groups, limit, waiting, stays, start, n, TILE: tl.constexpr):
    """Settles which boxes of a tile stay, and removes from the later ones what they overlap.

    Each program settles the tile for itself, which is cheaper than waiting for another, and then
    looks after one tile of later boxes. What it reads was written by earlier launches only.
    """
    threshold = tl.load(limit)
    i = start + tl.arange(0, TILE)
    left, top, right, bottom = corners_of(boxes, i, i < n)
    group = tl.load(groups + i, mask=i < n, other=0)
    candidate = tl.load(waiting + i, mask=i < n, other=0).to(tl.int32)
    within = overlaps(left, top, right, bottom, left, top, right, bottom) > threshold
    within &= (group[:, None] == group[None, :]) & (i[:, None] < i[None, :])
    removes = within.to(tl.int32)
    # A box stays if no earlier one that stays removes it. Repeated until nothing changes: after
    # r rounds the first r boxes are right.
    staying = candidate
    changes = 1
    while changes > 0:
        removed = tl.max(removes * staying[:, None], axis=0)
        settled = candidate * (1 - removed)
        changes = tl.sum((settled != staying).to(tl.int32), axis=0)
        staying = settled
    if tl.program_id(0) == 0:
        tl.store(stays + i, staying.to(tl.int8), mask=i < n)

    j = start + TILE + tl.program_id(0) * TILE + tl.arange(0, TILE)
    left2, top2, right2, bottom2 = corners_of(boxes, j, j < n)
    group2 = tl.load(groups + j, mask=j < n, other=0)
    across = overlaps(left, top, right, bottom, left2, top2, right2, bottom2) > threshold
    across &= group[:, None] == group2[None, :]
    removed2 = tl.max(across.to(tl.int32) * staying[:, None], axis=0)
    tl.store(waiting + j, tl.zeros([TILE], tl.int8), mask=(j < n) & (removed2 > 0))
