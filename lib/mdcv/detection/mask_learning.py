"""What a mask head is trained by: is each pixel of the region part of its object."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Integer
from torch import Tensor

from mdcv.detection.label_checks import check_labels
from mdcv.errors import check_same_kind, check_tensor
from mdcv.kernels.arithmetic import widened


def mask_loss(
    mask_logits: Float[Tensor, "r c m n"],
    labels: Integer[Tensor, " r"],
    targets: Float[Tensor, "r m n"],
) -> Float[Tensor, ""]:
    """The mean binary cross-entropy over the pixels of each region's own class.

    L = mean over regions r and pixels of −t log σ(z_c) − (1 − t) log(1 − σ(z_c)),  c = label of r

    The other channels get no gradient: whether a pixel belongs to the object is asked for one
    class alone, so classes do not compete for it. Which class it is, the box head decides.

    Args:
        mask_logits: one channel per class.
        labels: each region's channel, from 0.
        targets: each region's true mask on the same grid, in [0, 1].

    Returns:
        Without regions 0, with a gradient of 0.

    Raises:
        ValueError: shapes, dtypes or devices do not fit, a label has no channel, or a target is
            outside [0, 1].

    Source: He, Gkioxari, Dollár and Girshick 2017, arXiv:1703.06870, section 3.

    >>> logits = torch.tensor([[[[9.0]], [[0.0]]]])
    >>> mask_loss(logits, torch.tensor([1]), torch.ones(1, 1, 1))
    tensor(0.6931)
    """
    check_tensor("mask_logits", mask_logits, ndim=4, layout="(R, C, M, M)")
    regions, classes, *grid = mask_logits.shape
    check_tensor("targets", targets, ndim=3, layout="(R, M, M)")
    check_same_kind("targets", targets, "mask_logits", mask_logits)
    if targets.shape != (regions, *grid):
        raise ValueError(
            f"targets has shape {tuple(targets.shape)}; expected {(regions, *grid)} "
            "beside mask_logits"
        )
    check_labels(labels, regions, low=0, high=classes - 1, device=mask_logits.device)
    # NaN fails the comparison, and so is refused.
    if not bool(((targets >= 0) & (targets <= 1)).all()):
        raise ValueError("targets holds values outside [0, 1]; expected a mask")
    row = torch.arange(regions, device=mask_logits.device)
    own, targets = widened(mask_logits)[row, labels.long()], widened(targets)
    total = F.binary_cross_entropy_with_logits(own, targets, reduction="sum")
    return total / max(targets.numel(), 1)
