"""What the region proposal network is trained by: is there an object, and where exactly."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from jaxtyping import Float, Integer
from torch import Tensor

from mdcv.boxes.overlap import check_box_table
from mdcv.detection.label_checks import check_labels
from mdcv.errors import check_number, check_same_kind, check_tensor
from mdcv.kernels.arithmetic import widened


class ProposalLoss(NamedTuple):
    """What `rpn_loss` returns; training minimizes the sum of the two."""

    objectness: Float[Tensor, ""]
    regression: Float[Tensor, ""]


def rpn_loss(
    logits: Float[Tensor, " a"],
    deltas: Float[Tensor, "a 4"],
    labels: Integer[Tensor, " a"],
    targets: Float[Tensor, "a 4"],
    *,
    beta: float = 1 / 9,
) -> ProposalLoss:
    """The two losses of the region proposal network over the anchors that were sampled.

    objectness = mean over labels ≥ 0 of −log p(label),  p(1) = σ(logit)
    regression = Σ over labels = 1 of smooth L1(delta − target) / #{labels ≥ 0}

    Smooth L1 is x²/2β up to |x| = β and |x| − β/2 beyond. Both losses divide by the same number,
    so an image with few objects does not weigh them more. Anchors labeled −1 count nowhere: their
    logits, deltas and targets may be anything, NaN included, and get no gradient.

    Args:
        logits: of "there is an object here", one per anchor.
        deltas: what the network says, in the code of `encode_boxes`.
        labels: 1 an object, 0 background, −1 leave out.
        targets: what the deltas should be; read where the label is 1.
        beta: where smooth L1 goes over from a parabola to a line; 0 is plain L1.

    Returns:
        The pair (objectness, regression), in the dtype of the logits; of half and bfloat16 in
        float32. Without any label 1 the regression is 0, and has a gradient of 0.

    Raises:
        ValueError: shapes, dtypes or devices do not fit, a label is not 1, 0 or −1, or no label
            counts.

    Source: Ren, He, Girshick and Sun 2015, arXiv:1506.01497, equation 1, normalized as in
    torchvision; the paper divides the regression by the number of positions and multiplies by 10.

    >>> zero = torch.zeros(3, 4)
    >>> rpn_loss(torch.zeros(3), zero, torch.tensor([1, 0, -1]), zero + 1)
    ProposalLoss(objectness=tensor(0.6931), regression=tensor(1.8889))
    """
    check_tensor("logits", logits, ndim=1, layout="(A,)")
    anchors = len(logits)
    for name, table in (("deltas", deltas), ("targets", targets)):
        check_box_table(name, table)
        check_same_kind(name, table, "logits", logits)
        if len(table) != anchors:
            raise ValueError(f"{name} has shape {tuple(table.shape)}; expected ({anchors}, 4)")
    check_labels(labels, anchors, low=-1, high=1, device=logits.device)
    check_number("beta", beta)
    counts, is_object = labels >= 0, labels == 1
    number = int(counts.sum())
    if number == 0:
        raise ValueError(f"labels has {anchors} entries and none of them is 0 or 1; expected one")
    logits, deltas, targets = widened(logits), widened(deltas), widened(targets)
    objectness = F.binary_cross_entropy_with_logits(logits[counts], labels[counts].to(logits))
    shift = F.smooth_l1_loss(deltas[is_object], targets[is_object], beta=beta, reduction="sum")
    return ProposalLoss(objectness, shift / number)
