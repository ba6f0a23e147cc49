"""The R-CNN family on the same scenes: how well each detects, and what a picture costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mdcv.boxes import COCO_THRESHOLDS, mean_average_precision
from mdcv.data import SCENE_CLASSES, shape_scenes
from mdcv.detection import RCNN, FasterRCNN, FastRCNN, MaskRCNN, train_detector
from mdcv.results.clouds import HELD_OUT
from mdcv.results.measurement import Measurement
from mdcv.seeds import generator

SCENES = "scenes of shapes"
BOX_50, BOX = "mAP@0.5, %", "mAP@0.5:0.95, %"
MASK_50, MASK = "mask AP@0.5, %", "mask AP@0.5:0.95, %"
PER_IMAGE, TRAINING = "time per image, ms", "training, s"
#: COCO's number: its matching, its 101 levels of recall, its ten thresholds.
AS_COCO = {"iou_thresholds": COCO_THRESHOLDS, "method": "101-point", "matching": "coco"}


@dataclass(frozen=True)
class SceneSizes:
    """How many scenes of what size, how long the trainings, how wide the networks."""

    seen: int
    held_out: int
    side: int
    steps: dict[str, int]
    batch: int
    channels: tuple[int, ...]


SIZES = {
    "smoke": SceneSizes(
        12, 4, 32, {"R-CNN": 1, "Fast R-CNN": 1, "Faster R-CNN": 1, "Mask R-CNN": 1}, 2, (8, 8)
    ),
    "cpu": SceneSizes(
        600,
        100,
        96,
        {"R-CNN": 300, "Fast R-CNN": 600, "Faster R-CNN": 800, "Mask R-CNN": 800},
        8,
        (32, 64, 128),
    ),
    "gpu": SceneSizes(
        4000,
        500,
        192,
        {"R-CNN": 4000, "Fast R-CNN": 8000, "Faster R-CNN": 8000, "Mask R-CNN": 8000},
        16,
        (64, 128, 256),
    ),
}
DETECTORS: dict[str, Callable[..., nn.Module]] = {
    "R-CNN": RCNN,
    "Fast R-CNN": FastRCNN,
    "Faster R-CNN": FasterRCNN,
    "Mask R-CNN": MaskRCNN,
}
#: These two look at regions that an algorithm without weights proposes.
WITH_PROPOSALS = ("R-CNN", "Fast R-CNN")


def measure_detectors(
    preset: str, seeds: Sequence[int], *, device: torch.device | str, progress: bool
) -> Iterator[Measurement]:
    """mAP on held-out scenes, the time for a picture and for the training, and mask AP.

    Both times hold everything: the search for regions, where a detector needs it, the network,
    suppression. They are seconds by the clock, so they mean something on a machine at rest.
    """
    sizes = SIZES[preset]
    asked, truth = draw_scenes(sizes.held_out, sizes.side, HELD_OUT, device)
    for seed in seeds:
        images, targets = draw_scenes(sizes.seen, sizes.side, seed, device)
        for name in DETECTORS:
            start = _now(device)
            detector = _train(name, sizes, images, targets, seed, device, progress)
            trained = _now(device) - start
            detector.eval()
            detector([asked[0]])  # what is compiled at the first call is no cost of a picture
            start = _now(device)
            found = [detector([image])[0] for image in asked]
            per_image = (_now(device) - start) / len(asked)
            for measure, value in _scores(found, truth).items():
                yield Measurement(SCENES, name, measure, seed, value)
            yield Measurement(SCENES, name, PER_IMAGE, seed, 1000 * per_image)
            yield Measurement(SCENES, name, TRAINING, seed, trained)


def draw_scenes(
    count: int, side: int, seed: int, device: torch.device | str
) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    """Images, and for each what a detector is to find."""
    scenes = shape_scenes(count, size=(side, side), generator=generator(seed))
    targets = [
        {"boxes": scene.boxes, "labels": scene.labels, "masks": scene.masks} for scene in scenes
    ]
    return (
        [scene.image.to(device) for scene in scenes],
        [{key: value.to(device) for key, value in target.items()} for target in targets],
    )


def _train(
    name: str,
    sizes: SceneSizes,
    images: list[Tensor],
    targets: list[dict[str, Tensor]],
    seed: int,
    device: torch.device | str,
    progress: bool,
) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        detector = DETECTORS[name](len(SCENE_CLASSES), channels=sizes.channels).to(device)
    # Regions are searched once: they do not change while the network learns.
    proposals = detector.propose(images) if name in WITH_PROPOSALS else None
    train_detector(
        detector,
        images,
        targets,
        steps=sizes.steps[name],
        batch_size=sizes.batch,
        learning_rate=2e-3,
        proposals=proposals,
        seed=seed,
        progress=progress,
    )
    if isinstance(detector, RCNN):
        detector.fit(images, targets, proposals=proposals)
    return detector


def _scores(found: list[dict[str, Tensor]], truth: list[dict[str, Tensor]]) -> dict[str, float]:
    asked: dict[str, dict[str, Any]] = {BOX_50: {}, BOX: AS_COCO}
    if "masks" in found[0]:
        asked |= {MASK_50: {"overlap": "masks"}, MASK: {**AS_COCO, "overlap": "masks"}}
    return {
        measure: 100 * float(mean_average_precision(found, truth, **how))
        for measure, how in asked.items()
    }


def _now(device: torch.device | str) -> float:
    """The clock, when all that was asked of the device is done."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
