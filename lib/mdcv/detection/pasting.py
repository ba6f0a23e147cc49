"""The way of a small mask back into the image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from mdcv.boxes.overlap import check_box_table
from mdcv.errors import check_integer, check_same_kind, check_tensor
from mdcv.kernels.arithmetic import widened


def paste_masks(
    masks: Float[Tensor, "n m k"], boxes: Float[Tensor, "n 4"], size: tuple[int, int]
) -> Float[Tensor, "n h w"]:
    """Each small mask stretched over its box, in an image of its own.

    The center of mask cell (i, j) lies at the share (j + ½) / M of the box's width and (i + ½) / M
    of its height; the center of image pixel (i, j) lies at (j + ½, i + ½). In between values are
    bilinear, and beyond the mask they are 0: where a mask is 1 up to its border, exactly the
    pixels inside the box come out at ½ or more.

    Args:
        masks: probabilities, on a grid over each box.
        boxes: x1, y1, x2, y2 in pixels; may reach beyond the image. One without area is nowhere.
        size: height and width of the image.

    Returns:
        Values, not yet a decision: compare with 0.5 for a mask.

    Raises:
        ValueError: shapes, dtypes or devices do not fit, a mask has no cell, a box is inverted,
            NaN or infinite, or the size is not two integers from 1 up.

    Source: He, Gkioxari, Dollár and Girshick 2017, arXiv:1703.06870; detectron2's
    `paste_masks_in_image`. torchvision rounds boxes to whole pixels and makes them one larger.

    >>> paste_masks(torch.ones(1, 2, 2), torch.tensor([[1.0, 0.0, 3.0, 1.0]]), (2, 4)).round()
    tensor([[[0., 1., 1., 0.],
             [0., 0., 0., 0.]]])
    """
    check_tensor("masks", masks, ndim=3, layout="(N, M, M)")
    check_box_table("boxes", boxes)
    check_same_kind("boxes", boxes, "masks", masks)
    if len(boxes) != len(masks) or 0 in masks.shape[1:]:
        raise ValueError(
            f"masks has shape {tuple(masks.shape)}, boxes {tuple(boxes.shape)}; expected "
            "(N, M, M) and (N, 4), with a cell at least"
        )
    if not isinstance(size, Sequence) or len(size) != 2:
        raise ValueError(f"size is {size!r}; expected (height, width)")
    for name, extent in zip(("height", "width"), size, strict=True):
        check_integer(f"the image's {name}", extent, low=1)
    if not bool((boxes.isfinite().all(1) & (boxes[:, :2] <= boxes[:, 2:]).all(1)).all()):
        raise ValueError("boxes holds one that is inverted, NaN or infinite; expected x1 <= x2")
    wide = widened(boxes)
    low, extent = wide[:, :2], wide[:, 2:] - wide[:, :2]
    height, width = size
    x = torch.arange(width, dtype=wide.dtype, device=wide.device) + 0.5
    y = torch.arange(height, dtype=wide.dtype, device=wide.device) + 0.5
    # From −1 to 1 over the box, as grid_sample counts. A box without area has nothing inside.
    u = 2 * (x - low[:, :1]) / extent[:, :1] - 1
    v = 2 * (y - low[:, 1:]) / extent[:, 1:] - 1
    shape = (len(boxes), height, width)
    grid = torch.stack([u[:, None, :].expand(shape), v[:, :, None].expand(shape)], dim=-1)
    # A box without area divides by zero. A mask reaches half a cell, at most 1, beyond −1 and 1,
    # so at 3 there is nothing.
    grid = grid.nan_to_num(nan=3.0).clamp(-3, 3)
    pasted = F.grid_sample(widened(masks)[:, None], grid, align_corners=False)[:, 0]
    has_area = (extent > 0).all(dim=1)
    return (pasted * has_area[:, None, None]).to(masks.dtype)
