"""What Fast R-CNN is trained by: which class a region is, and where exactly its object lies."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Integer
from torch import Tensor

from mdcv.boxes.overlap import check_box_table
from mdcv.detection.label_checks import check_labels
from mdcv.errors import check_number, check_same_kind, check_tensor
from mdcv.kernels.arithmetic import widened


class RegionLoss(NamedTuple):
    """What `fast_rcnn_loss` returns; training minimizes the sum of the two."""

    classification: Float[Tensor, ""]
    regression: Float[Tensor, ""]


def fast_rcnn_loss(
    class_logits: Float[Tensor, "r c"],
    deltas: Float[Tensor, "r d"],
    labels: Integer[Tensor, " r"],
    targets: Float[Tensor, "r 4"],
    *,
    beta: float = 1 / 9,
) -> RegionLoss:
    """The two losses of Fast R-CNN over a sample of regions.

    L = −log p_c + [c ≥ 1] · smooth L1(delta_c − target), the mean of both over all R regions

    Class 0 is background. Only the deltas of a region's own class are compared: the box of a
    circle is not asked to be the box of a square as well. Background has no box, and counts in
    the number that the regression is divided by.

    Args:
        class_logits: one column per class, background first: C + 1 of them.
        deltas: four for each of the C + 1 classes, (R, 4·(C + 1)), or four for all, (R, 4).
        labels: the class of each region, 0 for background.
        targets: what the deltas should be; read where the label is 1 or more.
        beta: where smooth L1 goes over from a parabola to a line; 0 is plain L1.

    Returns:
        The pair (classification, regression), in the dtype of the logits; of half and bfloat16 in
        float32. Without objects the regression is 0, and has a gradient of 0.

    Raises:
        ValueError: shapes, dtypes or devices do not fit, there is no region or no class beside
            background, or a label is not from 0 to C.

    Source: Girshick 2015, arXiv:1504.08083, equation 1 with λ = 1; `beta` as in torchvision, 1 in
    the paper.

    >>> logits, deltas = torch.zeros(2, 3), torch.zeros(2, 12)
    >>> fast_rcnn_loss(logits, deltas, torch.tensor([0, 2]), torch.ones(2, 4))
    RegionLoss(classification=tensor(1.0986), regression=tensor(1.8889))
    """
    check_tensor("class_logits", class_logits, ndim=2, layout="(R, C + 1)")
    regions, classes = class_logits.shape
    if regions == 0 or classes < 2:
        raise ValueError(
            f"class_logits has shape {tuple(class_logits.shape)}; expected (R, C + 1), with a "
            "region and a class beside background at least"
        )
    check_tensor("deltas", deltas, ndim=2, layout="(R, 4·(C + 1)) or (R, 4)")
    check_box_table("targets", targets)
    for name, table, widths in (
        ("deltas", deltas, (4 * classes, 4)),
        ("targets", targets, (4,)),
    ):
        check_same_kind(name, table, "class_logits", class_logits)
        if len(table) != regions or table.shape[1] not in widths:
            expected = " or ".join(f"({regions}, {width})" for width in widths)
            raise ValueError(f"{name} has shape {tuple(table.shape)}; expected {expected}")
    check_labels(labels, regions, low=0, high=classes - 1, device=class_logits.device)
    check_number("beta", beta)
    classification = F.cross_entropy(widened(class_logits), labels.long())
    objects = (labels > 0).nonzero().squeeze(1)
    column = labels[objects].long() if deltas.shape[1] > 4 else torch.zeros_like(objects)
    own = widened(deltas).unflatten(1, (-1, 4))[objects, column]
    shift = F.smooth_l1_loss(own, widened(targets)[objects], beta=beta, reduction="sum")
    return RegionLoss(classification, shift / regions)
