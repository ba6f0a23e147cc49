"""How much of each other masks cover, and how precise a segmentation of objects is."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def mask_iou(masks1: Bool[Tensor, "n h w"], masks2: Bool[Tensor, "m h w"]) -> Float[Tensor, "n m"]:
    """Intersection over union of every mask of one set with every mask of the other.

    IoU(A, B) = |A ∩ B| / |A ∪ B|, in pixels; 0 where both are empty.

    Raises:
        ValueError: not two tensors of bools (N, H, W) and (M, H, W) on one device.

    >>> left = torch.tensor([[[True, True, False]]])
    >>> mask_iou(left, left.flip(2))
    tensor([[0.3333]])
    """
    for name, masks in (("masks1", masks1), ("masks2", masks2)):
        is_bool = isinstance(masks, Tensor) and masks.dtype == torch.bool
        if not is_bool or masks.ndim != 3:
            came = f"{masks.dtype} {tuple(masks.shape)}" if isinstance(masks, Tensor) else masks
            raise ValueError(f"{name} is {came}; expected bools (N, H, W)")
    if masks1.shape[1:] != masks2.shape[1:] or masks1.device != masks2.device:
        raise ValueError(
            f"masks2 has shape {tuple(masks2.shape)} on {masks2.device}; expected images of "
            f"{tuple(masks1.shape[1:])} on {masks1.device} as masks1 has"
        )
    # In float64 a count of pixels is exact for any image.
    first, second = masks1.flatten(1).double(), masks2.flatten(1).double()
    common = first @ second.T
    union = first.sum(dim=1)[:, None] + second.sum(dim=1)[None, :] - common
    return (common / union.clamp(min=1)).float()
