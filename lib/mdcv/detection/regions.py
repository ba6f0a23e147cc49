"""The boxes to pool from, in either of two forms, and the size to pool to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real

import torch
from torch import Tensor

from mdcv.errors import check_integer, check_same_kind, check_tensor
from mdcv.kernels.arithmetic import widened
from mdcv.kernels.box_checks import check_indexable


def check_input(input: object) -> None:
    """Refuses anything but a floating-point tensor (N, C, H, W) with 1 to 2^31 - 1 cells."""
    check_tensor("input", input, ndim=4, layout="(N, C, H, W)")
    if input.shape[2] == 0 or input.shape[3] == 0:
        raise ValueError(f"input has shape {tuple(input.shape)}; expected H and W from 1 up")
    check_indexable("input", *input.shape)


def to_regions(input: Tensor, boxes: Tensor | Sequence[Tensor]) -> Tensor:
    """Boxes as one tensor (K, 5), the image's number first; half and bfloat16 become float32.

    Args:
        input: the feature maps, one per image.
        boxes: a tensor (K, 5) of that form, or for every image a tensor (L, 4).

    Raises:
        ValueError: the shapes are others, there is not one tensor per image, or a dtype or device
            is not the input's.

    >>> import torch
    >>> boxes = [torch.zeros(1, 4), torch.ones(2, 4)]
    >>> to_regions(torch.zeros(2, 1, 1, 1), boxes)
    tensor([[0., 0., 0., 0., 0.],
            [1., 1., 1., 1., 1.],
            [1., 1., 1., 1., 1.]])
    """
    if isinstance(boxes, Tensor):
        check_tensor("boxes", boxes, ndim=2, layout="(K, 5)")
        if boxes.shape[1] != 5:
            raise ValueError(
                f"boxes has shape {tuple(boxes.shape)}; expected (K, 5), the image's number "
                "before x1, y1, x2, y2, or a list of (L, 4), one per image"
            )
        check_same_kind("boxes", boxes, "input", input)
        return widened(boxes)
    if not isinstance(boxes, list | tuple) or len(boxes) != input.shape[0]:
        came = f"{len(boxes)} entries" if isinstance(boxes, list | tuple) else type(boxes).__name__
        raise ValueError(
            f"boxes has {came}; expected a tensor (K, 5), or a list with one (L, 4) for each of "
            f"the {input.shape[0]} images"
        )
    regions = [widened(input).new_zeros((0, 5))]
    for image, some in enumerate(boxes):
        check_tensor(f"boxes[{image}]", some, ndim=2, layout="(L, 4)")
        if some.shape[1] != 4:
            raise ValueError(f"boxes[{image}] has shape {tuple(some.shape)}; expected (L, 4)")
        check_same_kind(f"boxes[{image}]", some, "input", input)
        # Widened first: half could not tell image 2049 from 2048.
        number = widened(some).new_full((some.shape[0], 1), image)
        regions.append(torch.cat([number, widened(some)], dim=1))
    return torch.cat(regions)


def to_bins(output_size: int | Sequence[int]) -> tuple[int, int]:
    """Height and width in bins; a single number means a square.

    >>> to_bins(7), to_bins((14, 7))
    ((7, 7), (14, 7))
    """
    pair = (output_size, output_size) if isinstance(output_size, int) else output_size
    if not isinstance(pair, Sequence) or len(pair) != 2:
        raise ValueError(f"output_size is {output_size!r}; expected an integer or (height, width)")
    for bins in pair:
        check_integer("output_size", bins, low=1)
    return pair[0], pair[1]


def check_output(regions: Tensor, channels: int, bins: tuple[int, int]) -> None:
    """Refuses an output of 2^31 numbers or more."""
    check_indexable("the output", regions.shape[0], channels, *bins)


def check_scale(spatial_scale: object) -> float:
    """The scale as a float; refuses anything but a positive finite number.

    >>> check_scale(0)
    Traceback (most recent call last):
    ValueError: spatial_scale is 0; expected a positive finite number
    """
    is_number = isinstance(spatial_scale, Real) and not isinstance(spatial_scale, bool)
    if not is_number or not 0 < spatial_scale < math.inf:
        raise ValueError(f"spatial_scale is {spatial_scale!r}; expected a positive finite number")
    return float(spatial_scale)
