"""Farthest point sampling on the CPU: a new choice visits only the blocks it can change."""

from __future__ import annotations

import numpy as np
import torch
from numba import njit
from torch import Tensor

from mdcv.kernels.block_tree import NO_POINT, build_block_tree
from mdcv.kernels.lanes import (
    LANES,
    distances_to_block,
    distances_to_boxes,
    greatest,
    lower,
    lowest_bit,
)
from mdcv.kernels.threads import over_ranges


def farthest_points_cpu(points: Tensor, k: int, start: int) -> Tensor:
    """Indices as the reference gives them; points (B, N, D) finite, N and D at least 1."""
    batch, n, _ = points.shape
    picks = torch.empty((batch, k), dtype=torch.int64)
    sets, found = points.contiguous().numpy(), picks.numpy()

    def pick_in_sets(low: int, high: int) -> None:
        for b in range(low, high):
            _pick(build_block_tree(sets[b]), sets[b], start, found[b])

    over_ranges(pick_in_sets, batch, operations=batch * n * k / LANES)
    return picks


@njit(nogil=True, cache=True)
def _pick(tree, points, start, picks):
    """Fills `picks`. Every point knows its squared distance to the nearest choice, -1 if chosen.

    Every block knows the greatest of its sixteen (`far`) and the lowest index that has it
    (`far_index`); every node of sixteen blocks the same of theirs. A block nearer to no new
    choice than its `far` is left alone: none of its points comes nearer.
    """
    blocks, block_indices = tree.blocks, tree.indices
    lows, highs = tree.lows, tree.highs
    axes = points.shape[1]
    row = axes * LANES
    nodes, n_blocks = tree.first_node[1], block_indices.shape[0] // LANES
    to_nearest = np.full(n_blocks * LANES, np.inf, points.dtype)
    far = np.full(nodes * LANES, -1, points.dtype)
    far_index = np.full(nodes * LANES, NO_POINT, np.int32)
    node_far = np.full(nodes, np.inf, points.dtype)
    node_index = np.full(nodes, NO_POINT, np.int32)
    place = np.empty(points.shape[0], np.int32)
    for slot in range(n_blocks * LANES):
        if block_indices[slot] != NO_POINT:
            place[block_indices[slot]] = slot
        else:
            to_nearest[slot] = -1
    far[:n_blocks] = np.inf
    query, distance = np.empty(axes, points.dtype), np.empty(LANES, points.dtype)
    bound = np.empty(LANES, points.dtype)
    chosen = start
    for step in range(picks.shape[0]):
        picks[step] = chosen
        for d in range(axes):
            query[d] = points[chosen, d]
        to_nearest[place[chosen]] = -1
        own_block = place[chosen] // LANES
        next_far, next_index = points.dtype.type(-1), NO_POINT
        for node in range(nodes):
            near = distances_to_boxes(lows, highs, node * row, query, node_far[node], bound)
            changed = False
            while near != 0:
                lane = lowest_bit(near)
                near &= near - np.uint32(1)
                block = node * LANES + lane
                # At equality nothing changes, but for the point just chosen.
                if bound[lane] < far[block] or block == own_block:
                    distances_to_block(blocks, block * row, query, far[block], distance)
                    lower(to_nearest, block * LANES, distance)
                    far[block], far_index[block] = greatest(
                        to_nearest, block_indices, block * LANES
                    )
                    changed = True
            if changed:
                node_far[node], node_index[node] = greatest(far, far_index, node * LANES)
            if node_far[node] > next_far or (
                node_far[node] == next_far and node_index[node] < next_index
            ):
                next_far, next_index = node_far[node], node_index[node]
        chosen = next_index
