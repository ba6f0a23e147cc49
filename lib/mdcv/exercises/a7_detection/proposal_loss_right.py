"""Right ways to write `rpn_loss`, each written differently."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mdcv.exercises.exercise import Right

Pair = tuple[Tensor, Tensor]


def _by_indices(logits, deltas, labels, targets, *, beta=1 / 9) -> Pair:
    """In the way of torchvision."""
    if not len(logits) == len(deltas) == len(labels) == len(targets) or logits.dim() > 1:
        raise ValueError("lengths")
    if deltas.shape != targets.shape or set(labels.tolist()) - {1, 0, -1}:
        raise ValueError("shapes, or labels")
    positive = torch.where(labels == 1)[0]
    sampled = torch.cat([positive, torch.where(labels == 0)[0]])
    if sampled.numel() == 0:
        raise ValueError("nothing to learn from")
    boxes = F.smooth_l1_loss(deltas[positive], targets[positive], beta=beta, reduction="sum")
    objectness = F.binary_cross_entropy_with_logits(logits[sampled], labels[sampled].to(logits))
    return objectness, boxes / sampled.numel()


def _by_masks(logits, deltas, labels, targets, *, beta=1 / 9) -> list[Tensor]:
    """Every anchor at once, with weights of 0 and 1."""
    if logits.shape != labels.shape or logits.shape != deltas.shape[:-1] or logits.ndim != 1:
        raise ValueError("shapes")
    if targets.shape != deltas.shape or not ((labels == 1) | (labels == 0) | (labels == -1)).all():
        raise ValueError("shapes, or labels")
    counts, is_object = (labels > -1).to(logits), (labels == 1).to(logits)
    if counts.sum() == 0:
        raise ValueError("nothing to learn from")
    cross_entropy = F.softplus(logits) - is_object * logits
    gap = (deltas - targets).abs()
    smooth = torch.where(gap < beta, gap * gap / (2 * beta), gap - beta / 2).sum(dim=1)
    return [
        (counts * cross_entropy).sum() / counts.sum(),
        (is_object * smooth).sum() / counts.sum(),
    ]


def _by_loops(logits, deltas, labels, targets, *, beta=1 / 9) -> Pair:
    """Anchor by anchor; the parabola and the line as one Huber loss."""
    objectness, regression, count = 0 * logits.sum(), 0 * deltas.sum(), 0
    rows = [list(x) for x in (logits, deltas, labels.tolist(), targets)]
    if len({len(row) for row in rows}) > 1 or deltas.shape != targets.shape or logits.ndim != 1:
        raise ValueError("lengths")
    for logit, delta, label, target in zip(*rows, strict=True):
        if label not in (-1, 0, 1):
            raise ValueError("label")
        if label == -1:
            continue
        count += 1
        objectness = objectness - F.logsigmoid(logit if label else -logit)
        if label:
            regression = (
                regression + F.huber_loss(delta, target, delta=beta, reduction="sum") / beta
            )
    if count == 0:
        raise ValueError("nothing to learn from")
    return objectness / count, regression / count


RIGHT = (
    Right("by indices", _by_indices),
    Right("by masks", _by_masks),
    Right("by loops", _by_loops),
)
