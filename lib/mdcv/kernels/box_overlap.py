"""Intersection over union of every box of one set with every box of another."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.kernels.box_checks import at_fault, check_boxes


def box_overlap_reference(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """IoU (N, M) of boxes1 (N, 4) and boxes2 (M, 4), as x1, y1, x2, y2.

    IoU = |A ∩ B| / (|A| + |B| - |A ∩ B|), and 0 where the union has no area.
    """
    inter, union = _intersection_and_union(boxes1, boxes2)
    return inter / _divisor(union)


def _areas(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _common_sides(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Width and height (N, M, 2) of the intersections, negative where boxes are apart."""
    top_left = torch.maximum(boxes1[:, None, :2], boxes2[None, :, :2])
    bottom_right = torch.minimum(boxes1[:, None, 2:], boxes2[None, :, 2:])
    return bottom_right - top_left


def _intersection_and_union(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    # Clamped before they are multiplied: two negative sides would make a positive area.
    width, height = _common_sides(boxes1, boxes2).clamp(min=0).unbind(-1)
    inter = width * height
    return inter, _areas(boxes1)[:, None] + _areas(boxes2) - inter


def _divisor(union: Tensor) -> Tensor:
    """The union, or 1 where it has no area: then the intersection has none either."""
    return torch.where(union == 0, 1.0, union)


@torch.library.custom_op("mdcv::box_overlap", mutates_args=())
def measure_overlap(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """IoU as the reference gives it, to the last bit on a CPU; both in float32 or float64.

    A box that is NaN or inverted is refused. On a GPU, where looking would make the host wait,
    its row or column is NaN instead. The gradient can be taken again.
    """
    if boxes1.device.type == "cpu":
        check_boxes("boxes1", boxes1)
        check_boxes("boxes2", boxes2)
        from mdcv.kernels.box_overlap_cpu import box_overlap_cpu

        return box_overlap_cpu(boxes1.detach(), boxes2.detach())
    from mdcv.kernels.box_overlap_gpu import box_overlap_gpu

    overlap = box_overlap_gpu(boxes1.detach(), boxes2.detach())
    return overlap.masked_fill(at_fault(boxes1)[:, None] | at_fault(boxes2), torch.nan)


@measure_overlap.register_fake
def _(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    return boxes1.new_empty((boxes1.shape[0], boxes2.shape[0]))


def _save_boxes(ctx, inputs, output) -> None:
    ctx.save_for_backward(*inputs)


def _push_corners(ctx, grad: Tensor):
    """With I and U the intersection and the union, ∂IoU = (1 + IoU) ∂I / U - IoU ∂(|A| + |B|) / U.

    Plain torch, so that it has a gradient itself.
    """
    boxes1, boxes2 = ctx.saved_tensors
    inter, union = _intersection_and_union(boxes1, boxes2)
    overlap = inter / _divisor(union)
    per_union = torch.where(union == 0, 0.0, grad / _divisor(union))
    sides = _common_sides(boxes1, boxes2)
    # |∂I| when a corner moves by one: the other side of the intersection. Boxes that only touch
    # are seen from the side where they overlap.
    others = sides.clamp(min=0).flip(-1) * (sides >= 0)
    reach = (per_union * (1 + overlap)).unsqueeze(-1) * others
    reach1 = torch.cat(
        [
            -reach * _wins(boxes1[:, None, :2], boxes2[None, :, :2]),
            reach * _wins(boxes2[None, :, 2:], boxes1[:, None, 2:]),
        ],
        dim=-1,
    )
    # The corner that box 1 does not move is moved by box 2.
    reach2 = torch.cat([-reach, reach], dim=-1) - reach1
    shrink = per_union * overlap
    grad1 = reach1.sum(dim=1) - shrink.sum(dim=1)[:, None] * _area_slopes(boxes1)
    grad2 = reach2.sum(dim=0) - shrink.sum(dim=0)[:, None] * _area_slopes(boxes2)
    return grad1, grad2


def _wins(a: Tensor, b: Tensor) -> Tensor:
    """The share of a in the slope of maximum(a, b): all, none, or half of a tie."""
    return (a > b).to(a.dtype) + (a == b).to(a.dtype) / 2


def _area_slopes(boxes: Tensor) -> Tensor:
    """∂ area / ∂ (x1, y1, x2, y2), as (N, 4)."""
    height_width = (boxes[:, 2:] - boxes[:, :2]).flip(-1)
    return torch.cat([-height_width, height_width], dim=-1)


measure_overlap.register_autograd(_push_corners, setup_context=_save_boxes)
