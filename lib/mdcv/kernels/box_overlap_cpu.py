"""Intersection over union on the CPU: rows of the table, a whole row's columns at once."""

from __future__ import annotations

from numba import njit
from torch import Tensor

from mdcv.kernels.threads import over_ranges

#: Elementary operations that one entry of the table takes, roughly.
OPERATIONS_PER_PAIR = 5


def box_overlap_cpu(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """IoU (N, M) as the reference gives it, to the last bit, of checked boxes."""
    n, m = boxes1.shape[0], boxes2.shape[0]
    overlap = boxes1.new_empty((n, m))
    # One array per coordinate lets the loop over columns run in vector instructions.
    columns = boxes2.t().contiguous()
    areas = (columns[2] - columns[0]) * (columns[3] - columns[1])
    arrays = boxes1.contiguous().numpy(), columns.numpy(), areas.numpy(), overlap.numpy()
    operations = OPERATIONS_PER_PAIR * n * m
    over_ranges(lambda low, high: _fill(*arrays, low, high), n, operations=operations)
    return overlap


@njit(nogil=True, cache=True, error_model="numpy")
def _fill(boxes1, boxes2, areas2, overlap, low, high):
    """Rows low to high of the table. Choices, not branches: only those become vectors."""
    zero, one = boxes1.dtype.type(0), boxes1.dtype.type(1)
    left2, top2, right2, bottom2 = boxes2[0], boxes2[1], boxes2[2], boxes2[3]
    for i in range(low, high):
        left1, top1, right1, bottom1 = boxes1[i, 0], boxes1[i, 1], boxes1[i, 2], boxes1[i, 3]
        area1 = (right1 - left1) * (bottom1 - top1)
        row = overlap[i]
        for j in range(row.shape[0]):
            left = left1 if left1 > left2[j] else left2[j]
            top = top1 if top1 > top2[j] else top2[j]
            right = right1 if right1 < right2[j] else right2[j]
            bottom = bottom1 if bottom1 < bottom2[j] else bottom2[j]
            width, height = right - left, bottom - top
            width = width if width > zero else zero
            height = height if height > zero else zero
            inter = width * height
            union = area1 + areas2[j] - inter
            row[j] = inter / (union if union != zero else one)
