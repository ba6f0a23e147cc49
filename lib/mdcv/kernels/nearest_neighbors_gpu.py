"""Nearest neighbors on a GPU, by brute force: blocks of queries against tiles of targets.

No table of all pairs is kept, and no result depends on which program is done first: ties go to the
lower index, as in the reference.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from mdcv.kernels.box_overlap_gpu import AS_WRITTEN

#: A block of queries, and the targets it is compared with at a time, for one neighbor.
QUERIES, TARGETS = 64, 64

#: The same for several neighbors, which are kept sorted out per query.
QUERIES_OF_SEVERAL, TARGETS_OF_SEVERAL = 16, 128

#: With fewer warps the numbers of a tile do not fit the registers.
WIDE = {"num_warps": 8, **AS_WRITTEN}

#: The targets are split among programs until there are about this many.
PROGRAMS = 1024

#: Up to this many axes the sum over them is written out, so that loads need not wait in turn.
WRITTEN_OUT = tl.constexpr(8)

#: Higher than every index.
NO_INDEX = tl.constexpr(2**31 - 1)


def nearest_neighbors_gpu(x: Tensor, y: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Squared distances (B, N, k) and indices as the reference gives them, for a small k.

    x (B, N, D) and y (B, M, D) finite, in float32 or float64, D at least 1, M at least k. Memory
    beyond the results grows with N + M.
    """
    squared = x.new_empty((x.shape[0], x.shape[1], k))
    indices = torch.empty(squared.shape, dtype=torch.int64, device=x.device)
    if squared.numel():
        # Axis by axis, so that the points of a tile lie side by side.
        by_axis = x.mT.contiguous(), y.mT.contiguous()
        (_find_nearest if k == 1 else _find_several)(*by_axis, squared, indices)
    return squared, indices


def _find_nearest(x: Tensor, y: Tensor, squared: Tensor, indices: Tensor) -> None:
    (batch, axes, n), m = x.shape, y.shape[2]
    blocks, tiles = batch * triton.cdiv(n, QUERIES), triton.cdiv(m, TARGETS)
    per_part = triton.cdiv(tiles, min(tiles, max(1, PROGRAMS // blocks)))
    parts = triton.cdiv(tiles, per_part)
    grid, sizes = (blocks, parts), (n, m, batch * n, per_part * TARGETS, axes, QUERIES, TARGETS)
    if parts == 1:
        _nearest[grid](x, y, squared, indices, *sizes, **WIDE)
        return
    part_squared = squared.new_empty((parts, batch * n))
    part_indices = indices.new_empty((parts, batch * n))
    _nearest[grid](x, y, part_squared, part_indices, *sizes, **WIDE)
    last = triton.cdiv(batch * n, QUERIES)
    _merge[(last,)](part_squared, part_indices, squared, indices, parts, batch * n, QUERIES)


def _find_several(x: Tensor, y: Tensor, squared: Tensor, indices: Tensor) -> None:
    (batch, axes, n), m, k = x.shape, y.shape[2], squared.shape[2]
    grid = (batch * triton.cdiv(n, QUERIES_OF_SEVERAL),)
    shape = axes, triton.next_power_of_2(k), QUERIES_OF_SEVERAL, TARGETS_OF_SEVERAL
    _several[grid](x, y, squared, indices, n, m, k, *shape, **WIDE)


@triton.jit
def squared_distances(x, y, is_x, is_y, x_step, y_step, AXES: tl.constexpr, KIND: tl.constexpr):
    """Between the points whose first coordinates these pointers hold; the two are broadcast.

    The steps lead from one axis to the next. Summed in the order of the axes, from differences.
    """
    total = _square(x, y, is_x, is_y, KIND)
    if AXES <= WRITTEN_OUT:
        for _ in tl.static_range(1, AXES):
            x += x_step
            y += y_step
            total += _square(x, y, is_x, is_y, KIND)
    else:
        for _ in range(1, AXES):
            x += x_step
            y += y_step
            total += _square(x, y, is_x, is_y, KIND)
    return total


@triton.jit
def _square(x, y, is_x, is_y, KIND: tl.constexpr):
    x_d = tl.load(x, mask=is_x, other=0.0).to(KIND)
    difference = x_d - tl.load(y, mask=is_y, other=0.0).to(KIND)
    return difference * difference


@triton.jit
def _nearest(
    x,
    y,
    squared,
    indices,
    n,
    m,
    rows,
    per_part,
    AXES: tl.constexpr,
    QUERIES: tl.constexpr,
    TARGETS: tl.constexpr,
):
    """The nearest of one part of the targets: each lane keeps its own best until the end."""
    blocks = tl.cdiv(n, QUERIES)
    b, part = (tl.program_id(0) // blocks).to(tl.int64), tl.program_id(1)
    i = tl.program_id(0) % blocks * QUERIES + tl.arange(0, QUERIES)
    lane = tl.arange(0, TARGETS)[None, :]
    first = part * per_part
    queries, targets = x + b * AXES * n + i[:, None], y + b * AXES * m
    kind: tl.constexpr = x.dtype.element_ty
    best = tl.full([QUERIES, TARGETS], float("inf"), kind)
    # Right as it is where every distance is infinite.
    winner = tl.zeros([QUERIES, TARGETS], tl.int32) + (first + lane)
    for start in range(first, tl.minimum(first + per_part, m), TARGETS):
        j = start + lane
        table = squared_distances(
            queries, targets + j, i[:, None] < n, j < m, n, m, AXES=AXES, KIND=kind
        )
        # Indices rise from tile to tile, so that the first of equals stays.
        is_better = (table < best) & (j < m)
        best = tl.where(is_better, table, best)
        winner = tl.where(is_better, j, winner)
    least = tl.min(best, axis=1)
    lowest = tl.min(tl.where(best == least[:, None], winner, NO_INDEX), axis=1)
    row = part.to(tl.int64) * rows + b * n + i
    tl.store(squared + row, least, mask=i < n)
    tl.store(indices + row, lowest.to(tl.int64), mask=i < n)


@triton.jit
def _merge(part_squared, part_indices, squared, indices, parts, rows, BLOCK: tl.constexpr):
    """The best over the parts, which are in the order of their indices."""
    row = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    best = tl.load(part_squared + row, mask=row < rows, other=0.0)
    winner = tl.load(part_indices + row, mask=row < rows, other=0)
    for part in range(1, parts):
        at = tl.cast(part, tl.int64) * rows + row
        other = tl.load(part_squared + at, mask=row < rows, other=0.0)
        other_winner = tl.load(part_indices + at, mask=row < rows, other=0)
        winner = tl.where(other < best, other_winner, winner)
        best = tl.minimum(best, other)
    tl.store(squared + row, best, mask=row < rows)
    tl.store(indices + row, winner, mask=row < rows)


@triton.jit
def _several(
    x,
    y,
    squared,
    indices,
    n,
    m,
    k,
    AXES: tl.constexpr,
    KEPT: tl.constexpr,
    QUERIES: tl.constexpr,
    TARGETS: tl.constexpr,
):
    """The k nearest: the best of a tile replaces the worst that is kept, while it is better."""
    blocks = tl.cdiv(n, QUERIES)
    b = (tl.program_id(0) // blocks).to(tl.int64)
    i = tl.program_id(0) % blocks * QUERIES + tl.arange(0, QUERIES)
    queries, targets = x + b * AXES * n + i[:, None], y + b * AXES * m
    kind: tl.constexpr = x.dtype.element_ty
    slot = tl.arange(0, KEPT)[None, :]
    # At first each slot holds something worse than every target, with an index of its own; slots
    # beyond k hold something that is never the worst.
    kept = tl.where(slot < k, tl.full([QUERIES, KEPT], float("inf"), kind), -1.0)
    kept_index = tl.zeros([QUERIES, KEPT], tl.int32) + tl.where(
        slot < k, NO_INDEX - KEPT + slot, -1
    )
    for start in range(0, m, TARGETS):
        j = start + tl.arange(0, TARGETS)[None, :]
        table = squared_distances(
            queries, targets + j, i[:, None] < n, j < m, n, m, AXES=AXES, KIND=kind
        )
        table = tl.where(j < m, table, float("inf"))
        index = tl.zeros([QUERIES, TARGETS], tl.int32) + tl.where(j < m, j, NO_INDEX)
        replaced = 1
        while replaced > 0:
            least = tl.min(table, axis=1)
            lowest = tl.min(tl.where(table == least[:, None], index, NO_INDEX), axis=1)
            worst = tl.max(kept, axis=1)
            highest = tl.max(tl.where(kept == worst[:, None], kept_index, -1), axis=1)
            is_better = (least < worst) | ((least == worst) & (lowest < highest))
            is_better &= i < n
            is_worst = is_better[:, None] & (kept_index == highest[:, None])
            kept = tl.where(is_worst, least[:, None], kept)
            kept_index = tl.where(is_worst, lowest[:, None], kept_index)
            is_taken = is_better[:, None] & (index == lowest[:, None])
            table = tl.where(is_taken, float("inf"), table)
            index = tl.where(is_taken, NO_INDEX, index)
            replaced = tl.max(is_better.to(tl.int32), axis=0)
    row = (b * n + i) * k
    kept = tl.where(slot < k, kept, float("inf"))
    kept_index = tl.where(slot < k, kept_index, NO_INDEX)
    for s in range(k):
        least = tl.min(kept, axis=1)
        lowest = tl.min(tl.where(kept == least[:, None], kept_index, NO_INDEX), axis=1)
        tl.store(squared + row + s, least, mask=i < n)
        tl.store(indices + row + s, lowest.to(tl.int64), mask=i < n)
        is_taken = kept_index == lowest[:, None]
        kept = tl.where(is_taken, float("inf"), kept)
        kept_index = tl.where(is_taken, NO_INDEX, kept_index)
