"""Boxes told relative to anchors, which is how a detector says them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.boxes.overlap import check_box_table
from mdcv.errors import check_same_kind, check_tensor
from mdcv.kernels.arithmetic import widened


def encode_boxes(
    boxes: Float[Tensor, "n 4"], anchors: Float[Tensor, "n 4"]
) -> Float[Tensor, "n 4"]:
    """What turns each anchor into its box: (dx, dy, dw, dh), free of units.

    dx = (cx - cxa) / wa,  dy = (cy - cya) / ha,  dw = log(w / wa),  dh = log(h / ha)

    with the centers and sides of the box and, marked a, of the anchor. Moving or scaling the
    scene together with its anchors changes nothing.

    Args:
        boxes, anchors: x1, y1, x2, y2; the i-th box belongs to the i-th anchor.

    Returns:
        -inf for a side without length, NaN for an inverted box, or an anchor without area.

    Raises:
        ValueError: shapes, dtypes or devices do not fit.

    Source: Girshick, Donahue, Darrell and Malik 2014, arXiv:1311.2524, appendix C.

    >>> import torch
    >>> anchors = torch.tensor([[0.0, 0.0, 4.0, 4.0]])
    >>> encode_boxes(torch.tensor([[2.0, 1.0, 6.0, 5.0]]), anchors)
    tensor([[0.5000, 0.2500, 0.0000, 0.0000]])
    """
    _check("boxes", boxes, anchors)
    center, size = _center_and_size(widened(boxes))
    anchor_center, anchor_size = _center_and_size(widened(anchors))
    # Two inverted boxes would have a positive ratio.
    anchor_size = torch.where(anchor_size > 0, anchor_size, torch.nan)
    deltas = [(center - anchor_center) / anchor_size, torch.log(size / anchor_size)]
    return torch.cat(deltas, dim=1).to(boxes.dtype)


def decode_boxes(
    deltas: Float[Tensor, "n 4"], anchors: Float[Tensor, "n 4"]
) -> Float[Tensor, "n 4"]:
    """The box that each anchor becomes: the inverse of `encode_boxes`.

    cx = cxa + dx · wa,  cy = cya + dy · ha,  w = wa · exp(dw),  h = ha · exp(dh)

    Nothing is clamped: in float32 a width overflows from dw = 88.7 on, and a box may reach
    beyond the image. A detector clamps what it feeds in.

    Args:
        deltas: (dx, dy, dw, dh), one row per anchor.
        anchors: x1, y1, x2, y2.

    Raises:
        ValueError: shapes, dtypes or devices do not fit.

    >>> import torch
    >>> anchors = torch.tensor([[0.0, 0.0, 4.0, 4.0]])
    >>> decode_boxes(torch.tensor([[0.5, 0.25, 0.0, 0.0]]), anchors)
    tensor([[2., 1., 6., 5.]])
    """
    _check("deltas", deltas, anchors)
    shift, log_scale = widened(deltas).split(2, dim=1)
    anchor_center, anchor_size = _center_and_size(widened(anchors))
    center = anchor_center + shift * anchor_size
    half = anchor_size * log_scale.exp() / 2
    return torch.cat([center - half, center + half], dim=1).to(deltas.dtype)


def _check(name: str, value: object, anchors: object) -> None:
    check_box_table("anchors", anchors)
    check_tensor(name, value, ndim=2, layout="(N, 4)")
    if value.shape != anchors.shape:
        raise ValueError(
            f"{name} has shape {tuple(value.shape)}; expected {tuple(anchors.shape)} as anchors has"
        )
    check_same_kind(name, value, "anchors", anchors)


def _center_and_size(boxes: Tensor) -> tuple[Tensor, Tensor]:
    low, high = boxes.split(2, dim=1)
    size = high - low
    return low + size / 2, size
