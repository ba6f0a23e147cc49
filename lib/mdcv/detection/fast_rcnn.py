"""Fast R-CNN: one feature map for the whole image, and a look at each region on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from mdcv.detection.alignment import roi_align
from mdcv.detection.backbone import Backbone
from mdcv.detection.box_head import (
    BoxHead,
    Detection,
    RegionRules,
    RegionSample,
    sample_regions,
    select_detections,
)
from mdcv.detection.grouping import region_proposals
from mdcv.detection.images import Sizes, check_proposals, check_targets, stack_images
from mdcv.detection.pooling import roi_pool
from mdcv.detection.region_loss import fast_rcnn_loss
from mdcv.errors import check_integer, check_option
from mdcv.kernels.arithmetic import widened

Images = Tensor | Sequence[Tensor]
Targets = Sequence[Mapping[str, Tensor]]


class FastRCNN(nn.Module):
    """Finds objects in regions that somebody proposes: by default `region_proposals`.

    The convolutions run once for the image. Then every region is pooled from their map to a fixed
    number of bins, and a small head says its class and a better box.

    Args:
        num_classes: without background; labels are 0 to num_classes − 1.
        channels: widths of the backbone's stages, each of stride 2.
        bins: a region is pooled to bins × bins.
        hidden: width of the head.
        pooling: "align" for RoI Align, "pool" for RoI Pool as in the paper.
        regions: which regions are learned from, and which answers are detections.

    Raises:
        ValueError: a number is below 1, or the pooling is unknown.

    Source: Girshick 2015, arXiv:1504.08083.

    >>> detector = FastRCNN(3, channels=(8, 16))
    >>> found = detector(torch.rand(2, 3, 32, 32), proposals=[torch.zeros(0, 4)] * 2)
    >>> len(found), sorted(found[0])
    (2, ['boxes', 'labels', 'scores'])
    """

    def __init__(
        self,
        num_classes: int,
        *,
        channels: Sequence[int] = (32, 64, 128),
        bins: int = 5,
        hidden: int = 256,
        pooling: str = "align",
        regions: RegionRules | None = None,
    ) -> None:
        super().__init__()
        for name, number in (("num_classes", num_classes), ("bins", bins), ("hidden", hidden)):
            check_integer(name, number, low=1)
        check_option("pooling", pooling, ("align", "pool"))
        self.num_classes, self.bins, self.pooling = num_classes, bins, pooling
        self.regions = regions or RegionRules()
        self.backbone = Backbone(channels)
        self.box_head = BoxHead(
            self.backbone.channels, bins=bins, num_classes=num_classes, hidden=hidden
        )

    def losses(
        self,
        images: Images,
        targets: Targets,
        *,
        proposals: Sequence[Tensor] | None = None,
        generator: Generator | None = None,
    ) -> dict[str, Tensor]:
        """What training minimizes the sum of, by name.

        Args:
            images: (B, 3, H, W) or a list of (3, H, W), in [0, 1].
            targets: for each image a dict of boxes (N, 4) and labels (N,), N = 0 included.
            proposals: for each image regions (P, 4) to look at; None asks `region_proposals`.
            generator: draws the sample of regions.

        Raises:
            ValueError: a shape, dtype, device or number is not as said.
        """
        batch, sizes = self._open(images)
        self._check(targets, sizes)
        if proposals is None:
            proposals = self.propose(images)
        check_proposals(proposals, sizes, batch.device)
        return self._region_losses(self.backbone(batch), proposals, targets, generator)

    def forward(
        self, images: Images, *, proposals: Sequence[Tensor] | None = None
    ) -> list[Detection]:
        """For each image a dict of boxes (K, 4), scores (K,) and labels (K,), best first.

        No graph is kept. Images are checked as in training.
        """
        with torch.no_grad():
            batch, sizes = self._open(images)
            if proposals is None:
                proposals = self.propose(images)
            check_proposals(proposals, sizes, batch.device)
            return self._detect(self.backbone(batch), proposals, sizes)

    def propose(self, images: Images) -> list[Tensor]:
        """Regions of each image, by `region_proposals`: slow, and the same for every detector."""
        return [region_proposals(image.float().cpu()).to(image.device) for image in images]

    def _open(self, images: Images) -> tuple[Tensor, Sizes]:
        like = next(self.parameters())
        return stack_images(images, like, self.backbone.stride)

    def _check(self, targets: object, sizes: Sizes) -> None:
        check_targets(targets, sizes, self.num_classes, next(self.parameters()).device)

    def _pool(
        self, features: Float[Tensor, "b c h w"], boxes: Sequence[Tensor], bins: int
    ) -> Float[Tensor, "r c n n"]:
        """Every region of every image on a grid of bins."""
        # Half could not tell a box from its neighbor a pixel away, so this runs in float32.
        wide = widened(features)
        boxes = [some.to(wide.dtype) for some in boxes]
        scale = 1 / self.backbone.stride
        if self.pooling == "pool":
            pooled = roi_pool(wide, boxes, bins, scale)
        else:
            pooled = roi_align(wide, boxes, bins, scale, 2, True)
        return pooled.to(features.dtype)

    def _region_losses(
        self,
        features: Tensor,
        proposals: Sequence[Tensor],
        targets: Targets,
        generator: Generator | None,
    ) -> dict[str, Tensor]:
        wide = [some.to(widened(features).dtype) for some in proposals]
        sample = sample_regions(wide, targets, self.regions, generator=generator)
        return self._sample_losses(features, sample, targets)

    def _sample_losses(
        self, features: Tensor, sample: RegionSample, targets: Targets
    ) -> dict[str, Tensor]:
        class_logits, deltas = self.box_head(self._pool(features, sample.boxes, self.bins))
        codes = sample.targets.to(deltas.dtype)
        loss = fast_rcnn_loss(class_logits, deltas, sample.labels, codes)
        return {"class": loss.classification, "box": loss.regression}

    def _detect(
        self, features: Tensor, proposals: Sequence[Tensor], sizes: Sizes
    ) -> list[Detection]:
        proposals = [some.to(widened(features).dtype) for some in proposals]
        counts = [len(some) for some in proposals]
        class_logits, deltas = self.box_head(self._pool(features, proposals, self.bins))
        parts = zip(class_logits.split(counts), deltas.split(counts), proposals, sizes, strict=True)
        return [select_detections(*part, self.regions) for part in parts]
