"""Non-maximum suppression: of boxes that overlap too much, the one with the highest score stays."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.errors import check_no_nan
from mdcv.kernels.box_checks import check_boxes
from mdcv.kernels.box_overlap import box_overlap_reference


def box_suppression_reference(
    boxes: Tensor, scores: Tensor, groups: Tensor, iou_threshold: float
) -> Tensor:
    """Indices of the boxes (N, 4) that stay, by descending score; ties go to the lower index.

    From the highest score down, a box that is still there stays, and removes those of its group
    (N,) whose IoU with it exceeds the threshold, rounded to the dtype of the boxes.
    """
    limit = torch.tensor(iou_threshold, dtype=boxes.dtype, device=boxes.device)
    removed = torch.zeros_like(scores, dtype=torch.bool)
    kept = []
    for i in scores.argsort(descending=True, stable=True).tolist():
        if removed[i]:
            continue
        kept.append(i)
        overlap = box_overlap_reference(boxes[i : i + 1], boxes).squeeze(0)
        removed |= (overlap > limit) & (groups == groups[i])
    return torch.tensor(kept, dtype=torch.int64, device=boxes.device)


@torch.library.custom_op("mdcv::box_suppression", mutates_args=())
def suppress_boxes(
    boxes: Tensor, scores: Tensor, groups: Tensor | None, iou_threshold: float
) -> Tensor:
    """Indices as the reference gives them; boxes and scores in float32 or float64.

    Groups in int64; None puts all boxes in one. Bad boxes and scores are refused.
    """
    check_boxes("boxes", boxes)
    check_no_nan("scores", scores)
    if boxes.device.type == "cpu":
        from mdcv.kernels.box_suppression_cpu import box_suppression_cpu

        return box_suppression_cpu(boxes.detach(), scores.detach(), groups, iou_threshold)
    from mdcv.kernels.box_suppression_gpu import box_suppression_gpu

    return box_suppression_gpu(boxes.detach(), scores.detach(), groups, iou_threshold)


@suppress_boxes.register_fake
def _(boxes: Tensor, scores: Tensor, groups: Tensor | None, iou_threshold: float) -> Tensor:
    kept = torch.library.get_ctx().new_dynamic_size()
    return boxes.new_empty((kept,), dtype=torch.int64)
