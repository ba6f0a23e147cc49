"""RoI Pool on the CPU: the winners of a bin are found for a block of channels at once."""

from __future__ import annotations

import numpy as np
import torch
from numba import njit
from torch import Tensor

from mdcv.kernels.roi_cells_cpu import RUN, fetch, over_tasks, room_for_cells


def roi_pool_cpu(
    input: Tensor, rois: Tensor, height: int, width: int, spatial_scale: float
) -> tuple[Tensor, Tensor]:
    """Maxima and their cells as the reference gives them.

    input (N, C, H, W) in float32 or float64, of any strides; rois (K, 5) checked.
    """
    values = input.new_empty((rois.shape[0], input.shape[1], height, width))
    winners = torch.empty_like(values, dtype=torch.int32)
    arguments = input.numpy(), values.numpy(), winners.numpy(), spatial_scale
    over_tasks(_pool, input.shape, values.numel(), rois, *arguments)
    return values, winners


def roi_pool_backward_cpu(
    grad: Tensor, winners: Tensor, rois: Tensor, size: tuple[int, int, int, int]
) -> Tensor:
    """Gradient of the input, of the given size, from the gradient (K, C, height, width)."""
    to_input = torch.from_numpy(np.zeros(size, grad.numpy().dtype))
    arguments = grad.contiguous().numpy(), winners.contiguous().numpy(), to_input.numpy()
    over_tasks(_return, size, grad.numel(), rois, *arguments)
    return to_input


@njit(nogil=True, cache=True)
def _pool(input, values, winners, scale, rois, order, starts, block, low, high):
    height, width = values.shape[2], values.shape[3]
    channels, rows, columns = input.shape[1:]
    blocks = (channels + block - 1) // block
    block = min(block, channels)
    cells, fetched = room_for_cells(rows, columns, block, input)
    edges_y, edges_x = np.empty((height, 2), np.int64), np.empty((width, 2), np.int64)
    best, winner = (
        np.empty((height, width, block), input.dtype),
        np.empty((height, width, block), np.int32),
    )
    scale = rois.dtype.type(scale)
    for task in range(low, high):
        image, first = task // blocks, task % blocks * block
        depth = min(block, channels - first)
        fetched[:] = False
        for k in order[starts[image] : starts[image + 1]]:
            _find_edges(edges_y, rois[k, 2] * scale, rois[k, 4] * scale, rows)
            _find_edges(edges_x, rois[k, 1] * scale, rois[k, 3] * scale, columns)
            run_first, run_last = edges_x[0, 0] // RUN, (edges_x[width - 1, 1] - 1) // RUN
            for y in range(edges_y[0, 0], edges_y[height - 1, 1]):
                fetch(input, image, first, depth, y, run_first, run_last, fetched, cells)
            for i in range(height):
                for j in range(width):
                    _find_best(cells, edges_y[i], edges_x[j], depth, best, winner, i, j)
            for c in range(depth):
                for i in range(height):
                    for j in range(width):
                        values[k, first + c, i, j] = best[i, j, c]
                        winners[k, first + c, i, j] = winner[i, j, c]


@njit(nogil=True, cache=True)
def _return(grad, winners, to_input, rois, order, starts, block, low, high):
    channels, columns = to_input.shape[1], to_input.shape[3]
    blocks = (channels + block - 1) // block
    for task in range(low, high):
        image, first = task // blocks, task % blocks * block
        for k in order[starts[image] : starts[image + 1]]:
            for c in range(first, min(first + block, channels)):
                for i in range(grad.shape[2]):
                    for j in range(grad.shape[3]):
                        cell = winners[k, c, i, j]
                        if cell >= 0:
                            to_input[image, c, cell // columns, cell % columns] += grad[k, c, i, j]


@njit(nogil=True, cache=True)
def _round_half_away(position):
    whole = np.trunc(position)
    return whole + np.sign(position) if abs(position - whole) >= 0.5 else whole


@njit(nogil=True, cache=True)
def _find_edges(edges, low, high, extent):
    """Where every bin begins and ends, rounded as the dtype of the regions rounds."""
    bins, number = edges.shape[0], type(low)
    first, last = _round_half_away(low), _round_half_away(high)
    bin_size = max(last - first + number(1), number(1)) / number(bins)
    for i in range(bins):
        begin = first + np.floor(number(i) * bin_size)
        end = first + np.ceil(number(i + 1) * bin_size)
        edges[i, 0] = min(max(begin, 0), extent)
        edges[i, 1] = min(max(end, 0), extent)


@njit(nogil=True, cache=True)
def _find_best(cells, edge_y, edge_x, depth, best, winner, i, j):
    """The greatest value of bin (i, j) in each channel, and where it stands first."""
    top, bottom, left, right = edge_y[0], edge_y[1], edge_x[0], edge_x[1]
    if top >= bottom or left >= right:
        best[i, j, :depth], winner[i, j, :depth] = 0, -1
        return
    best[i, j, :depth] = cells[top, left, :depth]
    winner[i, j, :depth] = top * cells.shape[1] + left
    for y in range(top, bottom):
        for x in range(left, right):
            number = np.int32(y * cells.shape[1] + x)
            for c in range(depth):
                # Choices, not branches: only those become vector instructions.
                value = cells[y, x, c]
                is_better = (value > best[i, j, c]) | (value != value)
                best[i, j, c] = value if is_better else best[i, j, c]
                winner[i, j, c] = number if is_better else winner[i, j, c]
