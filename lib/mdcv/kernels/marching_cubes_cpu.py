"""Marching cubes on the CPU, 64 nodes at a time.

A row of the grid is kept as bits, one for each node that is inside. The crossed edges of 64 nodes
are then one exclusive or, the cells that the surface passes one and-not, and most of the grid is
left behind 64 cells at a step. The place of an edge in the list is the count of set bits before
it, so no table of vertices is kept: beside the mesh, a float32 volume takes a fifth of its size.

A task takes a range of planes. The first pass packs bits; the second finds what is crossed and
counts it; then every plane knows where its part of the lists begins, and the third writes them.
"""

from __future__ import annotations

import numpy as np
import torch
from numba import njit
from torch import Tensor

from mdcv.kernels.marching_cubes_table import case_table
from mdcv.kernels.threads import over_ranges

#: Typed, as numba would make a float of an unsigned and a plain integer.
NONE, ONE, ALL, LAST = np.uint64(0), np.uint64(1), np.uint64(2**64 - 1), np.uint64(63)
TWO, FOUR, TOP = np.uint64(2), np.uint64(4), np.uint64(56)
PAIRS, QUADS = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
BYTES, ADD_UP = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)

#: Times eight bytes of 0 or 1, this has them as the bits of its highest byte.
PACK = np.uint64(0x0102040810204080)

#: What is noted of 64 nodes: edges crossed along each axis, and cells that the surface passes.
ACTIVE = 3


def marching_cubes_cpu(volume: Tensor, level: float) -> tuple[Tensor, Tensor]:
    """Crossed edges (V,) and faces (F, 3) as the reference gives them."""
    values = volume.contiguous().numpy()
    planes, rows, length = values.shape
    words = -(-length // 64)
    bits = np.empty((planes, rows * words), np.uint64)
    crossed = np.empty((planes, 4, rows * words), np.uint64)
    before = np.empty((planes, rows * words), np.int64)
    totals = np.zeros((planes + 1, 2), np.int64)
    with_next = np.tile(_pack_bits(np.arange(64 * words) < length - 1), rows)
    table = case_table()
    triangles = (table[:, :, 0] >= 0).sum(axis=1)
    level = values.dtype.type(level)

    def pack(low: int, high: int) -> None:
        _pack(values[low:high], level, bits[low:high])

    def count(low: int, high: int) -> None:
        _cross(bits, words, with_next, crossed, low, high)
        _count(bits, words, triangles, crossed, before, totals, low, high)

    def write(low: int, high: int) -> None:
        _write_edges(crossed, words, rows, length, first, edges, low, high)
        _write_faces(bits, words, crossed, before, first, table, triangles, faces, low, high)

    over_ranges(pack, planes, operations=values.size)
    over_ranges(count, planes, operations=values.size)
    first = np.cumsum(totals, axis=0)
    edges, faces = np.empty(first[-1, 0], np.int64), np.empty((first[-1, 1], 3), np.int64)
    over_ranges(write, planes, operations=values.size)
    return torch.from_numpy(edges), torch.from_numpy(faces)


def _pack_bits(flags: np.ndarray) -> np.ndarray:
    """Words with bit b of word w set where flags[64 w + b] is."""
    return np.packbits(flags, bitorder="little").view("<u8").astype(np.uint64)


@njit(nogil=True, cache=True, inline="always")
def _bit_count(word):
    word = word - ((word >> ONE) & PAIRS)
    word = (word & QUADS) + ((word >> TWO) & QUADS)
    word = (word + (word >> FOUR)) & BYTES
    return np.int64((word * ADD_UP) >> TOP)


@njit(nogil=True, cache=True, inline="always")
def _lowest(word):
    """The lowest set bit alone, and its position."""
    lowest = word & (~word + ONE)
    return lowest, _bit_count(lowest - ONE)


@njit(nogil=True, cache=True)
def _pack(values, level, bits):
    """Bit b of bits[i, j * words + w] is set where values[i, j, 64 w + b] is below the level."""
    planes, rows, length = values.shape
    words = -(-length // 64)
    below = np.zeros(64 * words, np.uint8)
    eights = below.view(np.uint64)
    for i in range(planes):
        for j in range(rows):
            row = values[i, j]
            for k in range(length):
                below[k] = row[k] < level
            for w in range(words):
                word = NONE
                for n in range(8):
                    word |= ((eights[8 * w + n] * PACK) >> TOP) << np.uint64(8 * n)
                bits[i, j * words + w] = word


@njit(nogil=True, cache=True)
def _cross(bits, words, with_next, crossed, low, high):
    """Edges crossed and cells passed, bit by bit for the node that they start from.

    Bit b of word n and bit 0 of word n + 1 tell of neighbors, but for the last bit of a row, which
    `with_next` leaves out.
    """
    planes, size = bits.shape
    some, every = np.zeros(size + 1, np.uint64), np.zeros(size + 1, np.uint64)
    for i in range(low, high):
        here, found = bits[i], crossed[i]
        above = bits[min(i + 1, planes - 1)]
        cells = size - words if i + 1 < planes else 0
        for n in range(size - words):
            found[1, n] = here[n] ^ here[n + words]
            some[n] = here[n] | here[n + words] | above[n] | above[n + words]
            every[n] = here[n] & here[n + words] & above[n] & above[n + words]
        found[1, size - words :] = NONE
        for n in range(size):
            found[0, n] = here[n] ^ above[n]
        for n in range(size - 1):
            found[2, n] = (here[n] ^ ((here[n] >> ONE) | (here[n + 1] << LAST))) & with_next[n]
        found[2, size - 1] = (here[size - 1] ^ (here[size - 1] >> ONE)) & with_next[size - 1]
        for n in range(cells):
            passed = some[n] | (some[n] >> ONE) | (some[n + 1] << LAST)
            within = every[n] & ((every[n] >> ONE) | (every[n + 1] << LAST))
            found[ACTIVE, n] = passed & ~within & with_next[n]
        found[ACTIVE, cells:] = NONE


@njit(nogil=True, cache=True, inline="always")
def _bit_after(row, n, b):
    """The bit after bit b of word n."""
    if b < LAST:
        return (row[n] >> (b + ONE)) & ONE
    return row[n + 1] & ONE if n + 1 < row.shape[0] else NONE


@njit(nogil=True, cache=True, inline="always")
def _case(bits, words, i, n, b):
    """The case of the cell at bit b, corners counted as in `mdcv.kernels.marching_cubes_table`."""
    case = NONE
    for corner in range(0, 8, 2):
        row, m = bits[i + (corner >> 2)], n + ((corner >> 1) & 1) * words
        pair = ((row[m] >> b) & ONE) | (_bit_after(row, m, b) << ONE)
        case |= pair << np.uint64(corner)
    return np.int64(case)


@njit(nogil=True, cache=True)
def _count(bits, words, triangles, crossed, before, totals, low, high):
    """How many crossed edges stand before each word of a plane, and the totals of the plane."""
    for i in range(low, high):
        found = crossed[i]
        edges = faces = 0
        for n in range(bits.shape[1]):
            before[i, n] = edges
            for axis in range(3):
                edges += _bit_count(found[axis, n])
            active = found[ACTIVE, n]
            while active:
                lowest, b = _lowest(active)
                faces += triangles[_case(bits, words, i, n, np.uint64(b))]
                active ^= lowest
        totals[i + 1, 0], totals[i + 1, 1] = edges, faces


@njit(nogil=True, cache=True)
def _write_edges(crossed, words, rows, length, first, edges, low, high):
    """The crossed edges of planes low to high, by node and axis."""
    for i in range(low, high):
        found = crossed[i]
        edge = first[i, 0]
        for n in range(found.shape[1]):
            left = found[0, n] | found[1, n] | found[2, n]
            if left:
                node = (i * rows + n // words) * length + n % words * 64
                while left:
                    lowest, b = _lowest(left)
                    for axis in range(3):
                        if found[axis, n] & lowest:
                            edges[edge] = 3 * (node + b) + axis
                            edge += 1
                    left ^= lowest


@njit(nogil=True, cache=True, inline="always")
def _places(crossed, before, first, i, n, b):
    """Where in the list the edges x, y and z of node b of a word are, and x and y of the next."""
    found = crossed[i]
    earlier = (ONE << b) - ONE
    x = first[i, 0] + before[i, n]
    for axis in range(3):
        x += _bit_count(found[axis, n] & earlier)
    y = x + np.int64((found[0, n] >> b) & ONE)
    z = y + np.int64((found[1, n] >> b) & ONE)
    next_x = z + np.int64((found[2, n] >> b) & ONE)
    next_y = next_x + np.int64(_bit_after(found[0], n, b))
    return x, y, z, next_x, next_y


@njit(nogil=True, cache=True)
def _write_faces(bits, words, crossed, before, first, table, triangles, faces, low, high):
    """The triangles of the cells of planes low to high."""
    place = np.empty(12, np.int64)
    for i in range(low, high):
        face = first[i, 1]
        for n in range(bits.shape[1]):
            active = crossed[i, ACTIVE, n]
            while active:
                lowest, position = _lowest(active)
                active ^= lowest
                b = np.uint64(position)
                x, y, z, next_x, next_y = _places(crossed, before, first, i, n, b)
                place[0], place[1], place[2], place[3], place[4] = x, y, z, next_x, next_y
                x, _, z, next_x, _ = _places(crossed, before, first, i, n + words, b)
                place[5], place[6], place[7] = x, z, next_x
                _, y, z, _, next_y = _places(crossed, before, first, i + 1, n, b)
                place[8], place[9], place[10] = y, z, next_y
                place[11] = _places(crossed, before, first, i + 1, n + words, b)[2]
                case = _case(bits, words, i, n, b)
                for t in range(triangles[case]):
                    for m in range(3):
                        faces[face, m] = place[table[case, t, m]]
                    face += 1
