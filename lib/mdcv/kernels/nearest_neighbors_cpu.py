"""Nearest neighbors on the CPU, by a block tree."""

from __future__ import annotations

import numpy as np
import torch
from numba import njit
from torch import Tensor

from mdcv.kernels.block_tree import NO_POINT, build_block_tree, children, home_blocks
from mdcv.kernels.lanes import (
    LANES,
    distances_to_block,
    distances_to_boxes,
    least_lanes,
    lowest_bit,
)
from mdcv.kernels.threads import over_batch

#: Elementary operations a query takes, roughly, for the choice between one thread and several.
OPERATIONS_PER_QUERY = 200


def nearest_neighbors_cpu(x: Tensor, y: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Squared distances and indices as the reference gives them, to the last bit.

    x (B, N, D) and y (B, M, D) finite, in float32 or float64, D and M at least 1.
    """
    batch, n, _ = x.shape
    squared = x.new_empty((batch, n, k))
    indices = torch.empty((batch, n, k), dtype=torch.int64)
    queries, points = x.contiguous().numpy(), y.contiguous().numpy()
    found_squared, found = squared.numpy(), indices.numpy()

    def prepare(b: int):
        tree = build_block_tree(points[b])
        return tree, *home_blocks(tree, queries[b])

    def search(b: int, prepared, low: int, high: int) -> None:
        tree, home, order, room = prepared
        _search(tree, queries[b], home, order[low:high], room, found_squared[b], found[b])

    over_batch(prepare, search, batch, n, operations=OPERATIONS_PER_QUERY * batch * n)
    return squared, indices


@njit(nogil=True, cache=True)
def _search(tree, queries, home, order, room, squared, indices):
    """Finds the neighbors of queries[order]; the best k so far are kept sorted.

    A search begins at the home block and climbs to the nodes above it, as long as the splits
    around it leave room for something better. From each it goes down to all but where it came from:
    a step takes the last entry off the stack, a node or a block (see `children`). An entry is
    worth a visit while its box is nearer than the k-th best, or as near with a lower index.
    """
    blocks, block_indices, first_node = tree.blocks, tree.indices, tree.first_node
    lows, highs, least = tree.lows, tree.highs, tree.least
    axes, k = queries.shape[1], squared.shape[1]
    row = axes * LANES
    levels = first_node.shape[0] - 1
    waiting = np.empty(LANES * (levels + 1), np.int64)
    bound = np.empty(LANES * (levels + 1), queries.dtype)
    distance = np.empty(LANES, queries.dtype)
    query = np.empty(axes, queries.dtype)
    best, best_index = np.empty(k, queries.dtype), np.empty(k, np.int32)
    for position in range(order.shape[0]):
        i = order[position]
        for d in range(axes):
            query[d] = queries[i, d]
        for s in range(k):
            best[s], best_index[s] = np.inf, NO_POINT
        worst, worst_index = best[k - 1], best_index[k - 1]
        # Of one entry after the other: the home block, and the nodes above it.
        came_from, start, up, level = NO_POINT, -1 - np.int64(home[i]), np.int64(home[i]), 0
        waiting[0], bound[0] = start, 0
        top = 1
        while True:
            if top == 0:
                if level == levels or room[i, level] > worst:
                    break
                up //= LANES
                came_from, start, level = start, first_node[level] + up, level + 1
                waiting[0], bound[0] = start, 0
                top = 1
            top -= 1
            if bound[top] > worst:
                continue
            entry = waiting[top]
            if entry < 0:
                block = -1 - entry
                near = distances_to_block(blocks, block * row, query, worst, distance)
                if k == 1 and near != 0:
                    near = least_lanes(distance)
                while near != 0:
                    lane = lowest_bit(near)
                    near &= near - np.uint32(1)
                    found = block_indices[block * LANES + lane]
                    if distance[lane] < worst or (distance[lane] == worst and found < worst_index):
                        _insert(best, best_index, distance[lane], found)
                        worst, worst_index = best[k - 1], best_index[k - 1]
                continue
            near = distances_to_boxes(lows, highs, entry * row, query, worst, distance)
            child, step = children(first_node, entry)
            first = nearest = top
            while near != 0:
                lane = lowest_bit(near)
                near &= near - np.uint32(1)
                nearer = distance[lane] < worst or least[entry * LANES + lane] < worst_index
                if nearer and child + step * lane != came_from:
                    waiting[top], bound[top] = child + step * lane, distance[lane]
                    if bound[top] < bound[nearest]:
                        nearest = top
                    top += 1
            if top > first:
                waiting[nearest], waiting[top - 1] = waiting[top - 1], waiting[nearest]
                bound[nearest], bound[top - 1] = bound[top - 1], bound[nearest]
        for s in range(k):
            squared[i, s], indices[i, s] = best[s], best_index[s]


@njit(nogil=True, cache=True)
def _insert(best, best_index, distance, index):
    """Puts a candidate better than the last of the sorted best k in its place among them."""
    s = best.shape[0] - 1
    while s > 0 and (
        best[s - 1] > distance or (best[s - 1] == distance and best_index[s - 1] > index)
    ):
        best[s], best_index[s] = best[s - 1], best_index[s - 1]
        s -= 1
    best[s], best_index[s] = distance, index
