"""The region proposal network: at every cell, for every anchor, is there an object, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mdcv.boxes import (
    encode_boxes,
    match_anchors,
    nms,
    sample_matches,
)
from mdcv.detection.proposal_loss import ProposalLoss, rpn_loss
from mdcv.detection.region_coding import decode_clamped
from mdcv.errors import check_integer


@dataclass(frozen=True)
class ProposalRules:
    """Which anchors are learned from, and which of their boxes go on to the second stage."""

    #: Learned as an object from this IoU on, and as background below that one.
    high: float = 0.7
    low: float = 0.3
    #: Anchors sampled from each image, and the share of objects among them at most.
    count: int = 128
    positive_share: float = 0.5
    #: Boxes kept before suppression and after it, by score.
    before: int = 400
    after: int = 100
    iou_threshold: float = 0.7
    #: Sides in pixels below which a box is thrown away.
    min_side: float = 2.0


class RPNHead(nn.Module):
    """One 3×3 convolution that all anchors share, and two 1×1 convolutions that answer.

    Args:
        channels: of the feature map.
        anchors: how many there are at each cell.

    Raises:
        ValueError: a number is below 1.

    Source: Ren, He, Girshick and Sun 2015, arXiv:1506.01497, section 3.1, with one logit for each
    anchor instead of two.

    >>> logits, deltas = RPNHead(8, anchors=3)(torch.rand(2, 8, 4, 5))
    >>> logits.shape, deltas.shape
    (torch.Size([2, 60]), torch.Size([2, 60, 4]))
    """

    def __init__(self, channels: int, anchors: int) -> None:
        super().__init__()
        check_integer("channels", channels, low=1)
        check_integer("anchors", anchors, low=1)
        self.anchors = anchors
        self.shared = nn.Conv2d(channels, channels, 3, padding=1)
        self.objectness = nn.Conv2d(channels, anchors, 1)
        self.deltas = nn.Conv2d(channels, 4 * anchors, 1)
        for layer in (self.objectness, self.deltas):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def forward(
        self, features: Float[Tensor, "b c h w"]
    ) -> tuple[Float[Tensor, "b a"], Float[Tensor, "b a 4"]]:
        """Logit and box code of every anchor, in the order of `make_anchors`.

        Cells run row by row, and the anchors of a cell run fastest.
        """
        shared = self.shared(features).relu()
        logits = self.objectness(shared).permute(0, 2, 3, 1).flatten(1)
        deltas = self.deltas(shared).permute(0, 2, 3, 1)
        return logits, deltas.reshape(len(features), -1, 4)


def proposal_losses(
    logits: Float[Tensor, "b a"],
    deltas: Float[Tensor, "b a 4"],
    anchors: Float[Tensor, "a 4"],
    objects: Sequence[Tensor],
    rules: ProposalRules,
    *,
    generator: torch.Generator | None = None,
) -> ProposalLoss:
    """`rpn_loss` over a sample of the anchors of every image.

    Args:
        logits, deltas: of the network.
        anchors: of one image; every image of a batch has the same.
        objects: the boxes (N, 4) of each image, N = 0 where there is nothing to find.
    """
    labels = torch.full(logits.shape, -1, device=logits.device)
    targets = torch.zeros_like(deltas)
    for i, boxes in enumerate(objects):
        matches = match_anchors(anchors, boxes.to(anchors), high=rules.high, low=rules.low)
        positive, negative = sample_matches(
            matches, rules.count, positive_share=rules.positive_share, generator=generator
        )
        labels[i, positive], labels[i, negative] = 1, 0
        targets[i, positive] = encode_boxes(
            boxes.to(anchors)[matches[positive]], anchors[positive]
        ).to(deltas.dtype)
    return rpn_loss(logits.flatten(), deltas.flatten(0, 1), labels.flatten(), targets.flatten(0, 1))


@torch.no_grad()
def select_proposals(
    logits: Float[Tensor, " a"],
    deltas: Float[Tensor, "a 4"],
    anchors: Float[Tensor, "a 4"],
    size: tuple[int, int],
    rules: ProposalRules,
) -> Float[Tensor, "p 4"]:
    """The boxes of one image that are worth a second look, best first; possibly none.

    The best by score, decoded and clipped to the image, without those that are too small, and of
    those that nearly coincide the best one.
    """
    best = logits.topk(min(rules.before, len(logits)))
    boxes = decode_clamped(deltas[best.indices].to(anchors), anchors[best.indices], size)
    large = (boxes[:, 2:] - boxes[:, :2]).amin(dim=1) >= rules.min_side
    boxes, scores = boxes[large], best.values[large].to(boxes)
    return boxes[nms(boxes, scores, rules.iou_threshold)[: rules.after]]
