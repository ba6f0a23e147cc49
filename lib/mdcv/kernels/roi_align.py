"""RoI Align: the mean of bilinear samples in every bin of a region, without rounding it."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.kernels.arithmetic import widened
from mdcv.kernels.roi_checks import check_regions, regions_at_fault


def roi_align_reference(
    input: Tensor,
    rois: Tensor,
    height: int,
    width: int,
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Means (K, C, height, width) of samples of input (N, C, H, W) in regions (K, 5).

    A region is scaled, moved by half a cell where `aligned` (else it is at least one cell wide and
    high), and cut into bins; a bin has sampling_ratio² samples, at the centers of equal parts. A
    ratio of 0 or less means as many as the bin is wide and high in cells, rounded up.
    """
    pooled = [input.new_zeros((0, input.shape[1], height, width))]
    for roi in rois:
        image, corners = input[int(roi[0])], roi[1:] * spatial_scale - (0.5 if aligned else 0.0)
        start, size = corners[:2], corners[2:] - corners[:2]
        if not aligned:
            size = size.clamp(min=1.0)
        x = _sample_positions(start[0], size[0], width, sampling_ratio)
        y = _sample_positions(start[1], size[1], height, sampling_ratio)
        count = max(x.shape[1] * y.shape[1], 1)
        samples = _sample(image, y.flatten(), x.flatten())
        samples = samples.unflatten(2, x.shape).unflatten(1, y.shape)
        pooled.append(samples.sum(dim=(2, 4)).unsqueeze(0) / count)
    return torch.cat(pooled)


def _sample_positions(start: Tensor, size: Tensor, bins: int, sampling_ratio: int) -> Tensor:
    """Where along one axis the samples of every bin lie, as (bins, samples)."""
    bin_size = size / bins
    samples = sampling_ratio if sampling_ratio > 0 else int(bin_size.ceil())
    bin = torch.arange(bins, dtype=size.dtype, device=size.device)[:, None]
    sample = torch.arange(samples, dtype=size.dtype, device=size.device)
    return start + bin * bin_size + (sample + 0.5) * bin_size / max(samples, 1)


def _sample(image: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Bilinear values (C, Y, X) of an image (C, H, W) on the grid y × x.

    A sample up to one cell outside takes the value at the border, one farther out is 0.
    """
    (y_low, y_high, y_part, y_inside), (x_low, x_high, x_part, x_inside) = (
        _neighbors(y, image.shape[1]),
        _neighbors(x, image.shape[2]),
    )
    rows_low, rows_high = image[:, y_low], image[:, y_high]
    low = rows_low[:, :, x_low] * (1 - x_part) + rows_low[:, :, x_high] * x_part
    high = rows_high[:, :, x_low] * (1 - x_part) + rows_high[:, :, x_high] * x_part
    value = low * (1 - y_part)[:, None] + high * y_part[:, None]
    return torch.where(y_inside[:, None] & x_inside, value, 0.0)


def _neighbors(position: Tensor, extent: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The cells below and above each position, the share of the upper one, and who is inside."""
    inside = (position >= -1) & (position <= extent)
    position = position.clamp(0, extent - 1)
    low = position.floor().long()
    return low, (low + 1).clamp(max=extent - 1), position - low, inside


@torch.library.custom_op("mdcv::roi_align", mutates_args=())
def align_regions(
    input: Tensor,
    rois: Tensor,
    height: int,
    width: int,
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Means as the reference gives them, in the input's dtype; rois in float32 or float64.

    Half and bfloat16 are computed in float32. A bad region is refused; on a GPU, where looking
    would make the host wait, its means are NaN instead. The gradient reaches the input only,
    always adds up in the same order, and can be taken again.
    """
    options = height, width, spatial_scale, sampling_ratio, aligned
    images = input.shape[0]
    if input.device.type == "cpu":
        check_regions(rois, images, spatial_scale)
        from mdcv.kernels.roi_align_cpu import roi_align_cpu

        return roi_align_cpu(widened(input.detach()), rois, *options).to(input.dtype)
    bad = regions_at_fault(rois, images, spatial_scale)
    harmless = rois.masked_fill(bad[:, None], 0.0)
    from mdcv.kernels.roi_align_gpu import roi_align_gpu

    means = roi_align_gpu(input.detach(), harmless, *options)
    return means.masked_fill(bad[:, None, None, None], torch.nan)


@align_regions.register_fake
def _(input, rois, height, width, spatial_scale, sampling_ratio, aligned) -> Tensor:
    return input.new_empty((rois.shape[0], input.shape[1], height, width))


@torch.library.custom_op("mdcv::roi_align_backward", mutates_args=())
def spread_over_regions(
    grad: Tensor,
    rois: Tensor,
    images: int,
    input_height: int,
    input_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """The transpose of `align_regions`: gradient (K, C, h, w) of the means to that of the input."""
    size = images, grad.shape[1], input_height, input_width
    options = spatial_scale, sampling_ratio, aligned
    if grad.device.type == "cpu":
        from mdcv.kernels.roi_align_cpu import roi_align_backward_cpu

        return roi_align_backward_cpu(widened(grad.detach()), rois, size, *options).to(grad.dtype)
    bad = regions_at_fault(rois, images, spatial_scale)
    harmless = rois.masked_fill(bad[:, None], 0.0)
    grad = grad.masked_fill(bad[:, None, None, None], 0.0)
    from mdcv.kernels.roi_align_gpu import roi_align_backward_gpu

    return roi_align_backward_gpu(grad.detach(), harmless, size, *options)


@spread_over_regions.register_fake
def _(
    grad, rois, images, input_height, input_width, spatial_scale, sampling_ratio, aligned
) -> Tensor:
    return grad.new_empty((images, grad.shape[1], input_height, input_width))


def _keep_regions(ctx, inputs, output) -> None:
    input, rois, _, _, *ctx.options = inputs
    ctx.save_for_backward(rois)
    ctx.input_size = input.shape


def _pull_means(ctx, grad: Tensor):
    (rois,) = ctx.saved_tensors
    images, _, height, width = ctx.input_size
    to_input = spread_over_regions(grad, rois, images, height, width, *ctx.options)
    return to_input, None, None, None, None, None, None


def _keep_regions_of_backward(ctx, inputs, output) -> None:
    grad, rois, _, _, _, *ctx.options = inputs
    ctx.save_for_backward(rois)
    ctx.bins = grad.shape[2:]


def _push_gradient(ctx, grad: Tensor):
    (rois,) = ctx.saved_tensors
    to_means = align_regions(grad, rois, *ctx.bins, *ctx.options)
    return to_means, None, None, None, None, None, None, None


align_regions.register_autograd(_pull_means, setup_context=_keep_regions)
spread_over_regions.register_autograd(_push_gradient, setup_context=_keep_regions_of_backward)
