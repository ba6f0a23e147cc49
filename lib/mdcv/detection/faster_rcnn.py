"""Faster R-CNN: the feature map itself says which regions are worth a look."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from mdcv.boxes import make_anchors
from mdcv.detection.box_head import Detection, RegionRules
from mdcv.detection.fast_rcnn import FastRCNN, Images, Targets
from mdcv.detection.images import Sizes
from mdcv.detection.proposal_network import (
    ProposalRules,
    RPNHead,
    proposal_losses,
    select_proposals,
)
from mdcv.kernels.arithmetic import widened


class FasterRCNN(FastRCNN):
    """Fast R-CNN whose proposals come from a region proposal network on the same feature map.

    Stage one answers "object or not" for every anchor; stage two looks at the best of their
    boxes, says the class and corrects the box once more. Both are trained at once. The gradient
    does not flow through the coordinates of the proposals.

    Args:
        num_classes: without background; labels are 0 to num_classes − 1.
        anchor_scales: square roots of the anchors' areas, in pixels.
        anchor_ratios: their heights over their widths.
        proposals: which anchors are learned from, and which boxes go on to the second stage.
        channels, bins, hidden, pooling, regions: as for `FastRCNN`.

    Raises:
        ValueError: a number, scale or ratio is not as said.

    Source: Ren, He, Girshick and Sun 2015, arXiv:1506.01497, trained jointly (section 3.2, ii).

    >>> detector = FasterRCNN(3, channels=(8, 16))
    >>> target = {"boxes": torch.tensor([[4.0, 4, 20, 20]]), "labels": torch.tensor([2])}
    >>> sorted(detector.losses(torch.rand(1, 3, 32, 32), [target]))
    ['box', 'class', 'objectness', 'proposal box']
    """

    def __init__(
        self,
        num_classes: int,
        *,
        anchor_scales: Sequence[float] = (10.0, 20.0, 40.0),
        anchor_ratios: Sequence[float] = (0.5, 1.0, 2.0),
        proposals: ProposalRules | None = None,
        channels: Sequence[int] = (32, 64, 128),
        bins: int = 5,
        hidden: int = 256,
        pooling: str = "align",
        regions: RegionRules | None = None,
    ) -> None:
        super().__init__(
            num_classes,
            channels=channels,
            bins=bins,
            hidden=hidden,
            pooling=pooling,
            regions=regions,
        )
        # Refuses scales and ratios now that would fail at the first image.
        make_anchors((1, 1), self.backbone.stride, anchor_scales, anchor_ratios)
        self.anchor_scales, self.anchor_ratios = tuple(anchor_scales), tuple(anchor_ratios)
        self.proposals = proposals or ProposalRules()
        self.rpn = RPNHead(self.backbone.channels, len(anchor_scales) * len(anchor_ratios))

    def losses(
        self,
        images: Images,
        targets: Targets,
        *,
        proposals: Sequence[Tensor] | None = None,
        generator: Generator | None = None,
    ) -> dict[str, Tensor]:
        """The two losses of each stage, by name; training minimizes their sum.

        Args, Raises: as for `FastRCNN.losses`. Proposals given here are what stage two looks at.
        """
        batch, sizes = self._open(images)
        self._check(targets, sizes)
        features = self.backbone(batch)
        logits, deltas = self.rpn(features)
        anchors = self.anchors(features)
        objects = [target["boxes"] for target in targets]
        first = proposal_losses(
            logits, deltas, anchors, objects, self.proposals, generator=generator
        )
        if proposals is None:
            proposals = self._select(logits, deltas, anchors, sizes)
        second = self._region_losses(features, proposals, targets, generator)
        return {"objectness": first.objectness, "proposal box": first.regression, **second}

    def forward(
        self, images: Images, *, proposals: Sequence[Tensor] | None = None
    ) -> list[Detection]:
        """For each image a dict of boxes (K, 4), scores (K,) and labels (K,), best first."""
        with torch.no_grad():
            batch, sizes = self._open(images)
            features = self.backbone(batch)
            if proposals is None:
                proposals = self._select(*self.rpn(features), self.anchors(features), sizes)
            return self._detect(features, proposals, sizes)

    def propose(self, images: Images) -> list[Tensor]:
        """The regions (P, 4) of each image that stage one sends to stage two, best first."""
        with torch.no_grad():
            batch, sizes = self._open(images)
            features = self.backbone(batch)
            return self._select(*self.rpn(features), self.anchors(features), sizes)

    def anchors(self, features: Tensor) -> Tensor:
        """The anchors of a feature map, in the order in which the network answers."""
        kind = {"dtype": widened(features).dtype, "device": features.device}
        stride, size = self.backbone.stride, tuple(features.shape[2:])
        return make_anchors(size, stride, self.anchor_scales, self.anchor_ratios, **kind)

    def _select(
        self, logits: Tensor, deltas: Tensor, anchors: Tensor, sizes: Sizes
    ) -> list[Tensor]:
        parts = zip(logits.detach(), deltas.detach(), sizes, strict=True)
        return [select_proposals(a, b, anchors, size, self.proposals) for a, b, size in parts]
