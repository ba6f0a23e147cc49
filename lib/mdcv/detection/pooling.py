"""RoI Pool: the strongest response in each bin of a region."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from mdcv.detection.regions import check_input, check_output, check_scale, to_bins, to_regions
from mdcv.kernels.roi_pool import pool_regions


def roi_pool(
    input: Float[Tensor, "n c h w"],
    boxes: Tensor | Sequence[Tensor],
    output_size: int | Sequence[int],
    spatial_scale: int | float = 1.0,
) -> Float[Tensor, "k c oh ow"]:
    """The greatest value in each bin of each region, a fixed number of bins for any region.

    A box is scaled to the feature map and its corners are rounded to whole cells, halves away
    from zero; its last cell counts too. The bins are as equal as whole cells allow, and may share
    cells. A bin without a cell, as beside the map, is 0. The gradient goes to the winning cell,
    the first of equals; it is the same for any number of threads.

    Args:
        input: feature maps.
        boxes: x1, y1, x2, y2 in the image's pixels, (K, 5) with the image's number in front, or a
            list with a tensor (L, 4) for every image.
        output_size: bins, as (height, width) or one number for both.
        spatial_scale: cells per pixel, 1 / stride.

    Returns:
        One row per box, in their order; in the input's dtype.

    Raises:
        ValueError: shapes, dtypes or devices do not fit, a size has 2^31 elements or more, a box
            is inverted, NaN or infinite, or its image does not exist. On a GPU the numbers are
            not looked at, since that would make the host wait: such a box gives NaN.

    Source: Girshick 2015, arXiv:1504.08083; `torchvision.ops.roi_pool`, which skips NaN in the
    input where this returns it.

    >>> import torch
    >>> ramp = torch.arange(16.0).reshape(1, 1, 4, 4)
    >>> roi_pool(ramp, torch.tensor([[0.0, 0.0, 0.0, 3.0, 3.0]]), 2)
    tensor([[[[ 5.,  7.],
              [13., 15.]]]])
    """
    check_input(input)
    regions, bins = to_regions(input, boxes), to_bins(output_size)
    check_output(regions, input.shape[1], bins)
    values, _ = pool_regions(input, regions, *bins, check_scale(spatial_scale))
    return values
