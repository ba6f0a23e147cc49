"""R-CNN's look at a region: cut out of the image, and stretched to a fixed size."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.detection.alignment import roi_align
from mdcv.detection.regions import to_bins, to_regions


def warp_regions(
    images: Float[Tensor, "b c h w"],
    boxes: Tensor | Sequence[Tensor],
    size: int | Sequence[int],
    *,
    context: int | float = 0,
) -> Float[Tensor, "k c p q"]:
    """Every region as an image of one size, whatever its own size and shape were.

    Each output pixel is the mean of bilinear samples over the part of the region that it stands
    for, so a large region is averaged down and not thinned out. That is `roi_align` on the image
    itself, with exact half pixels.

    Args:
        images: the images, one tensor.
        boxes: x1, y1, x2, y2 in pixels, (K, 5) with the image's number in front, or a list with a
            tensor (L, 4) for every image.
        size: height and width of the result, or one number for both.
        context: how many pixels *of the result* on each side show what lies around the region.

    Returns:
        One image per box. Beyond the border of its image the border is repeated for a pixel, and
        what is farther out is 0.

    Raises:
        ValueError: as `roi_align`, or context is not from 0 to less than half the size.

    Source: Girshick, Donahue, Darrell and Malik 2014, arXiv:1311.2524, appendix A, where
    this is (D), "warp", with 16 pixels of context in 227.

    >>> ramp = torch.arange(8.0).expand(1, 1, 4, 8)
    >>> warp_regions(ramp, [torch.tensor([[2.0, 0.0, 6.0, 4.0]])], 2)[0, 0]
    tensor([[2.5000, 4.5000],
            [2.5000, 4.5000]])
    """
    height, width = to_bins(size)
    is_number = isinstance(context, Real) and not isinstance(context, bool)
    if not is_number or not 0 <= 2 * context < min(height, width):
        raise ValueError(
            f"context is {context!r}; expected a number from 0 to below half of {size}"
        )
    regions = to_regions(images, boxes)
    number, low, high = regions.split([1, 2, 2], dim=1)
    inner = regions.new_tensor([width - 2 * context, height - 2 * context])
    margin = context * (high - low) / inner
    widened = torch.cat([number, low - margin, high + margin], dim=1)
    return roi_align(images, widened.to(images.dtype), (height, width), 1.0, -1, True)
