"""What counts as a region of interest: an image's number, then a box; rows (K, 5)."""

from __future__ import annotations

from torch import Tensor

from mdcv.kernels.box_checks import at_fault, check_boxes


def check_regions(rois: Tensor, images: int, spatial_scale: float) -> None:
    """Refuses regions with a bad box, without an image, or 2^31 cells and more from the origin.

    >>> import torch
    >>> check_regions(torch.tensor([[2.0, 0.0, 0.0, 1.0, 1.0]]), 2, 1.0)
    Traceback (most recent call last):
    ValueError: boxes[0] belongs to image 2.0; expected a whole number from 0 to 1
    """
    if rois.numel() == 0:
        return
    check_boxes("boxes", rois[:, 1:])
    image = rois[:, 0]
    if not bool(_has_image(image, images).all()):
        first = int((~_has_image(image, images)).nonzero()[0, 0])
        wanted = f"a whole number from 0 to {images - 1}" if images else "no boxes without images"
        raise ValueError(
            f"boxes[{first}] belongs to image {image[first].item()}; expected {wanted}"
        )
    farthest = float(rois[:, 1:].abs().max()) * spatial_scale
    if farthest >= 2**31:
        raise ValueError(f"boxes reach {farthest:.3g} cells; expected fewer than 2^31")


def regions_at_fault(rois: Tensor, images: int, spatial_scale: float) -> Tensor:
    """Which regions `check_regions` would refuse, as (K,); nothing waits for it."""
    too_far = ~(rois[:, 1:].abs() * spatial_scale < 2**31).all(dim=1)
    return at_fault(rois[:, 1:]) | too_far | ~_has_image(rois[:, 0], images)


def _has_image(image: Tensor, images: int) -> Tensor:
    return (image >= 0) & (image < images) & (image == image.floor())
