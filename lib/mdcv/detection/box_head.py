"""The second stage's answer for one region: its class, and a better box for every class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mdcv.boxes import batched_nms, encode_boxes, match_anchors, sample_matches
from mdcv.detection.region_coding import REGION_WEIGHTS, decode_clamped

#: What `detect` returns for an image: boxes (K, 4), scores (K,), labels (K,), and perhaps masks.
Detection = dict[str, Tensor]


@dataclass(frozen=True)
class RegionRules:
    """Which regions are learned from, and which answers are detections."""

    #: A region belongs to the object it overlaps most from this IoU on, else to background.
    iou: float = 0.5
    #: Regions sampled from each image, and the share of objects among them at most.
    count: int = 32
    positive_share: float = 0.25
    #: Detections: the lowest score, the IoU of suppression within a class, how many an image.
    min_score: float = 0.05
    iou_threshold: float = 0.5
    most: int = 50
    #: Sides in pixels below which a box is thrown away.
    min_side: float = 1.0


@dataclass(frozen=True)
class RegionSample:
    """The regions of a batch that are learned from: boxes by image, the rest one row each."""

    boxes: list[Tensor]
    #: 0 background, c + 1 for class c.
    labels: Tensor
    #: What the deltas should be, zero for background.
    targets: Tensor
    #: The object that each region belongs to within its image, -1 for background.
    objects: Tensor


class BoxHead(nn.Module):
    """Two fully connected layers, then a logit for each class and background, and their boxes.

    Source: Girshick 2015, arXiv:1504.08083, section 2.

    >>> logits, deltas = BoxHead(8, bins=3, num_classes=4, hidden=16)(torch.rand(5, 8, 3, 3))
    >>> logits.shape, deltas.shape
    (torch.Size([5, 5]), torch.Size([5, 20]))
    """

    def __init__(self, channels: int, *, bins: int, num_classes: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * bins * bins, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
        )
        self.classes = nn.Linear(hidden, num_classes + 1)
        self.deltas = nn.Linear(hidden, 4 * (num_classes + 1))
        for layer, spread in ((self.classes, 0.01), (self.deltas, 0.001)):
            nn.init.normal_(layer.weight, std=spread)
            nn.init.zeros_(layer.bias)

    def forward(
        self, pooled: Float[Tensor, "r c i j"]
    ) -> tuple[Float[Tensor, "r k"], Float[Tensor, "r d"]]:
        """Class logits (R, C + 1), background first, and deltas (R, 4·(C + 1))."""
        hidden = self.layers(pooled)
        return self.classes(hidden), self.deltas(hidden)


def sample_regions(
    proposals: Sequence[Tensor],
    targets: Sequence[dict],
    rules: RegionRules,
    *,
    generator: torch.Generator | None = None,
) -> RegionSample:
    """A sample of regions for every image, and what each should be.

    The true boxes join the proposals. So there is something to learn from even where, at the
    beginning, no proposal comes near an object.
    """
    boxes, labels, codes, objects = [], [], [], []
    for some, target in zip(proposals, targets, strict=True):
        true = target["boxes"].to(some)
        some = torch.cat([some, true])
        matches = match_anchors(some, true, high=rules.iou, low=rules.iou, keep_best=False)
        positive, negative = sample_matches(
            matches, rules.count, positive_share=rules.positive_share, generator=generator
        )
        chosen = torch.cat([positive, negative])
        boxes.append(some[chosen])
        objects.append(matches[chosen])
        label, code = torch.zeros_like(chosen), some.new_zeros(len(chosen), 4)
        label[: len(positive)] = target["labels"][matches[positive]].long() + 1
        weights = some.new_tensor(REGION_WEIGHTS)
        code[: len(positive)] = weights * encode_boxes(true[matches[positive]], some[positive])
        labels.append(label)
        codes.append(code)
    return RegionSample(boxes, torch.cat(labels), torch.cat(codes), torch.cat(objects))


@torch.no_grad()
def select_detections(
    class_logits: Float[Tensor, "p k"],
    deltas: Float[Tensor, "p d"],
    proposals: Float[Tensor, "p 4"],
    size: tuple[int, int],
    rules: RegionRules,
) -> Detection:
    """The detections of one image, best first: every class of every region is a candidate.

    Candidates below the lowest score go, then those too small, then within each class those that
    overlap a better one; the best few stay.
    """
    scores = class_logits.to(proposals).softmax(dim=1)[:, 1:]
    regions, labels = (scores >= rules.min_score).nonzero(as_tuple=True)
    scores = scores[regions, labels]
    own = deltas.to(proposals).unflatten(1, (-1, 4))[regions, labels + 1]
    own = own / own.new_tensor(REGION_WEIGHTS)
    return suppress(decode_clamped(own, proposals[regions], size), scores, labels, rules)


def suppress(boxes: Tensor, scores: Tensor, labels: Tensor, rules: RegionRules) -> Detection:
    """Candidates without the small ones and without those that overlap a better one of a class."""
    large = (boxes[:, 2:] - boxes[:, :2]).amin(dim=1) >= rules.min_side
    boxes, scores, labels = boxes[large], scores[large], labels[large]
    kept = batched_nms(boxes, scores, labels, rules.iou_threshold)[: rules.most]
    return {"boxes": boxes[kept], "scores": scores[kept], "labels": labels[kept]}
