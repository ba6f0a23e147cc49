"""Boxes as a detector says them: relative to where it looked, in even units, without overflow."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.boxes import clip_boxes, decode_boxes

#: What the four numbers of a region's code are multiplied by, so that each is about as large as 1.
REGION_WEIGHTS = (10.0, 10.0, 5.0, 5.0)

#: The logarithm of the largest factor by which a box may grow: from 16 pixels to 1,000.
MAX_LOG_SCALE = math.log(1000 / 16)


def decode_clamped(
    deltas: Float[Tensor, "n 4"], anchors: Float[Tensor, "n 4"], size: tuple[int, int]
) -> Float[Tensor, "n 4"]:
    """The boxes that a network says, inside the image and finite whatever it says.

    dw and dh are held below log(1000/16) before the exponential: a network that has just begun
    to learn says anything, and one infinite box would end the training.

    Source: `torchvision.models.detection` clamps at the same place.

    >>> decode_clamped(torch.tensor([[0.0, 0, 99, 0]]), torch.tensor([[4.0, 4, 8, 8]]), (10, 20))
    tensor([[ 0.,  4., 20.,  8.]])
    """
    shift, log_scale = deltas.split(2, dim=1)
    held = torch.cat([shift, log_scale.clamp(max=MAX_LOG_SCALE)], dim=1)
    return clip_boxes(decode_boxes(held, anchors), size)
