"""A k-d tree of blocks of sixteen points, sixteen boxes to a node, for exact searches on the CPU.

The points are reordered by median splits along the widest axis and cut into blocks of sixteen;
sixteen consecutive blocks share a node, sixteen nodes the next, up to one root. Every node keeps
the tight boxes of its children. A search asks sixteen boxes or sixteen points per step, and
prunes only what cannot hold a winner: computed box distances never exceed computed point
distances (see `lanes`), and each box knows its lowest index for ties.

Median splits make the depth independent of where the points lie, so that tight clusters with an
outlier, duplicates and thin sheets are searched as fast as a cube.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from mdcv.kernels.lanes import LANES, lane_extremes, row_extremes

#: The index in an empty lane; no set is so large.
NO_POINT = np.int32(2**31 - 1)


class BlockTree(NamedTuple):
    """Flat tables. A row of D · 16 numbers holds sixteen points or box corners, axis by axis."""

    blocks: np.ndarray  #: points by block, padded with infinity
    indices: np.ndarray  #: 16 per block, where each point stood before, padded with NO_POINT
    lows: np.ndarray  #: boxes by node, padded with infinity
    highs: np.ndarray  #: boxes by node, padded with -infinity
    least: np.ndarray  #: 16 per node, the lowest index in each box
    first_node: np.ndarray  #: of every level, the lowest level first, and the number of nodes
    split_axis: np.ndarray  #: of the binary tree of splits, root at 1, children 2i and 2i + 1
    split_value: np.ndarray  #: not below it goes to the right


@njit(nogil=True, cache=True)
def build_block_tree(points: np.ndarray) -> BlockTree:
    """The tree of points (M, D), finite, M and D at least 1."""
    count, axes = points.shape
    coordinates = np.empty((axes, count), points.dtype)
    for d in range(axes):
        for i in range(count):
            coordinates[d, i] = points[i, d]
    order = np.arange(count).astype(np.int32)
    split_axis, split_value = _sort_into_blocks(coordinates, order)
    blocks, indices = _fill_blocks(coordinates, order)
    first_node, lows, highs, least = _fill_boxes(blocks, indices, axes)
    return BlockTree(blocks, indices, lows, highs, least, first_node, split_axis, split_value)


@njit(nogil=True, cache=True)
def _sort_into_blocks(coordinates, order):
    """Reorders points and indices in place so that every subtree is a run of whole blocks."""
    count = order.shape[0]
    n_blocks = (count + LANES - 1) // LANES
    height = 0
    while (1 << height) < n_blocks:
        height += 1
    split_axis = np.zeros(1 << height, np.uint32)
    split_value = np.full(1 << height, np.inf, coordinates.dtype)
    swap_with = np.empty(count, np.uint32)
    # What remains to be split: node of the binary tree, its first block, its height.
    stack = np.empty((height + 2, 3), np.int64)
    stack[0, 0], stack[0, 1], stack[0, 2] = 1, 0, height
    top = 1
    while top > 0:
        top -= 1
        node, block, height = stack[top, 0], stack[top, 1], stack[top, 2]
        if height == 0:
            continue
        middle = block + (1 << (height - 1))
        stack[top, 0], stack[top, 1], stack[top, 2] = 2 * node, block, height - 1
        top += 1
        # A right side without points keeps the split at infinity: nothing goes there.
        if middle < n_blocks:
            low, high = block * LANES, min(count, (block + (1 << height)) * LANES)
            axis, least, greatest = _widest_axis(coordinates, low, high)
            if least == greatest:
                # One place only: in index order, so that the lowest index is found at once.
                order[low:high].sort()
                value = least
            else:
                keys = coordinates[axis, low:high]
                left = middle * LANES - low
                value, below = _splitting_value(keys, left, least, greatest)
                _plan_swaps(keys, value, left - below, swap_with)
                for d in range(coordinates.shape[0]):
                    _swap(coordinates[d, low:high], swap_with)
                _swap(order[low:high], swap_with)
            split_axis[node], split_value[node] = axis, value
            stack[top, 0], stack[top, 1], stack[top, 2] = 2 * node + 1, middle, height - 1
            top += 1
    return split_axis, split_value


@njit(nogil=True, cache=True)
def _widest_axis(coordinates, low, high):
    """The axis along which the points [low, high) spread most, and their extremes on it."""
    lowest, highest = np.empty(LANES, coordinates.dtype), np.empty(LANES, coordinates.dtype)
    axis, least, greatest = 0, coordinates[0, low], coordinates[0, low]
    full = (high - low) // LANES
    for d in range(coordinates.shape[0]):
        lane_extremes(coordinates[d], low, full, lowest, highest)
        start, end = lowest.min(), highest.max()
        for value in coordinates[d, low + full * LANES : high]:
            start, end = min(start, value), max(end, value)
        # Half of each, so that the extent of huge coordinates does not overflow.
        if end / 2 - start / 2 > greatest / 2 - least / 2:
            axis, least, greatest = d, start, end
    return axis, least, greatest


@njit(nogil=True, cache=True)
def _splitting_value(keys, left, least, greatest):
    """A value with at most `left` keys below it and at least as many not above; how many below.

    By bisection between the extremes: counting is so fast that a few passes cost less than one
    of quickselect, and no order of the keys can make it slow.
    """
    half = keys.dtype.type(0.5)
    value, below = least, 0
    while True:
        between = least * half + greatest * half
        if not least < between < greatest:
            between = greatest
        smaller = 0
        for i in range(keys.shape[0]):
            smaller += keys[i] < between
        if smaller <= left:
            value, below, least = between, smaller, between
        if smaller == left or between == greatest:
            return value, below
        if smaller > left:
            greatest = between


@njit(nogil=True, cache=True)
def _plan_swaps(keys, value, equal_to_left, swap_with):
    """For each key in turn the place to swap with: keys below the value gather at the front.

    `equal_to_left` of the keys equal to the value go there too. No branch depends on a key.
    """
    front = np.uint32(0)
    if equal_to_left == 0:
        for i in range(keys.shape[0]):
            swap_with[i] = front
            front += np.uint32(keys[i] < value)
        return
    for i in range(keys.shape[0]):
        swap_with[i] = front
        equal = (keys[i] == value) & (equal_to_left > 0)
        equal_to_left -= equal
        front += np.uint32((keys[i] < value) | equal)


@njit(nogil=True, cache=True)
def _swap(values, swap_with):
    for i in range(values.shape[0]):
        j = swap_with[i]
        here = values[i]
        values[i] = values[j]
        values[j] = here


@njit(nogil=True, cache=True)
def _fill_blocks(coordinates, order):
    axes, count = coordinates.shape
    n_blocks = (count + LANES - 1) // LANES
    blocks = np.full((n_blocks, axes, LANES), np.inf, coordinates.dtype)
    indices = np.full(n_blocks * LANES, NO_POINT, np.int32)
    indices[:count] = order
    for d in range(axes):
        for i in range(count):
            blocks[i // LANES, d, i % LANES] = coordinates[d, i]
    return blocks.reshape(-1), indices


@njit(nogil=True, cache=True)
def _fill_boxes(blocks, indices, axes):
    """The boxes of all nodes, level by level from the blocks up to the root."""
    n_blocks = indices.shape[0] // LANES
    first_node = [0]
    width = n_blocks
    while width > 1 or len(first_node) == 1:
        width = (width + LANES - 1) // LANES
        first_node.append(first_node[-1] + width)
    nodes = first_node[-1]
    lows = np.full((nodes, axes, LANES), np.inf, blocks.dtype)
    highs = np.full((nodes, axes, LANES), -np.inf, blocks.dtype)
    least = np.full((nodes, LANES), NO_POINT, np.int32)
    for b in range(n_blocks):
        node, lane = b // LANES, b % LANES
        least[node, lane] = indices[b * LANES : (b + 1) * LANES].min()
        for d in range(axes):
            extremes = row_extremes(blocks, (b * axes + d) * LANES)
            lows[node, d, lane], highs[node, d, lane] = extremes
    for level in range(1, len(first_node) - 1):
        for child in range(first_node[level - 1], first_node[level]):
            place = child - first_node[level - 1]
            node, lane = first_node[level] + place // LANES, place % LANES
            least[node, lane] = least[child].min()
            for d in range(axes):
                lows[node, d, lane] = lows[child, d].min()
                highs[node, d, lane] = highs[child, d].max()
    return np.array(first_node), lows.reshape(-1), highs.reshape(-1), least.reshape(-1)


@njit(nogil=True, cache=True)
def home_blocks(tree: BlockTree, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The block where each query (N, D) would stand, the queries' order by it, and their room.

    A search begins with the home block, and in this order it meets what it needs in the cache.
    room[i, l] is the squared distance to the nearest split around the home block, for l > 0 around
    the node above it on level l - 1: nothing beyond the splits is nearer, in computed distances.

    Sixty-four queries descend side by side, so that none waits for another's memory.
    """
    count, axes = queries.shape
    n_leaves, n_blocks = tree.split_axis.shape[0], tree.indices.shape[0] // LANES
    home, order = np.empty(count, np.int32), np.empty(count, np.int32)
    room = np.zeros((count, tree.first_node.shape[0] - 1), queries.dtype)
    place = np.zeros(n_blocks + 1, np.int64)
    nodes, nearest = np.empty(64, np.uint32), np.empty(64, queries.dtype)
    flat = queries.reshape(-1)
    for start in range(0, count, 64):
        some = nodes[: min(64, count - start)]
        coordinates = flat[start * axes : (start + some.shape[0]) * axes]
        some[:] = 1
        nearest[:] = np.inf
        width = n_leaves
        while width > 1:
            for i in range(some.shape[0]):
                node = some[i]
                coordinate = coordinates[i * axes + tree.split_axis[node]]
                split = tree.split_value[node]
                some[i] = np.uint32(2) * node + np.uint32(coordinate >= split)
                nearest[i] = min(nearest[i], abs(coordinate - split))
            width //= 2
            level, rest = 0, width
            while rest >= LANES:
                level, rest = level + 1, rest // LANES
            if rest == 1:
                for i in range(some.shape[0]):
                    room[start + i, level] = nearest[i] * nearest[i]
        for i in range(some.shape[0]):
            home[start + i] = some[i] - np.uint32(n_leaves)
            place[home[start + i] + 1] += 1
    for b in range(n_blocks):
        place[b + 1] += place[b]
    for i in range(count):
        order[place[home[i]]] = i
        place[home[i]] += 1
    return home, order, room


@njit(nogil=True, cache=True)
def children(first_node: np.ndarray, node: int) -> tuple[int, int]:
    """Where the children of a node begin and the step from one to the next, for a search's stack.

    A search names a node by its number and block b by -1 - b.
    """
    level = 0
    while node >= first_node[level + 1]:
        level += 1
    if level == 0:
        return -1 - LANES * node, -1
    return first_node[level - 1] + LANES * (node - first_node[level]), 1
