"""What goes into a detector, checked once: images, and what is to be found in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from mdcv.boxes.masks import check_masks
from mdcv.boxes.overlap import check_box_table
from mdcv.detection.label_checks import check_labels
from mdcv.errors import check_finite, check_tensor

#: Height and width of each image, before it was padded.
Sizes = list[tuple[int, int]]


def stack_images(
    images: Tensor | Sequence[Tensor], like: Tensor, multiple: int
) -> tuple[Tensor, Sizes]:
    """All images in one batch (B, 3, H, W), and the size of each.

    Smaller images get zeros on the right and below, and every side is filled up to a multiple of
    the detector's stride, so coordinates stay what they are.

    Args:
        images: a batch (B, 3, H, W), or a list of (3, H, W) of any sizes, with values in [0, 1].
        like: a parameter of the detector; images have its dtype and device.
        multiple: the stride.

    Raises:
        ValueError: no image, or one of another shape, dtype or device, without a pixel, or with
            NaN or infinity in it.

    >>> batch, sizes = stack_images([torch.ones(3, 5, 8), torch.ones(3, 8, 6)], torch.ones(1), 4)
    >>> batch.shape, sizes
    (torch.Size([2, 3, 8, 8]), [(5, 8), (8, 6)])
    """
    if not isinstance(images, Tensor | Sequence) or len(images) == 0:
        came = type(images).__name__
        raise ValueError(
            f"images is {came}; expected (B, 3, H, W) or a list of (3, H, W), not empty"
        )
    for i, image in enumerate(images):
        name = f"images[{i}]"
        check_tensor(name, image, ndim=3, layout="(3, H, W)")
        if image.shape[0] != 3 or 0 in image.shape:
            raise ValueError(f"{name} has shape {tuple(image.shape)}; expected (3, H, W)")
        if image.dtype != like.dtype or image.device != like.device:
            raise ValueError(
                f"{name} is {image.dtype} on {image.device}; expected {like.dtype} on "
                f"{like.device} as the detector is"
            )
        check_finite(name, image)
    sizes = [(image.shape[1], image.shape[2]) for image in images]
    height, width = (-(-max(side) // multiple) * multiple for side in zip(*sizes, strict=True))
    padded = [
        pad(image, (0, width - image.shape[2], 0, height - image.shape[1])) for image in images
    ]
    return torch.stack(padded), sizes


def check_targets(
    targets: object, sizes: Sizes, num_classes: int, device: torch.device, *, masks: bool = False
) -> None:
    """Refuses anything but, for each image, a dict of boxes, labels, and masks where asked for.

    An image may be without objects, with boxes (0, 4). A box needs an area, or nothing could be
    learned from it.

    >>> check_targets([{"boxes": torch.zeros(1, 4)}], [(8, 8)], 3, torch.device("cpu"))
    Traceback (most recent call last):
    ValueError: targets[0] has 'boxes'; expected a dict with 'boxes', 'labels'
    """
    if not isinstance(targets, Sequence) or len(targets) != len(sizes):
        came = (
            f"{len(targets)} entries" if isinstance(targets, Sequence) else type(targets).__name__
        )
        raise ValueError(f"targets has {came}; expected a list of {len(sizes)}, one per image")
    keys = ("boxes", "labels", "masks") if masks else ("boxes", "labels")
    for i, (target, size) in enumerate(zip(targets, sizes, strict=True)):
        name = f"targets[{i}]"
        if not isinstance(target, Mapping) or any(key not in target for key in keys):
            came = ", ".join(map(repr, target)) if isinstance(target, Mapping) else type(target)
            raise ValueError(
                f"{name} has {came}; expected a dict with {', '.join(map(repr, keys))}"
            )
        boxes = target["boxes"]
        check_box_table(f"{name}['boxes']", boxes)
        check_finite(f"{name}['boxes']", boxes)
        if boxes.device != device:
            raise ValueError(f"{name}['boxes'] is on {boxes.device}; expected {device}")
        flat = (boxes[:, 2:] <= boxes[:, :2]).any(dim=1)
        if bool(flat.any()):
            raise ValueError(
                f"{name}['boxes'] holds {boxes[flat][0].tolist()}; expected x1 < x2 and y1 < y2"
            )
        check_labels(
            target["labels"],
            len(boxes),
            low=0,
            high=num_classes - 1,
            device=device,
            name=f"{name}['labels']",
        )
        if masks:
            _check_masks(f"{name}['masks']", target["masks"], (len(boxes), *size), device)


def check_proposals(proposals: object, sizes: Sizes, device: torch.device) -> None:
    """Refuses anything but a list with boxes (P, 4) for each image; P may be 0."""
    if not isinstance(proposals, Sequence) or len(proposals) != len(sizes):
        raise ValueError(
            f"proposals is {type(proposals).__name__}; expected {len(sizes)} tensors (P, 4)"
        )
    for i, boxes in enumerate(proposals):
        check_box_table(f"proposals[{i}]", boxes)
        check_finite(f"proposals[{i}]", boxes)
        if boxes.device != device:
            raise ValueError(f"proposals[{i}] is on {boxes.device}; expected {device}")


def _check_masks(name: str, masks: Any, shape: tuple[int, ...], device: torch.device) -> None:
    check_masks(name, masks)
    if masks.shape != shape or masks.device != device:
        raise ValueError(
            f"{name} has shape {tuple(masks.shape)} on {masks.device}; expected {shape} on {device}"
        )
