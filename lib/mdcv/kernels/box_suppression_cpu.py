"""Non-maximum suppression on the CPU: a box is compared with kept boxes near its center only.

Let the limit be t and a kept box K remove a box C. Their common width exceeds t times either width,
and likewise for heights. So K reaches into what is left of C when a share t is cut off on each
side (its center, from t = ½ on), and the longest sides of K and C differ by a factor below 1 / t.
Kept boxes therefore stand in a table by cell and by size: level l holds those with a longest side
in [2^(l-1), 2^l), in cells of width 2^l, so that each stands in four cells at most.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numba import njit
from torch import Tensor

#: A little less is cut off than t allows, so that rounding never hides a box that removes another.
CAUTION = 0.998

#: Below this share the levels that matter are too many to be worth naming: all are looked at.
SMALLEST_SHARE = 1e-3

NONE, UNDECIDED = -1, -2

#: Cell numbers stay below this in magnitude.
MOST_CELLS = 2.0**62


class _Kept(NamedTuple):
    """The kept boxes, in chains: `first[slot]`, then `following[entry]`, until -1."""

    first: np.ndarray
    following: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray
    groups: np.ndarray
    levels: np.ndarray


def box_suppression_cpu(
    boxes: Tensor, scores: Tensor, groups: Tensor | None, iou_threshold: float
) -> Tensor:
    """Indices of the boxes that stay, as the reference gives them, for checked input."""
    order = _descending_order(scores)
    of_group = np.zeros(len(scores), np.int64) if groups is None else groups.contiguous().numpy()
    limit = float(torch.tensor(iou_threshold, dtype=boxes.dtype))
    return torch.from_numpy(_suppress(boxes.contiguous().numpy(), order, of_group, limit))


def _descending_order(scores: Tensor) -> np.ndarray:
    """A stable descending argsort. For float32 it is one sort of 64-bit integers, which is faster:
    the score's bits, made to rise as the score falls, stand above the index."""
    if scores.dtype != torch.float32:
        return scores.argsort(descending=True, stable=True).numpy()
    bits = (scores.contiguous() + 0.0).numpy().view(np.int32)  # -0 becomes +0: they are a tie
    rising = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    keys = (~rising).astype(np.int64) << 32 | np.arange(len(bits))
    keys.sort()
    return keys & 0xFFFFFFFF


@njit(nogil=True, cache=True)
def _suppress(boxes, order, groups, limit):
    n = boxes.shape[0]
    slots = 2
    while slots < 2 * n:
        slots *= 2
    table = _Kept(
        np.full(slots, -1, np.int32),
        np.empty(4 * n, np.int32),
        np.empty((4 * n, 4), boxes.dtype),
        np.empty(4 * n, boxes.dtype),
        np.empty(4 * n, np.int64),
        np.array([1 << 20, -(1 << 20)]),
    )
    kept = np.empty(n, np.int64)
    count = entries = 0
    for i in order:
        box = _corners(boxes, i)
        # A box without area overlaps nothing: it stays, and removes no other.
        if _area(box) > 0:
            found = _find_suppressor(table, count, box, groups[i], limit)
            if found == UNDECIDED:
                found = _find_among_all(boxes, groups, kept, count, box, groups[i], limit)
            if found >= 0:
                continue
            entries = _enter(table, entries, box, groups[i])
        kept[count] = i
        count += 1
    return kept[:count].copy()


@njit(nogil=True, cache=True)
def _corners(boxes, i):
    return boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3]


@njit(nogil=True, cache=True)
def _area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


@njit(nogil=True, cache=True)
def _longest_side(box):
    return max(np.float64(box[2]) - box[0], np.float64(box[3]) - box[1])


@njit(nogil=True, cache=True, error_model="numpy")
def _overlap(a, area_a, b, area_b):
    """IoU of two boxes with area, rounded at every step as the boxes' dtype rounds."""
    zero = type(area_a)(0)
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inter = max(width, zero) * max(height, zero)
    return inter / (area_a + area_b - inter)


@njit(nogil=True, cache=True)
def _slot(level, column, row, group, slots):
    """Where a cell's chain begins. Two cells may share a chain: it is longer then, not wrong."""
    mixed = (column * 73856093) ^ (row * 19349663) ^ (level * 83492791) ^ (group * 2654435761)
    return (mixed ^ (mixed >> 15) ^ (mixed >> 31)) & (slots - 1)


@njit(nogil=True, cache=True)
def _find_suppressor(table, count, box, group, limit):
    """An entry that removes the box, NONE, or UNDECIDED where the table has more cells to look
    into than there are `count` boxes to compare with."""
    area, side = _area(box), _longest_side(box)
    share = CAUTION * min(limit, 0.5)
    cut_x = share * (np.float64(box[2]) - box[0])
    cut_y = share * (np.float64(box[3]) - box[1])
    lowest, highest = table.levels[0], table.levels[1]
    if share > SMALLEST_SHARE:
        lowest = max(lowest, math.frexp(side * share)[1])
        highest = min(highest, math.frexp(side / share)[1])
    per_cell = math.ldexp(2.0, -lowest)
    for level in range(lowest, highest + 1):
        per_cell /= 2
        left, right = np.floor((box[0] + cut_x) * per_cell), np.floor((box[2] - cut_x) * per_cell)
        top, bottom = np.floor((box[1] + cut_y) * per_cell), np.floor((box[3] - cut_y) * per_cell)
        farthest = max(max(-left, right), max(-top, bottom))
        if (right - left + 1) * (bottom - top + 1) > count or farthest > MOST_CELLS:
            return UNDECIDED
        for row in range(np.int64(top), np.int64(bottom) + 1):
            for column in range(np.int64(left), np.int64(right) + 1):
                entry = table.first[_slot(level, column, row, group, table.first.shape[0])]
                while entry >= 0:
                    other = _corners(table.boxes, entry)
                    overlap = _overlap(box, area, other, table.areas[entry])
                    if overlap > limit and table.groups[entry] == group:
                        return entry
                    entry = table.following[entry]
    return NONE


@njit(nogil=True, cache=True)
def _find_among_all(boxes, groups, kept, count, box, group, limit):
    """The plain way: the position among the kept boxes of one that removes the box, or NONE."""
    area = _area(box)
    for k in range(count):
        if groups[kept[k]] == group:
            other = _corners(boxes, kept[k])
            if _overlap(box, area, other, _area(other)) > limit:
                return k
    return NONE


@njit(nogil=True, cache=True)
def _enter(table, entries, box, group):
    """Puts a kept box into every cell it touches on its level; returns the number of entries."""
    level = math.frexp(_longest_side(box))[1]
    table.levels[0], table.levels[1] = min(table.levels[0], level), max(table.levels[1], level)
    per_cell = math.ldexp(1.0, -level)
    left, right = np.int64(np.floor(box[0] * per_cell)), np.int64(np.floor(box[2] * per_cell))
    top, bottom = np.int64(np.floor(box[1] * per_cell)), np.int64(np.floor(box[3] * per_cell))
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            slot = _slot(level, column, row, group, table.first.shape[0])
            for corner in range(4):
                table.boxes[entries, corner] = box[corner]
            table.areas[entries], table.groups[entries] = _area(box), group
            table.following[entries], table.first[slot] = table.first[slot], entries
            entries += 1
    return entries
