"""RoI Align on the CPU, one axis after the other.

The samples of a bin form a grid, so their mean is W_y F W_xᵀ: along each axis a few cells have a
weight (the taps), and the weight of a cell is the product. Forward, the rows that a bin touches
are combined along x, then added up along y; backward, the same in the opposite order. A block of
channels is worked on at once, as `roi_cells_cpu` tells.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numba import njit
from torch import Tensor

from mdcv.kernels.roi_cells_cpu import RUN, clear, fetch, over_tasks, room_for_cells, write_back

#: Two rows are held at a time, y in the place y % 2: bins in order share no more.
NO_ROW = -1


class _Taps(NamedTuple):
    """For every bin along an axis the number of its taps, their cells, and their weights."""

    count: np.ndarray
    cell: np.ndarray
    weight: np.ndarray


def roi_align_cpu(
    input: Tensor,
    rois: Tensor,
    height: int,
    width: int,
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Means (K, C, height, width) as the reference gives them, up to the order of the sums.

    input (N, C, H, W) in float32 or float64, of any strides; rois (K, 5) checked.
    """
    means = input.new_empty((rois.shape[0], input.shape[1], height, width))
    arguments = input.numpy(), means.numpy(), spatial_scale, sampling_ratio, aligned
    over_tasks(_align, input.shape, means.numel(), rois.to(input.dtype), *arguments)
    return means


def roi_align_backward_cpu(
    grad: Tensor,
    rois: Tensor,
    size: tuple[int, int, int, int],
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Gradient of the input, of the given size, from the gradient (K, C, height, width)."""
    # NumPy's zeros are pages that cost nothing until they are touched; PyTorch writes them out.
    to_input = torch.from_numpy(np.zeros(size, grad.numpy().dtype))
    arguments = grad.contiguous().numpy(), to_input.numpy(), spatial_scale, sampling_ratio, aligned
    over_tasks(_spread, size, grad.numel(), rois.to(grad.dtype), *arguments)
    return to_input


@njit(nogil=True, cache=True)
def _align(input, means, scale, ratio, aligned, rois, order, starts, block, low, high):
    height, width = means.shape[2], means.shape[3]
    channels, rows, columns = input.shape[1:]
    blocks, block = (channels + block - 1) // block, min(block, channels)
    cells, fetched = room_for_cells(rows, columns, block, input)
    taps_y, taps_x, held, row_held, bins = _room(height, width, cells)
    for task in range(low, high):
        image, first = task // blocks, task % blocks * block
        depth = min(block, channels - first)
        fetched[:] = False
        for k in order[starts[image] : starts[image + 1]]:
            share = _find_taps(taps_y, taps_x, rois, k, scale, ratio, aligned)
            run_first, run_last = _runs(taps_x)
            row_held[:] = NO_ROW
            for i in range(height):
                if taps_y.count[i] == 0:
                    bins[i] = 0
                for t in range(taps_y.count[i]):
                    y = taps_y.cell[i, t]
                    place = y % 2
                    if row_held[place] != y:
                        row_held[place] = y
                        fetch(input, image, first, depth, y, run_first, run_last, fetched, cells)
                        _combine(cells, y, depth, taps_x, held, place)
                    weight = taps_y.weight[i, t] * share
                    _add(bins, i, held, place, weight, depth, t == 0)
            for c in range(depth):
                for i in range(height):
                    for j in range(width):
                        means[k, first + c, i, j] = bins[i, j, c]


@njit(nogil=True, cache=True)
def _spread(grad, to_input, scale, ratio, aligned, rois, order, starts, block, low, high):
    height, width = grad.shape[2], grad.shape[3]
    channels, rows, columns = to_input.shape[1:]
    blocks, block = (channels + block - 1) // block, min(block, channels)
    cells, fetched = room_for_cells(rows, columns, block, grad)
    taps_y, taps_x, held, row_held, bins = _room(height, width, cells)
    for task in range(low, high):
        image, first = task // blocks, task % blocks * block
        depth = min(block, channels - first)
        fetched[:] = False
        for k in order[starts[image] : starts[image + 1]]:
            share = _find_taps(taps_y, taps_x, rois, k, scale, ratio, aligned)
            run_first, run_last = _runs(taps_x)
            for c in range(depth):
                for i in range(height):
                    for j in range(width):
                        bins[i, j, c] = grad[k, first + c, i, j]
            row_held[:] = NO_ROW
            for i in range(height):
                for t in range(taps_y.count[i]):
                    y = taps_y.cell[i, t]
                    place = y % 2
                    is_new = row_held[place] != y
                    if is_new:
                        if row_held[place] != NO_ROW:
                            clear(depth, row_held[place], run_first, run_last, fetched, cells)
                            _distribute(cells, row_held[place], depth, taps_x, held, place)
                        row_held[place] = y
                    weight = taps_y.weight[i, t] * share
                    _add(held, place, bins, i, weight, depth, is_new)
            for place in range(2):
                if row_held[place] != NO_ROW:
                    clear(depth, row_held[place], run_first, run_last, fetched, cells)
                    _distribute(cells, row_held[place], depth, taps_x, held, place)
        write_back(cells, fetched, depth, to_input, image, first)


@njit(nogil=True, cache=True)
def _room(height, width, cells):
    """Room for the taps along y and x, two rows, which rows these are, and the bins."""
    rows, columns, block = cells.shape
    return (
        _room_for_taps(height, rows, cells),
        _room_for_taps(width, columns, cells),
        np.empty((2, width, block), cells.dtype),
        np.empty(2, np.int64),
        np.empty((height, width, block), cells.dtype),
    )


@njit(nogil=True, cache=True)
def _room_for_taps(bins, extent, like):
    return _Taps(
        np.empty(bins, np.int64),
        np.empty((bins, extent), np.int64),
        np.empty((bins, extent), like.dtype),
    )


@njit(nogil=True, cache=True)
def _find_taps(taps_y, taps_x, rois, k, scale, sampling_ratio, aligned):
    """Fills in the taps of region k; returns a sample's share in its bin.

    Rounds as the input's dtype does, in the order of the reference: which cell a sample falls
    into, and how many samples there are, can depend on the last bit.
    """
    number = rois.dtype.type
    scale = number(scale)
    shift = number(0.5) if aligned else number(0)
    x, y = rois[k, 1] * scale - shift, rois[k, 2] * scale - shift
    size_x, size_y = rois[k, 3] * scale - shift - x, rois[k, 4] * scale - shift - y
    if not aligned:
        size_x, size_y = max(size_x, number(1)), max(size_y, number(1))
    samples_y = _find_axis_taps(taps_y, y, size_y, sampling_ratio)
    samples_x = _find_axis_taps(taps_x, x, size_x, sampling_ratio)
    return number(1) / number(max(samples_y * samples_x, 1))


@njit(nogil=True, cache=True)
def _find_axis_taps(taps, start, size, sampling_ratio):
    count, cell, weight = taps
    bins, extent = weight.shape
    number = weight.dtype.type
    bin_size = size / number(bins)
    samples = sampling_ratio if sampling_ratio > 0 else np.int64(math.ceil(bin_size))
    for i in range(bins):
        m = 0
        bin_start = start + number(i) * bin_size
        low, high = _samples_inside(bin_start, bin_size, samples, extent)
        for s in range(low, high):
            position = bin_start + (number(s) + number(0.5)) * bin_size / number(samples)
            if position < number(-1) or position > number(extent):
                continue
            position = max(position, number(0))
            below = min(np.int64(position), extent - 1)
            part = position - number(below) if below < extent - 1 else number(0)
            # Positions rise, so a cell that has a tap already is the last one or the one before.
            for at, share in ((below, number(1) - part), (below + 1, part)):
                if at == extent:
                    continue
                if m > 0 and cell[i, m - 1] == at:
                    weight[i, m - 1] += share
                elif m > 1 and cell[i, m - 2] == at:
                    weight[i, m - 2] += share
                else:
                    cell[i, m], weight[i, m] = at, share
                    m += 1
        count[i] = m
    return samples


@njit(nogil=True, cache=True)
def _samples_inside(bin_start, bin_size, samples, extent):
    """A range of samples with all that are less than a cell outside, and few others."""
    step = np.float64(bin_size) / max(samples, 1)
    if step * samples < 2 * extent or step == 0:
        return 0, samples
    low = (-1 - np.float64(bin_start)) / step - 2
    high = (extent - np.float64(bin_start)) / step + 2
    return np.int64(max(low, 0)), np.int64(max(min(high, samples), 0))


@njit(nogil=True, cache=True)
def _runs(taps_x):
    """The first and the last run of cells along x that the taps touch."""
    count, cell, weight = taps_x
    first, last = weight.shape[1], -1
    for j in range(count.shape[0]):
        if count[j] > 0:
            first, last = min(first, cell[j, 0]), max(last, cell[j, count[j] - 1])
    return first // RUN, last // RUN


@njit(nogil=True, cache=True)
def _combine(cells, y, depth, taps_x, held, place):
    """held[place, j] = Σ over the taps t of bin j of weight_t · cells[y, x_t], two taps a pass."""
    count, cell, weight = taps_x
    for j in range(count.shape[0]):
        last = count[j] - 1
        if last < 0:
            held[place, j, :depth] = 0
        elif last == 0:
            a, left = weight[j, 0], cell[j, 0]
            for c in range(depth):
                held[place, j, c] = a * cells[y, left, c]
        else:
            a, b, left, right = weight[j, 0], weight[j, 1], cell[j, 0], cell[j, 1]
            for c in range(depth):
                held[place, j, c] = a * cells[y, left, c] + b * cells[y, right, c]
        for t in range(2, last, 2):
            a, b, left, right = weight[j, t], weight[j, t + 1], cell[j, t], cell[j, t + 1]
            for c in range(depth):
                held[place, j, c] += a * cells[y, left, c] + b * cells[y, right, c]
        if last >= 2 and last % 2 == 0:
            a, left = weight[j, last], cell[j, last]
            for c in range(depth):
                held[place, j, c] += a * cells[y, left, c]


@njit(nogil=True, cache=True)
def _distribute(cells, y, depth, taps_x, held, place):
    """cells[y, x_t] += weight_t · held[place, j] for the taps t of every bin j: the transpose."""
    count, cell, weight = taps_x
    for j in range(count.shape[0]):
        for t in range(count[j]):
            a, x = weight[j, t], cell[j, t]
            for c in range(depth):
                cells[y, x, c] += a * held[place, j, c]


@njit(nogil=True, cache=True)
def _add(total, i, rows, j, weight, depth, is_first):
    """total[i] += weight · rows[j], or total[i] = weight · rows[j]."""
    for k in range(total.shape[1]):
        if is_first:
            for c in range(depth):
                total[i, k, c] = weight * rows[j, k, c]
        else:
            for c in range(depth):
                total[i, k, c] += weight * rows[j, k, c]
