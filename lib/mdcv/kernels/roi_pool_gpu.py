"""RoI Pool on a GPU: a bin and a block of channels per program."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

CHANNELS = 128

CHANNELS_LAST = torch.channels_last


def roi_pool_gpu(
    input: Tensor, rois: Tensor, height: int, width: int, spatial_scale: float
) -> tuple[Tensor, Tensor]:
    """Maxima (K, C, height, width) and their cells, as the reference gives them; good rois."""
    k, (_, channels, rows, columns) = rois.shape[0], input.shape
    input, rois = input.contiguous(memory_format=CHANNELS_LAST), rois.contiguous()
    like_input = {"device": input.device, "memory_format": CHANNELS_LAST}
    values = torch.empty((k, channels, height, width), dtype=input.dtype, **like_input)
    winners = torch.empty(values.shape, dtype=torch.int32, **like_input)
    if values.numel():
        # As a tensor of the dtype, so that the product is rounded as in the reference; filled on
        # the device, since copying it there would make the host wait.
        scale = torch.full((), spatial_scale, dtype=rois.dtype, device=rois.device)
        sizes = channels, rows, columns, height, width
        grid = (k * height * width, triton.cdiv(channels, CHANNELS))
        _pool[grid](input, rois, scale, values, winners, *sizes, CHANNELS, enable_fp_fusion=False)
    return values.contiguous(), winners.contiguous()


@triton.jit
def _round_half_away(position):
    down = tl.floor(tl.abs(position))
    up = tl.where(tl.abs(position) - down >= 0.5, down + 1, down)
    return tl.where(position < 0, -up, up)


@triton.jit
def _edges(low, high, bin, bins, extent):
    """Where a bin begins and ends."""
    first, last = _round_half_away(low), _round_half_away(high)
    size = tl.maximum(last - first + 1, 1.0)
    count = tl.cast(bins, size.dtype)
    bin_size = tl.div_rn(size, count) if size.dtype == tl.float32 else size / count
    begin = first + tl.floor(bin.to(size.dtype) * bin_size)
    end = first + tl.ceil((bin + 1).to(size.dtype) * bin_size)
    begin, end = tl.maximum(begin, 0.0), tl.maximum(end, 0.0)
    return tl.minimum(begin, extent).to(tl.int32), tl.minimum(end, extent).to(tl.int32)


@triton.jit
def _pool(
    input,
    rois,
    scale,
    values,
    winners,
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
    factor = tl.load(scale)
    image = tl.load(rois + k * 5).to(tl.int64)
    left, right = _edges(
        tl.load(rois + k * 5 + 1) * factor, tl.load(rois + k * 5 + 3) * factor, j, width, columns
    )
    top, bottom = _edges(
        tl.load(rois + k * 5 + 2) * factor, tl.load(rois + k * 5 + 4) * factor, i, height, rows
    )
    best = tl.zeros([CHANNELS], input.dtype.element_ty)
    winner = tl.full([CHANNELS], -1, tl.int32)
    for y in range(top, bottom):
        for x in range(left, right):
            cell = ((image * rows + y) * columns + x) * channels
            value = tl.load(input + cell + c, mask=c < channels, other=0.0)
            is_better = (winner < 0) | (value > best) | (value != value)
            best = tl.where(is_better, value, best)
            winner = tl.where(is_better, y * columns + x, winner)
    tl.store(values + bin.to(tl.int64) * channels + c, best, mask=c < channels)
    tl.store(winners + bin.to(tl.int64) * channels + c, winner, mask=c < channels)
