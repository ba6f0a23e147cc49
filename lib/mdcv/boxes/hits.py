"""Which detections are hits: the rule of Pascal VOC, and the rule of COCO."""

from __future__ import annotations

import torch
from torch import Tensor

#: COCO looks at this many of a class in an image, the best ones.
MOST_DETECTIONS = 100


def pascal_hits(overlap: Tensor, image: Tensor, difficult: Tensor, threshold: float) -> Tensor:
    """1 for a hit, 0 for a miss, -1 for what counts neither way; by Pascal VOC's rule.

    A detection looks at the one object that it overlaps most, the first of equals. It is a hit if
    their IoU reaches the threshold and no better ranked detection hit that object before.

    Args:
        overlap: (D, G), IoU of the ranked detections with the objects of their image; -1 for an
            object of another class, and in columns beyond the last object.
        image: (D,), the image of each detection.
        difficult: (images, G), whether each object need not be found.
        threshold: the IoU that makes a hit.
    """
    best, which = overlap.max(dim=1)
    reaches = best >= threshold
    target = image * overlap.shape[1] + which
    rank = torch.arange(len(target))
    # Where nothing is reached the place is one behind the last object.
    place = torch.where(reaches, target, difficult.numel())
    first = rank.new_full((difficult.numel() + 1,), len(rank))
    first = first.scatter_reduce(0, place, rank, "amin")
    outcome = (reaches & (first[place] == rank)).long()
    return outcome.masked_fill(reaches & difficult[image, which], -1)


def coco_hits(
    overlap: Tensor, image: Tensor, difficult: Tensor, threshold: float, turn: Tensor
) -> Tensor:
    """1 for a hit, 0 for a miss, -1 for what counts neither way; by COCO's rule.

    A detection takes, of the objects that are still free and that it overlaps enough, the one it
    overlaps most, the last of equals. A difficult object is taken only where no other can be. It
    is taken once, too, and the detection that takes it counts neither way.

    Args:
        overlap, image, difficult, threshold: as for `pascal_hits`.
        turn: (D,), how many detections of the same image and class are ranked before each.

    Source: `COCOeval.evaluateImg` in pycocotools, with difficult objects as it treats those
        outside the range of areas.
    """
    threshold = min(threshold, 1 - 1e-10)
    outcome = torch.zeros_like(image)
    outcome[turn >= MOST_DETECTIONS] = -1
    free = torch.ones_like(difficult)
    last = overlap.shape[1] - 1
    # Detections whose turn is the same cannot want the same object.
    turns = int(turn.max()) + 1 if len(turn) else 0
    for now in range(min(turns, MOST_DETECTIONS)):
        rows = (turn == now).nonzero().squeeze(1)
        where = image[rows]
        reached = free[where] & (overlap[rows] >= threshold)
        regular = reached & ~difficult[where]
        allowed = torch.where(regular.any(dim=1, keepdim=True), regular, reached)
        wanted = overlap[rows].masked_fill(~allowed, -1.0)
        taken = last - wanted.flip(1).argmax(dim=1)
        does_take = allowed.any(dim=1)
        rows, where, taken = rows[does_take], where[does_take], taken[does_take]
        free[where, taken] = False
        outcome[rows] = torch.where(difficult[where, taken], -1, 1)
    return outcome
