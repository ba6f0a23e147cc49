"""RoI Pool: the greatest value in every bin of a region that is rounded to whole cells."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.kernels.arithmetic import widened
from mdcv.kernels.roi_checks import check_regions, regions_at_fault

#: The winner of a bin without cells.
NO_CELL = -1


def roi_pool_reference(
    input: Tensor, rois: Tensor, height: int, width: int, spatial_scale: float
) -> tuple[Tensor, Tensor]:
    """Maxima (K, C, height, width) of input (N, C, H, W) in regions (K, 5), and their cells.

    A region is scaled, and its corners rounded, halves away from zero; its last cell counts too.
    Bin i covers the cells from ⌊i · size / bins⌋ to ⌈(i + 1) · size / bins⌉, as far as there are
    any: 0 and the cell -1 where there are none. A cell is numbered y · W + x; the first of equals
    wins, and NaN wins over all.
    """
    columns = input.shape[3]
    cells = torch.arange(input.shape[2] * columns, device=input.device).unflatten(0, (-1, columns))
    values = input.new_zeros((len(rois), input.shape[1], height, width))
    winners = torch.full_like(values, NO_CELL, dtype=torch.int32)
    for k, roi in enumerate(rois):
        x1, y1, x2, y2 = _round_half_away(roi[1:] * spatial_scale)
        for i, (top, bottom) in enumerate(_bin_edges(y1, y2, height, input.shape[2])):
            for j, (left, right) in enumerate(_bin_edges(x1, x2, width, input.shape[3])):
                bin = input[int(roi[0]), :, top:bottom, left:right].flatten(1)
                if bin.shape[1]:
                    best = bin.max(dim=1)
                    values[k, :, i, j] = best.values
                    winners[k, :, i, j] = cells[top:bottom, left:right].flatten()[best.indices]
    return values, winners


def _round_half_away(position: Tensor) -> Tensor:
    """The nearest whole number; `torch.round` would take halves to the even one."""
    whole = position.trunc()
    return torch.where((position - whole).abs() >= 0.5, whole + position.sign(), whole)


def _bin_edges(first: Tensor, last: Tensor, bins: int, extent: int) -> list[tuple[int, int]]:
    """Where the bins between two cells begin and end, cut to the cells there are."""
    bin_size = (last - first + 1).clamp(min=1) / bins
    edge = torch.arange(bins + 1, dtype=bin_size.dtype, device=bin_size.device) * bin_size
    begins = (first + edge[:-1].floor()).clamp(0, extent).int().tolist()
    ends = (first + edge[1:].ceil()).clamp(0, extent).int().tolist()
    return list(zip(begins, ends, strict=True))


@torch.library.custom_op("mdcv::roi_pool", mutates_args=())
def pool_regions(
    input: Tensor, rois: Tensor, height: int, width: int, spatial_scale: float
) -> tuple[Tensor, Tensor]:
    """Maxima and cells (int32) as the reference gives them; rois in float32 or float64.

    A bad region is refused; on a GPU, where looking would make the host wait, its maxima are NaN.
    The gradient goes to the winning cells, always adds up in one order, and can be taken again.
    """
    images = input.shape[0]
    if input.device.type == "cpu":
        check_regions(rois, images, spatial_scale)
        from mdcv.kernels.roi_pool_cpu import roi_pool_cpu

        values, winners = roi_pool_cpu(widened(input.detach()), rois, height, width, spatial_scale)
        return values.to(input.dtype), winners
    from mdcv.kernels.roi_pool_gpu import roi_pool_gpu

    bad = regions_at_fault(rois, images, spatial_scale)
    harmless = rois.masked_fill(bad[:, None], 0.0)
    values, winners = roi_pool_gpu(input.detach(), harmless, height, width, spatial_scale)
    bad = bad[:, None, None, None]
    return values.masked_fill(bad, torch.nan), winners.masked_fill(bad, NO_CELL)


@pool_regions.register_fake
def _(input, rois, height, width, spatial_scale) -> tuple[Tensor, Tensor]:
    values = input.new_empty((rois.shape[0], input.shape[1], height, width))
    return values, values.new_empty(values.shape, dtype=torch.int32)


@torch.library.custom_op("mdcv::roi_pool_backward", mutates_args=())
def return_to_winners(
    grad: Tensor, winners: Tensor, rois: Tensor, images: int, input_height: int, input_width: int
) -> Tensor:
    """Adds the gradient (K, C, h, w) of the maxima to the cells (N, C, H, W) that won."""
    size = images, grad.shape[1], input_height, input_width
    if grad.device.type == "cpu":
        from mdcv.kernels.roi_pool_cpu import roi_pool_backward_cpu

        return roi_pool_backward_cpu(widened(grad.detach()), winners, rois, size).to(grad.dtype)
    place, has_cell = _places(winners, rois, size)
    to_input = widened(grad).new_zeros(size).flatten()
    # index_put_ sorts the places and so always adds in one order; scatter_add_ would not.
    to_input.index_put_((place,), widened(grad).where(has_cell, 0.0), accumulate=True)
    return to_input.view(size).to(grad.dtype)


def _places(winners: Tensor, rois: Tensor, size: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Where the winning cells stand in the flattened input (0 for none), and which there are."""
    _, channels, height, width = size
    has_cell = winners != NO_CELL
    image = torch.where(has_cell.flatten(1).any(dim=1), rois[:, 0], 0.0).long()
    channel = torch.arange(channels, device=winners.device)
    plane = (image[:, None] * channels + channel)[:, :, None, None]
    return torch.where(has_cell, plane * (height * width) + winners, 0), has_cell


@return_to_winners.register_fake
def _(grad, winners, rois, images, input_height, input_width) -> Tensor:
    return grad.new_empty((images, grad.shape[1], input_height, input_width))


def _keep_winners(ctx, inputs, output) -> None:
    input, rois, _, _, _ = inputs
    ctx.save_for_backward(output[1], rois)
    ctx.input_size = input.shape


def _pull_maxima(ctx, grad: Tensor, _: Tensor):
    winners, rois = ctx.saved_tensors
    images, _, height, width = ctx.input_size
    to_input = return_to_winners(grad, winners, rois, images, height, width)
    return to_input, None, None, None, None


def _keep_winners_of_backward(ctx, inputs, output) -> None:
    _, winners, rois, _, _, _ = inputs
    ctx.save_for_backward(winners, rois)
    ctx.input_size = output.shape


def _push_gradient(ctx, grad: Tensor):
    winners, rois = ctx.saved_tensors
    place, has_cell = _places(winners, rois, ctx.input_size)
    to_maxima = grad.flatten()[place].where(has_cell, 0.0)
    return to_maxima, None, None, None, None, None


pool_regions.register_autograd(_pull_maxima, setup_context=_keep_winners)
return_to_winners.register_autograd(_push_gradient, setup_context=_keep_winners_of_backward)
