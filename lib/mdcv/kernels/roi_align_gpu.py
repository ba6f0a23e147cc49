"""RoI Align on a GPU, one axis after the other: W_y F W_xᵀ with the weights in a table.

The table holds, for every region and bin, the weight of each cell along an axis and the span of
cells with a weight. Forward, a program owns a bin and a block of channels; backward, a stretch of
a row of the input and a block of channels. As every number has one owner, which goes through
regions and bins in order, there are no atomic additions and the sums always come out the same.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

CHANNELS, STRETCH, WARPS = 128, 16, 8

CHANNELS_LAST = torch.channels_last


def roi_align_gpu(
    input: Tensor,
    rois: Tensor,
    height: int,
    width: int,
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Means (K, C, height, width) in the input's dtype; rois (K, 5) good ones."""
    k, (_, channels, rows, columns) = rois.shape[0], input.shape
    input = input.contiguous(memory_format=CHANNELS_LAST)
    means = _channels_last((k, channels, height, width), input)
    if means.numel() == 0:
        return means.contiguous()
    rois = rois.contiguous()
    options = spatial_scale, sampling_ratio, aligned
    weights_y, span_y = _tables(rois, 2, height, rows, *options)
    weights_x, span_x = _tables(rois, 1, width, columns, *options)
    tables = weights_y, span_y, weights_x, span_x
    sizes = channels, rows, columns, height, width
    grid = (k * height * width, triton.cdiv(channels, CHANNELS))
    _align[grid](input, rois, *tables, means, *sizes, CHANNELS)
    return means.contiguous()


def roi_align_backward_gpu(
    grad: Tensor,
    rois: Tensor,
    size: tuple[int, int, int, int],
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Gradient of the input, of the given size, from the gradient (K, C, height, width)."""
    images, channels, rows, columns = size
    k, _, height, width = grad.shape
    grad, rois = grad.contiguous(memory_format=CHANNELS_LAST), rois.contiguous()
    to_input = _channels_last(size, grad)
    if grad.numel() == 0 or to_input.numel() == 0:
        return grad.new_zeros(size)
    options = spatial_scale, sampling_ratio, aligned
    weights_y, span_y = _tables(rois, 2, height, rows, *options)
    weights_x, span_x = _tables(rois, 1, width, columns, *options)
    tables = weights_y, span_y, weights_x, span_x
    sizes = k, channels, rows, columns, height, width
    grid = (images * rows, triton.cdiv(columns, STRETCH), triton.cdiv(channels, CHANNELS))
    _spread[grid](grad, rois, *tables, to_input, *sizes, STRETCH, CHANNELS, num_warps=WARPS)
    return to_input.contiguous()


def _channels_last(size: tuple[int, ...], like: Tensor) -> Tensor:
    return torch.empty(size, dtype=like.dtype, device=like.device, memory_format=CHANNELS_LAST)


def _tables(rois, corner, bins, extent, spatial_scale, sampling_ratio, aligned):
    """Weights (K, bins, extent) along the axis of that corner, and spans (K, bins, 2)."""
    weights = rois.new_empty((rois.shape[0], bins, extent))
    span = torch.empty((rois.shape[0], bins, 2), dtype=torch.int32, device=rois.device)
    # As a tensor of the dtype, so that the product is rounded as in the reference; filled on the
    # device, since copying it there would make the host wait.
    scale = torch.full((), spatial_scale, dtype=rois.dtype, device=rois.device)
    cells = triton.next_power_of_2(extent)
    grid = (rois.shape[0] * bins,)
    _find_weights[grid](
        rois, scale, weights, span, corner, bins, extent, sampling_ratio, aligned, cells,
        enable_fp_fusion=False,
    )  # fmt: skip
    return weights, span


@triton.jit
def _find_weights(
    rois,
    scale,
    weights,
    span,
    corner,
    bins,
    extent,
    sampling_ratio,
    ALIGNED: tl.constexpr,
    CELLS: tl.constexpr,
):
    """One bin's weights along an axis: each sample gives to the cells less than one away."""
    k, bin = tl.program_id(0) // bins, tl.program_id(0) % bins
    factor = tl.load(scale)
    shift = 0.5 if ALIGNED else 0.0
    start = tl.load(rois + k * 5 + corner) * factor - shift
    size = tl.load(rois + k * 5 + corner + 2) * factor - shift - start
    if not ALIGNED:
        size = tl.maximum(size, 1.0)
    bin_size = _divide(size, tl.cast(bins, start.dtype))
    samples = tl.ceil(bin_size).to(tl.int64)
    if sampling_ratio > 0:
        samples = tl.cast(sampling_ratio, tl.int64)
    parts = tl.maximum(samples, 1).to(start.dtype)
    bin_start = start + bin.to(start.dtype) * bin_size
    # Of very many samples, only those near the cells.
    step = tl.maximum(bin_size / parts, 1e-30)
    low = tl.minimum(tl.maximum((-1 - bin_start) / step - 2, 0.0), 2147483648.0).to(tl.int64)
    high = tl.minimum(tl.maximum((extent - bin_start) / step + 3, 0.0), 2147483648.0).to(tl.int64)
    cell = tl.arange(0, CELLS)
    total = tl.zeros([CELLS], start.dtype)
    for s in range(low, tl.minimum(high, samples)):
        position = bin_start + _divide((tl.cast(s, start.dtype) + 0.5) * bin_size, parts)
        is_inside = (position >= -1.0) & (position <= extent)
        position = tl.minimum(tl.maximum(position, 0.0), extent - 1.0)
        near = tl.maximum(1.0 - tl.abs(cell.to(start.dtype) - position), 0.0)
        total += tl.where(is_inside, near, 0.0)
    total = tl.where(cell < extent, total / parts, 0.0)
    tl.store(weights + tl.program_id(0).to(tl.int64) * extent + cell, total, mask=cell < extent)
    first = tl.min(tl.where(total > 0, cell, CELLS), axis=0)
    last = tl.max(tl.where(total > 0, cell, -1), axis=0)
    tl.store(span + tl.program_id(0) * 2, first)
    tl.store(span + tl.program_id(0) * 2 + 1, last + 1)


@triton.jit
def _divide(a, b):
    """a / b, rounded correctly: plain division of float32 is off in the last bit on a GPU."""
    return tl.div_rn(a, b) if a.dtype == tl.float32 else a / b


@triton.jit
def _align(
    input,
    rois,
    weights_y,
    span_y,
    weights_x,
    span_x,
    means,
    channels,
    rows,
    columns,
    height,
    width,
    CHANNELS: tl.constexpr,
):
    bin = tl.program_id(0)
    k, i, j = bin // (height * width), bin // width % height, bin % width
    c = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    image = tl.load(rois + k * 5).to(tl.int64)
    line_y, line_x = (k * height + i).to(tl.int64), (k * width + j).to(tl.int64)
    left, right = tl.load(span_x + line_x * 2), tl.load(span_x + line_x * 2 + 1)
    total = tl.zeros([CHANNELS], weights_y.dtype.element_ty)
    for y in range(tl.load(span_y + line_y * 2), tl.load(span_y + line_y * 2 + 1)):
        row = tl.zeros([CHANNELS], weights_y.dtype.element_ty)
        for x in range(left, right):
            weight = tl.load(weights_x + line_x * columns + x)
            cell = ((image * rows + y) * columns + x) * channels
            value = tl.load(input + cell + c, mask=c < channels, other=0.0)
            row += weight * value.to(row.dtype)
        total += tl.load(weights_y + line_y * rows + y) * row
    tl.store(means + bin.to(tl.int64) * channels + c, total, mask=c < channels)


@triton.jit
def _spread(
    grad,
    rois,
    weights_y,
    span_y,
    weights_x,
    span_x,
    to_input,
    regions,
    channels,
    rows,
    columns,
    height,
    width,
    STRETCH: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    image, y = tl.program_id(0) // rows, tl.program_id(0) % rows
    first = tl.program_id(1) * STRETCH
    x = first + tl.arange(0, STRETCH)
    c = tl.program_id(2) * CHANNELS + tl.arange(0, CHANNELS)
    total = tl.zeros([STRETCH, CHANNELS], weights_y.dtype.element_ty)
    for k in range(regions):
        if tl.load(rois + k * 5).to(tl.int32) == image:
            for i in range(height):
                line_y = tl.cast(k, tl.int64) * height + i
                if (tl.load(span_y + line_y * 2) <= y) & (tl.load(span_y + line_y * 2 + 1) > y):
                    weight_y = tl.load(weights_y + line_y * rows + y)
                    for j in range(width):
                        line_x = tl.cast(k, tl.int64) * width + j
                        begin, end = tl.load(span_x + line_x * 2), tl.load(span_x + line_x * 2 + 1)
                        if (begin < first + STRETCH) & (end > first):
                            line = weights_x + line_x * columns
                            weight = weight_y * tl.load(line + x, mask=x < columns, other=0.0)
                            bin = (line_y * width + j) * channels
                            given = tl.load(grad + bin + c, mask=c < channels, other=0.0)
                            total += weight[:, None] * given.to(weight.dtype)[None, :]
    cell = ((image.to(tl.int64) * rows + y) * columns + x) * channels
    is_cell = (x < columns)[:, None] & (c < channels)[None, :]
    tl.store(to_input + cell[:, None] + c[None, :], total, mask=is_cell)
