"""Marching cubes on a GPU: count per block of nodes, add up, write.

A block takes consecutive nodes, whole rows or a part of one, so that the lists come out in the
order of the reference. Beside the mesh, a volume of less than 700 million nodes takes six bytes a
node: which edges from it are crossed, the case of the cell above it, and where in the list its
edges begin.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from mdcv.kernels.marching_cubes_table import CORNERS, EDGES, MOST_TRIANGLES, case_table

#: Nodes of a block, a power of two.
NODES = 1024

#: Up to this many edges, crossed or not, a place in the list of edges fits 32 bits.
MOST_NARROW = 2**31 - 1


def marching_cubes_gpu(volume: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
    """Crossed edges (V,) and faces (F, 3) as the reference gives them; at least 2 nodes each way.

    The host waits once, to learn how many there are.
    """
    planes, rows, length = volume.shape
    device, nodes = volume.device, volume.numel()
    along = min(NODES, triton.next_power_of_2(length))
    blocks = triton.cdiv(planes * rows, NODES // along) * triton.cdiv(length, along)
    table = torch.from_numpy(case_table())
    triangles = (table[:, :, 0] >= 0).sum(dim=1, dtype=torch.int32).to(device)
    table = table.to(device)
    edge_starts = torch.tensor([[CORNERS.index(c), axis] for c, axis in EDGES], dtype=torch.int32)
    sizes = planes * rows, rows, length, along, NODES

    crossed = torch.empty(nodes, dtype=torch.int8, device=device)
    case = torch.empty(nodes, dtype=torch.uint8, device=device)
    counts = torch.empty((2, blocks), dtype=torch.int32, device=device)
    arrays = volume.contiguous(), level, triangles, crossed, case, counts
    _count[(blocks,)](*arrays, blocks, *sizes)

    ends = counts.cumsum(dim=1, dtype=torch.int64)
    edge_count, face_count = ends[:, -1].tolist()
    starts = ends - counts
    edges = torch.empty(edge_count, dtype=torch.int64, device=device)
    faces = torch.empty((face_count, 3), dtype=torch.int64, device=device)
    place = torch.int32 if 3 * nodes <= MOST_NARROW else torch.int64
    first_edge = torch.empty(nodes, dtype=place, device=device)
    if edge_count:
        _write_edges[(blocks,)](crossed, starts, first_edge, edges, *sizes)
    if face_count:
        arrays = crossed, case, table, triangles, edge_starts.to(device), starts, first_edge, faces
        _write_faces[(blocks,)](*arrays, blocks, *sizes, MOST_TRIANGLES)
    return edges, faces


@triton.jit
def _nodes_of_block(rows, length, ALONG: tl.constexpr, NODES: tl.constexpr):
    """Row, place in the row and number of each node, and whether it is one."""
    parts = tl.cdiv(length, ALONG)
    lane = tl.arange(0, NODES)
    row = tl.program_id(0) // parts * (NODES // ALONG) + lane // ALONG
    k = tl.program_id(0) % parts * ALONG + lane % ALONG
    return row, k, row.to(tl.int64) * length + k, (row < rows) & (k < length)


@triton.jit
def _count(
    volume,
    level,
    triangles,
    crossed,
    case,
    counts,
    blocks,
    rows,
    rows_per_plane,
    length,
    ALONG: tl.constexpr,
    NODES: tl.constexpr,
):
    """Notes what is crossed at every node, and counts edges and faces of the block."""
    row, k, node, is_node = _nodes_of_block(rows, length, ALONG, NODES)
    next_plane = is_node & (row < rows - rows_per_plane)
    next_row = is_node & (row % rows_per_plane < rows_per_plane - 1)
    next_node = is_node & (k < length - 1)
    height = tl.load(level)
    corners = tl.zeros([NODES], tl.int32)
    for c in tl.static_range(8):
        exists = is_node
        corner = volume + node
        if c & 4:
            exists &= next_plane
            corner += tl.cast(rows_per_plane, tl.int64) * length
        if c & 2:
            exists &= next_row
            corner += length
        if c & 1:
            exists &= next_node
            corner += 1
        value = tl.load(corner, mask=exists, other=0.0)
        corners |= (exists & (value < height)).to(tl.int32) << c
    across = ((corners ^ (corners >> 4)) & 1) * next_plane.to(tl.int32)
    across += ((corners ^ (corners >> 2)) & 1) * next_row.to(tl.int32) * 2
    across += ((corners ^ (corners >> 1)) & 1) * next_node.to(tl.int32) * 4
    is_cell = next_plane & next_row & next_node
    corners = tl.where(is_cell, corners, 0)
    tl.store(crossed + node, across.to(tl.int8), mask=is_node)
    tl.store(case + node, corners.to(tl.uint8), mask=is_node)
    faces = tl.load(triangles + corners)
    tl.store(counts + tl.program_id(0), tl.sum(_how_many(across), axis=0))
    tl.store(counts + blocks + tl.program_id(0), tl.sum(faces, axis=0))


@triton.jit
def _how_many(across):
    """Of three bits, how many are set."""
    return (across & 1) + ((across >> 1) & 1) + ((across >> 2) & 1)


@triton.jit
def _write_edges(
    crossed,
    starts,
    first_edge,
    edges,
    rows,
    rows_per_plane,
    length,
    ALONG: tl.constexpr,
    NODES: tl.constexpr,
):
    """The crossed edges by node and axis, and for every node where they begin."""
    _, _, node, is_node = _nodes_of_block(rows, length, ALONG, NODES)
    across = tl.load(crossed + node, mask=is_node, other=0).to(tl.int32)
    count = _how_many(across)
    place = tl.load(starts + tl.program_id(0)) + tl.cumsum(count, axis=0) - count
    tl.store(first_edge + node, place.to(first_edge.dtype.element_ty), mask=count > 0)
    for axis in tl.static_range(3):
        is_crossed = (across & (1 << axis)) != 0
        tl.store(edges + place, 3 * node + axis, mask=is_crossed)
        place += is_crossed.to(tl.int32)


@triton.jit
def _write_faces(
    crossed,
    case,
    table,
    triangles,
    edge_starts,
    starts,
    first_edge,
    faces,
    blocks,
    rows,
    rows_per_plane,
    length,
    ALONG: tl.constexpr,
    NODES: tl.constexpr,
    MOST_TRIANGLES: tl.constexpr,
):
    """The triangles of the cells, each as the places of its three edges in the list."""
    _, _, node, is_node = _nodes_of_block(rows, length, ALONG, NODES)
    corners = tl.load(case + node, mask=is_node, other=0).to(tl.int32)
    count = tl.load(triangles + corners)
    place = tl.load(starts + blocks + tl.program_id(0)) + tl.cumsum(count, axis=0) - count
    most = tl.max(count, axis=0)
    for t in range(most):
        is_drawn = t < count
        for m in tl.static_range(3):
            edge = tl.load(
                table + (corners * MOST_TRIANGLES + t) * 3 + m, mask=is_drawn, other=0
            ).to(tl.int32)
            corner = tl.load(edge_starts + 2 * edge, mask=is_drawn, other=0)
            axis = tl.load(edge_starts + 2 * edge + 1, mask=is_drawn, other=0)
            row = (corner >> 2).to(tl.int64) * rows_per_plane + ((corner >> 1) & 1)
            start = node + row * length + (corner & 1)
            across = tl.load(crossed + start, mask=is_drawn, other=0).to(tl.int32)
            number = tl.load(first_edge + start, mask=is_drawn, other=0).to(tl.int64)
            number += _how_many(across & ((1 << axis) - 1))
            tl.store(faces + (place + t) * 3 + m, number, mask=is_drawn)
