"""The three ways to write a box, and boxes cut at the border of the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.boxes.overlap import check_box_table
from mdcv.errors import check_integer, check_option
from mdcv.kernels.arithmetic import widened

Format = Literal["xyxy", "xywh", "cxcywh"]

#: What the four numbers of each format are.
FORMATS = {"xyxy": "x1, y1, x2, y2", "xywh": "x1, y1, w, h", "cxcywh": "cx, cy, w, h"}


def convert_boxes(
    boxes: Float[Tensor, "n 4"], source: Format, target: Format
) -> Float[Tensor, "n 4"]:
    """The same boxes written in another way.

    xyxy: x1, y1, x2, y2, two opposite corners, the way of every other function here
    xywh: x1, y1, w, h, the upper left corner and the sides, as in COCO's files
    cxcywh: cx, cy, w, h, the center and the sides

    w = x2 - x1,  h = y2 - y1,  cx = x1 + w / 2,  cy = y1 + h / 2

    Args:
        boxes: written as `source`. An inverted box keeps its negative sides, a NaN stays one.
        source, target: the format they have, and the one wanted.

    Returns:
        A new tensor, even where the two formats are one. Half is computed in float32.

    Raises:
        ValueError: boxes is not a floating-point tensor (N, 4), or a format is unknown.

    Source: `torchvision.ops.box_convert`.

    >>> import torch
    >>> convert_boxes(torch.tensor([[1.0, 2.0, 5.0, 4.0]]), "xyxy", "cxcywh")
    tensor([[3., 3., 4., 2.]])
    """
    check_option("source", source, tuple(FORMATS))
    check_option("target", target, tuple(FORMATS))
    check_box_table("boxes", boxes, numbers=FORMATS[source])
    if source == target:
        return boxes.clone()
    place, extent = widened(boxes).split(2, dim=1)
    size = extent - place if source == "xyxy" else extent
    corner = place - size / 2 if source == "cxcywh" else place
    written = {
        "xyxy": (corner, corner + size),
        "xywh": (corner, size),
        "cxcywh": (corner + size / 2, size),
    }
    return torch.cat(written[target], dim=1).to(boxes.dtype)


def clip_boxes(boxes: Float[Tensor, "n 4"], size: tuple[int, int]) -> Float[Tensor, "n 4"]:
    """The part of every box that lies inside the image.

    x is held between 0 and the width, y between 0 and the height. A box wholly outside becomes
    one without area on the border, which `box_area` tells. A NaN stays one.

    Args:
        boxes: x1, y1, x2, y2, in pixels.
        size: height and width of the image, in pixels.

    Raises:
        ValueError: boxes is not a floating-point tensor (N, 4), or the size is not two integers
            from 1 up.

    Source: `torchvision.ops.clip_boxes_to_image`.

    >>> import torch
    >>> clip_boxes(torch.tensor([[-3.0, 2.0, 5.0, 99.0]]), (10, 20))
    tensor([[ 0.,  2.,  5., 10.]])
    """
    check_box_table("boxes", boxes)
    if not isinstance(size, Sequence) or isinstance(size, str) or len(size) != 2:
        raise ValueError(f"size is {size!r}; expected (height, width)")
    for name, extent in zip(("height", "width"), size, strict=True):
        check_integer(f"the image's {name}", extent, low=1)
    height, width = size
    limit = boxes.new_tensor([width, height, width, height])
    return boxes.clamp(torch.zeros_like(limit), limit)
