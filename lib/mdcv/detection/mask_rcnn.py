"""Mask R-CNN: Faster R-CNN with one more head, which draws every object's mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mdcv.detection.alignment import roi_align
from mdcv.detection.box_head import Detection, RegionSample
from mdcv.detection.fast_rcnn import Targets
from mdcv.detection.faster_rcnn import FasterRCNN
from mdcv.detection.images import Sizes, check_targets
from mdcv.detection.mask_learning import mask_loss
from mdcv.detection.pasting import paste_masks
from mdcv.errors import check_integer
from mdcv.kernels.arithmetic import widened


class MaskHead(nn.Module):
    """Convolutions on a region's grid, one doubling of it, and a mask for each class.

    >>> MaskHead(8, num_classes=3, width=16)(torch.rand(5, 8, 7, 7)).shape
    torch.Size([5, 3, 14, 14])
    """

    def __init__(self, channels: int, *, num_classes: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(width, width, 2, 2),
            nn.ReLU(),
            nn.Conv2d(width, num_classes, 1),
        )

    def forward(self, pooled: Float[Tensor, "r c n n"]) -> Float[Tensor, "r k m m"]:
        """Logits, one channel per class."""
        return self.layers(pooled)


class MaskRCNN(FasterRCNN):
    """Faster R-CNN that also returns a mask for every detection.

    In training the mask head sees the sampled regions that belong to an object, and learns the
    channel of the object's class alone. In use it looks at the final boxes, and the channel of
    the class that the box head chose is pasted into the image.

    Args:
        num_classes: without background; labels are 0 to num_classes − 1.
        mask_bins: a region is pooled to mask_bins × mask_bins; its mask has twice as many cells
            along each side.
        mask_width: channels of the mask head.
        options: as for `FasterRCNN`.

    Source: He, Gkioxari, Dollár and Girshick 2017, arXiv:1703.06870.

    >>> detector = MaskRCNN(2, channels=(8, 16))
    >>> found = detector(torch.rand(1, 3, 32, 48))
    >>> found[0]["masks"].shape[1:], found[0]["masks"].dtype
    (torch.Size([32, 48]), torch.bool)
    """

    def __init__(
        self, num_classes: int, *, mask_bins: int = 8, mask_width: int = 64, **options: Any
    ) -> None:
        super().__init__(num_classes, **options)
        check_integer("mask_bins", mask_bins, low=1)
        check_integer("mask_width", mask_width, low=1)
        self.mask_bins = mask_bins
        self.mask_head = MaskHead(self.backbone.channels, num_classes=num_classes, width=mask_width)

    def _check(self, targets: object, sizes: Sizes) -> None:
        device = next(self.parameters()).device
        check_targets(targets, sizes, self.num_classes, device, masks=True)

    def _sample_losses(
        self, features: Tensor, sample: RegionSample, targets: Targets
    ) -> dict[str, Tensor]:
        losses = super()._sample_losses(features, sample, targets)
        counts = [len(boxes) for boxes in sample.boxes]
        of_object = [objects >= 0 for objects in sample.objects.split(counts)]
        boxes = [some[which] for some, which in zip(sample.boxes, of_object, strict=True)]
        logits = self.mask_head(self._pool(features, boxes, self.mask_bins))
        own = [o[which] for o, which in zip(sample.objects.split(counts), of_object, strict=True)]
        grid = 2 * self.mask_bins
        true = [
            crop_masks(target["masks"][o], some, grid)
            for target, o, some in zip(targets, own, boxes, strict=True)
        ]
        labels = sample.labels[sample.labels > 0] - 1
        return {**losses, "mask": mask_loss(logits, labels, torch.cat(true).to(logits.dtype))}

    def _detect(
        self, features: Tensor, proposals: Sequence[Tensor], sizes: Sizes
    ) -> list[Detection]:
        found = super()._detect(features, proposals, sizes)
        boxes = [image["boxes"] for image in found]
        logits = self.mask_head(self._pool(features, boxes, self.mask_bins))
        for image, own, size in zip(
            found, logits.split([len(b) for b in boxes]), sizes, strict=True
        ):
            channel = own[torch.arange(len(own), device=own.device), image["labels"]]
            pasted = paste_masks(widened(channel).sigmoid(), image["boxes"], size)
            image["masks"] = pasted >= 0.5
        return found


def crop_masks(masks: Tensor, boxes: Float[Tensor, "n 4"], grid: int) -> Float[Tensor, "n m m"]:
    """What the mask head should say of each box: the mean of its mask over each cell.

    The way back of `paste_masks`, bilinear and with the same half pixels: where an edge of the mask
    runs between two pixels, the cells beside it are neither 0 nor 1.

    >>> mask = torch.zeros(1, 4, 4, dtype=torch.bool)
    >>> mask[0, :, :2] = True
    >>> crop_masks(mask, torch.tensor([[1.0, 0.0, 3.0, 4.0]]), 2)
    tensor([[[0.8750, 0.1250],
             [0.8750, 0.1250]]])
    """
    number = torch.arange(len(boxes), dtype=boxes.dtype, device=boxes.device)
    regions = torch.cat([number[:, None], boxes], dim=1)
    return roi_align(masks[:, None].to(boxes.dtype), regions, grid, 1.0, 2, True)[:, 0].clamp(0, 1)
