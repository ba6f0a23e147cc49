"""Intersection over union on a GPU: a tile of the table per program."""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

ROWS, COLUMNS = 16, 128

#: Multiplications and additions are rounded one by one, as on a CPU, so that the results agree.
AS_WRITTEN = {"enable_fp_fusion": False}


def box_overlap_gpu(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """IoU (N, M) as the reference gives it, for boxes in float32 or float64."""
    n, m = boxes1.shape[0], boxes2.shape[0]
    overlap = boxes1.new_empty((n, m))
    if overlap.numel():
        # One axis: the others end at 65535 programs.
        grid = (triton.cdiv(n, ROWS) * triton.cdiv(m, COLUMNS),)
        corners = boxes1.contiguous(), boxes2.contiguous()
        _fill[grid](*corners, overlap, n, m, ROWS, COLUMNS, **AS_WRITTEN)
    return overlap


@triton.jit
def corners_of(boxes, index, is_box):
    """x1, y1, x2, y2 of the boxes with these indices; 0 where there is none."""
    x1 = tl.load(boxes + index * 4, mask=is_box, other=0.0)
    y1 = tl.load(boxes + index * 4 + 1, mask=is_box, other=0.0)
    x2 = tl.load(boxes + index * 4 + 2, mask=is_box, other=0.0)
    y2 = tl.load(boxes + index * 4 + 3, mask=is_box, other=0.0)
    return x1, y1, x2, y2


@triton.jit
def overlaps(left1, top1, right1, bottom1, left2, top2, right2, bottom2):
    """IoU of every first box with every second, as a table."""
    width = tl.minimum(right1[:, None], right2[None, :]) - tl.maximum(
        left1[:, None], left2[None, :]
    )
    height = tl.minimum(bottom1[:, None], bottom2[None, :]) - tl.maximum(
        top1[:, None], top2[None, :]
    )
    inter = tl.maximum(width, 0.0) * tl.maximum(height, 0.0)
    area1, area2 = (right1 - left1) * (bottom1 - top1), (right2 - left2) * (bottom2 - top2)
    union = area1[:, None] + area2[None, :] - inter
    divisor = tl.where(union == 0, 1.0, union)
    # Plain division of float32 is off in the last bit on a GPU.
    return tl.div_rn(inter, divisor) if inter.dtype == tl.float32 else inter / divisor


@triton.jit
def _fill(boxes1, boxes2, overlap, n, m, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    across = tl.cdiv(m, COLUMNS)
    i = tl.program_id(0) // across * ROWS + tl.arange(0, ROWS)
    j = tl.program_id(0) % across * COLUMNS + tl.arange(0, COLUMNS)
    left1, top1, right1, bottom1 = corners_of(boxes1, i, i < n)
    left2, top2, right2, bottom2 = corners_of(boxes2, j, j < m)
    table = overlaps(left1, top1, right1, bottom1, left2, top2, right2, bottom2)
    is_entry = (i < n)[:, None] & (j < m)[None, :]
    tl.store(overlap + i.to(tl.int64)[:, None] * m + j[None, :], table, mask=is_entry)
