"""How much of two masks is shared, counted in pixels."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def check_masks(name: str, masks: object) -> None:
    """Refuses anything but a tensor (N, H, W) of bools.

    >>> import torch
    >>> check_masks("masks", torch.ones(2, 8, 8))
    Traceback (most recent call last):
    ValueError: masks is torch.float32 (2, 8, 8); expected (N, H, W) of torch.bool
    """
    if not isinstance(masks, Tensor) or masks.dtype != torch.bool or masks.ndim != 3:
        came = type(masks).__name__
        if isinstance(masks, Tensor):
            came = f"{masks.dtype} {tuple(masks.shape)}"
        raise ValueError(f"{name} is {came}; expected (N, H, W) of torch.bool")


def mask_iou(
    masks1: Bool[Tensor, "n height width"], masks2: Bool[Tensor, "m height width"]
) -> Float[Tensor, "n m"]:
    """Intersection over union of every mask of one set with every mask of the other.

    IoU(A, B) = |A ∩ B| / (|A| + |B| - |A ∩ B|), in pixels

    0 for masks that share nothing, two empty ones among them.

    Args:
        masks1, masks2: of images of one size.

    Returns:
        Values from 0 to 1 in float64: quotients of whole numbers, rounded once.

    Raises:
        ValueError: shapes, dtypes or devices do not fit.

    >>> import torch
    >>> mask = torch.tensor([[[True, True], [False, True]]])
    >>> mask_iou(mask, ~mask | mask)
    tensor([[0.7500]], dtype=torch.float64)
    """
    check_masks("masks1", masks1)
    check_masks("masks2", masks2)
    if masks1.shape[1:] != masks2.shape[1:] or masks1.device != masks2.device:
        raise ValueError(
            f"masks2 is {tuple(masks2.shape)} on {masks2.device}; expected images of "
            f"{tuple(masks1.shape[1:])} on {masks1.device} as masks1 has"
        )
    # A matrix product counts shared pixels; float32 counts exactly up to 2^24.
    dtype = torch.float32 if masks1[0:1].numel() <= 2**24 else torch.float64
    flat1, flat2 = (masks.flatten(1).to(dtype) for masks in (masks1, masks2))
    shared = (flat1 @ flat2.T).double()
    union = flat1.sum(1).double()[:, None] + flat2.sum(1).double() - shared
    return shared / union.clamp(min=1)
