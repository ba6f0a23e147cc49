"""R-CNN: every region warped to one size, and a network run on each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from mdcv.boxes import box_iou, encode_boxes, match_anchors
from mdcv.detection.backbone import Backbone
from mdcv.detection.box_head import Detection, RegionRules, sample_regions, suppress
from mdcv.detection.fast_rcnn import Images, Targets
from mdcv.detection.grouping import region_proposals
from mdcv.detection.images import check_proposals, check_targets, stack_images
from mdcv.detection.region_coding import decode_clamped
from mdcv.detection.warping import warp_regions
from mdcv.errors import check_integer, check_number

#: Feature vectors are scaled so that their mean length is this, and the SVM's C goes with it. Both
#: are those of the authors' code.
FEATURE_LENGTH, SOFTNESS = 20.0, 0.001


class RCNN(nn.Module):
    """Regions from `region_proposals`, a network on each, a linear SVM and a ridge regression.

    It is trained in two rounds. First the network learns to classify warped regions, with a
    softmax that is thrown away afterwards (`losses`). Then, on its fixed features, `fit` finds a
    linear support vector machine and a box regression for every class.

    Args:
        num_classes: without background; labels are 0 to num_classes − 1.
        crop: side of the warped regions, in pixels; a multiple of the backbone's stride.
        context: pixels of the warped region that show its surroundings, on each side.
        channels: widths of the backbone's stages.
        features: length of a region's feature vector.
        regions: which regions are learned from, and which answers are detections.

    Raises:
        ValueError: a number is not as said.

    Source: Girshick, Donahue, Darrell and Malik 2014, arXiv:1311.2524.

    >>> detector = RCNN(3, channels=(8, 16), crop=16)
    >>> target = {"boxes": torch.tensor([[4.0, 4, 20, 20]]), "labels": torch.tensor([2])}
    >>> list(detector.losses(torch.rand(1, 3, 32, 32), [target], proposals=[torch.zeros(0, 4)]))
    ['class']
    """

    def __init__(
        self,
        num_classes: int,
        *,
        crop: int = 32,
        context: int = 3,
        channels: Sequence[int] = (32, 64, 128),
        features: int = 128,
        regions: RegionRules | None = None,
    ) -> None:
        super().__init__()
        check_integer("num_classes", num_classes, low=1)
        check_integer("features", features, low=1)
        self.backbone = Backbone(channels)
        check_integer("crop", crop, low=1)
        if crop % self.backbone.stride:
            raise ValueError(f"crop is {crop}; expected a multiple of {self.backbone.stride}")
        self.num_classes, self.crop, self.context = num_classes, crop, context
        self.regions = regions or RegionRules()
        cells = (crop // self.backbone.stride) ** 2
        self.describe = nn.Sequential(
            nn.Flatten(), nn.Linear(self.backbone.channels * cells, features), nn.ReLU()
        )
        self.softmax = nn.Linear(features, num_classes + 1)
        # What `fit` finds: one hyperplane and four ridge regressions for every class.
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("planes", torch.zeros(num_classes, features + 1))
        self.register_buffer("regressions", torch.zeros(num_classes, features + 1, 4))

    def losses(
        self,
        images: Images,
        targets: Targets,
        *,
        proposals: Sequence[Tensor] | None = None,
        generator: Generator | None = None,
    ) -> dict[str, Tensor]:
        """The cross-entropy of the warped regions of a sample: the first round of training.

        Args, Raises: as for `FastRCNN.losses`.
        """
        batch, sizes = stack_images(images, self.softmax.weight, 1)
        check_targets(targets, sizes, self.num_classes, batch.device)
        proposals = self.propose(images) if proposals is None else proposals
        check_proposals(proposals, sizes, batch.device)
        sample = sample_regions(proposals, targets, self.regions, generator=generator)
        logits = self.softmax(self.look(batch, sample.boxes))
        return {"class": F.cross_entropy(logits, sample.labels)}

    def look(self, batch: Tensor, boxes: Sequence[Tensor]) -> Float[Tensor, "r f"]:
        """The feature vector of every region: one run of the network for each of them."""
        warped = warp_regions(batch, [b.to(batch) for b in boxes], self.crop, context=self.context)
        return self.describe(self.backbone(warped))

    @torch.no_grad()
    def fit(
        self,
        images: Images,
        targets: Targets,
        *,
        proposals: Sequence[Tensor] | None = None,
        penalty: float = 1000.0,
    ) -> None:
        """The second round: support vector machines and box regressions on fixed features.

        A class's positive examples are its true boxes; its negatives are the regions that overlap
        none of them by 0.3. What lies between serves neither. The box regression learns from
        regions with an IoU of 0.6 or more.

        Args:
            penalty: of the ridge regression, the λ of the paper.
            images, targets, proposals: as for `losses`.

        Raises:
            ValueError: as `losses`, or a class has no object or nothing to tell it from.
        """
        check_number("penalty", penalty)
        batch, sizes = stack_images(images, self.softmax.weight, 1)
        check_targets(targets, sizes, self.num_classes, batch.device)
        proposals = self.propose(images) if proposals is None else proposals
        check_proposals(proposals, sizes, batch.device)
        tables = [self._examples(*part) for part in zip(batch, targets, proposals, strict=True)]
        features, overlap, true, codes = (torch.cat(column) for column in zip(*tables, strict=True))
        self.scale = FEATURE_LENGTH / features.norm(dim=1).mean().clamp(min=1e-6)
        features = _with_one(features * self.scale)
        for label in range(self.num_classes):
            is_positive = true == label
            is_negative = overlap[:, label] < 0.3
            if not bool(is_positive.any()) or not bool(is_negative.any()):
                raise ValueError(f"class {label} has no object, or no region without one")
            self.planes[label] = _hyperplane(features[is_positive], features[is_negative])
            near = overlap[:, label] >= 0.6
            self.regressions[label] = _ridge(features[near], codes[near, label], penalty)

    def forward(
        self, images: Images, *, proposals: Sequence[Tensor] | None = None
    ) -> list[Detection]:
        """For each image a dict of boxes (K, 4), scores (K,) and labels (K,), best first.

        Scores are distances from the hyperplane, in units of the margin: a rank, no probability.
        """
        with torch.no_grad():
            batch, sizes = stack_images(images, self.softmax.weight, 1)
            proposals = self.propose(images) if proposals is None else proposals
            check_proposals(proposals, sizes, batch.device)
            counts = [len(boxes) for boxes in proposals]
            features = _with_one(self.look(batch, proposals) * self.scale).split(counts)
            parts = zip(features, proposals, sizes, strict=True)
            return [self._decide(*part) for part in parts]

    def propose(self, images: Images) -> list[Tensor]:
        """Regions of each image, by `region_proposals`."""
        return [region_proposals(image.float().cpu()).to(image) for image in images]

    def _decide(self, features: Tensor, boxes: Tensor, size: tuple[int, int]) -> Detection:
        margins = features @ self.planes.T
        # Beyond the margin on the wrong side no answer is worth keeping.
        regions, labels = (margins > -1).nonzero(as_tuple=True)
        codes = torch.einsum("rf,rfk->rk", features[regions], self.regressions[labels])
        better = decode_clamped(codes, boxes.to(codes)[regions], size)
        return suppress(better, margins[regions, labels], labels, self.regions)

    def _examples(
        self, image: Tensor, target: Mapping[str, Tensor], proposals: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Of every region and true box: features, greatest IoU by class, its class, its codes.

        The class is −1 for a proposal, which is nobody's true box.
        """
        objects, labels = target["boxes"].to(image), target["labels"]
        boxes = torch.cat([proposals.to(image), objects])
        features = self.look(image[None], [boxes])
        true = torch.cat([labels.new_full((len(proposals),), -1), labels])
        overlap = boxes.new_zeros(len(boxes), self.num_classes)
        codes = boxes.new_zeros(len(boxes), self.num_classes, 4)
        for label in labels.unique().tolist():
            own = objects[labels == label]
            overlap[:, label] = box_iou(boxes, own).amax(dim=1)
            nearest = match_anchors(boxes, own, high=0.0, low=0.0, keep_best=False)
            codes[:, label] = encode_boxes(own[nearest], boxes)
        return features, overlap, true, codes


def _with_one(features: Tensor) -> Tensor:
    """A column of ones beside the features, so that a hyperplane's offset is one more weight."""
    return F.pad(features, (0, 1), value=1.0)


def _hyperplane(positive: Tensor, negative: Tensor) -> Tensor:
    """The weights of the linear support vector machine that tells the two apart."""
    from sklearn.svm import LinearSVC

    rows = torch.cat([positive, negative]).double().cpu().numpy()
    answers = [1] * len(positive) + [0] * len(negative)
    machine = LinearSVC(C=SOFTNESS, fit_intercept=False, random_state=0)
    return torch.from_numpy(machine.fit(rows, answers).coef_[0]).to(positive)


def _ridge(features: Tensor, codes: Tensor, penalty: float) -> Tensor:
    """argmin_W ‖F W − codes‖² + penalty · ‖W‖², in closed form."""
    wide = features.double()
    square = wide.T @ wide + penalty * torch.eye(wide.shape[1], dtype=wide.dtype).to(wide)
    return torch.linalg.solve(square, wide.T @ codes.double()).to(features)
