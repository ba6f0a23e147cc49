"""RoI Align: the mean response in each bin of a region, which is not rounded to cells."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from mdcv.detection.regions import check_input, check_output, check_scale, to_bins, to_regions
from mdcv.kernels.roi_align import align_regions


def roi_align(
    input: Float[Tensor, "n c h w"],
    boxes: Tensor | Sequence[Tensor],
    output_size: int | Sequence[int],
    spatial_scale: int | float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Float[Tensor, "k c oh ow"]:
    """The mean of bilinear samples in each bin of each region, a fixed number of bins.

    A box is scaled to the feature map and cut into equal bins; in each, samples lie at the
    centers of equal parts. A sample up to one cell outside the map takes the value at its border;
    one farther out is 0. On a linear ramp inside the map the result is exact: the ramp's value at
    the center of each bin. The gradient reaches the input, not the boxes; it is the same for any
    number of threads, and on a GPU in any run.

    Args:
        input: feature maps; any memory format, channels_last included.
        boxes: x1, y1, x2, y2 in the image's pixels, (K, 5) with the image's number in front, or a
            list with a tensor (L, 4) for every image.
        output_size: bins, as (height, width) or one number for both.
        spatial_scale: cells per pixel, 1 / stride.
        sampling_ratio: samples along each side of a bin; 0 or less takes as many as the bin is
            cells long, rounded up.
        aligned: True moves the regions by half a cell, as the center of cell 0 lies at ½, and
            keeps their sizes. False, the older way, does neither: regions lie half a cell too
            far, and are made one cell wide and high at least.

    Returns:
        One row per box, in their order; in the input's dtype, half and bfloat16 computed in
        float32.

    Raises:
        ValueError: shapes, dtypes or devices do not fit, a size has 2^31 elements or more, a box
            is inverted, NaN or infinite, or its image does not exist. On a GPU the numbers are
            not looked at, since that would make the host wait: such a box gives NaN.

    Source: He, Gkioxari, Dollár and Girshick 2017, arXiv:1703.06870; `torchvision.ops.roi_align`.

    >>> import torch
    >>> ramp = torch.arange(4.0).expand(1, 1, 4, 4)
    >>> roi_align(ramp, torch.tensor([[0.0, 1.0, 1.0, 3.0, 3.0]]), (1, 2), aligned=True)
    tensor([[[[1., 2.]]]])
    """
    check_input(input)
    regions, bins = to_regions(input, boxes), to_bins(output_size)
    check_output(regions, input.shape[1], bins)
    if isinstance(sampling_ratio, bool) or not isinstance(sampling_ratio, int):
        raise ValueError(f"sampling_ratio is {sampling_ratio!r}; expected an integer")
    scale = check_scale(spatial_scale)
    return align_regions(input, regions, *bins, scale, sampling_ratio, bool(aligned))
