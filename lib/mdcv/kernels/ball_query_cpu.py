"""Ball query on the CPU, by a block tree in float64."""

from __future__ import annotations

import numpy as np
import torch
from numba import njit
from torch import Tensor

from mdcv.kernels.block_tree import NO_POINT, build_block_tree, children
from mdcv.kernels.lanes import LANES, distances_to_block, distances_to_boxes, lowest_bit
from mdcv.kernels.threads import over_batch

#: Elementary operations a center takes, roughly, for the choice between one thread and several.
OPERATIONS_PER_CENTER = 2000


def ball_query_cpu(points: Tensor, centers: Tensor, squared_limit: float, k: int) -> Tensor:
    """Indices as the reference gives them; points (B, N, D), N and D at least 1, all finite."""
    batch, count, _ = centers.shape
    indices = torch.empty((batch, count, k), dtype=torch.int64)
    places, queries = points.double().contiguous().numpy(), centers.double().contiguous().numpy()
    found = indices.numpy()

    def search(b: int, tree, low: int, high: int) -> None:
        _collect(tree, queries[b, low:high], squared_limit, found[b, low:high])

    over_batch(
        lambda b: build_block_tree(places[b]),
        search,
        batch,
        count,
        operations=OPERATIONS_PER_CENTER * batch * count,
    )
    return indices


@njit(nogil=True, cache=True)
def _collect(tree, queries, limit, found):
    """Fills `found` with the lowest k indices within the squared limit, in order, then -1."""
    blocks, block_indices, first_node = tree.blocks, tree.indices, tree.first_node
    lows, highs, least = tree.lows, tree.highs, tree.least
    axes, k = queries.shape[1], found.shape[1]
    row = axes * LANES
    levels = first_node.shape[0] - 1
    waiting = np.empty(LANES * (levels + 1), np.int64)
    distance, query = np.empty(LANES), np.empty(axes)
    kept = np.empty(k, np.int32)
    for i in range(queries.shape[0]):
        for d in range(axes):
            query[d] = queries[i, d]
        kept[:] = NO_POINT
        waiting[0] = first_node[levels] - 1
        top = 1
        while top > 0:
            top -= 1
            entry = waiting[top]
            if entry < 0:
                block = -1 - entry
                near = distances_to_block(blocks, block * row, query, limit, distance)
                while near != 0:
                    lane = lowest_bit(near)
                    near &= near - np.uint32(1)
                    index = block_indices[block * LANES + lane]
                    if index < kept[k - 1]:
                        s = k - 1
                        while s > 0 and kept[s - 1] > index:
                            kept[s] = kept[s - 1]
                            s -= 1
                        kept[s] = index
                continue
            near = distances_to_boxes(lows, highs, entry * row, query, limit, distance)
            child, step = children(first_node, entry)
            while near != 0:
                lane = lowest_bit(near)
                near &= near - np.uint32(1)
                if least[entry * LANES + lane] < kept[k - 1]:
                    waiting[top] = child + step * lane
                    top += 1
        for s in range(k):
            found[i, s] = kept[s] if kept[s] != NO_POINT else -1
