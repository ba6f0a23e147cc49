"""Boxes: overlap, and the suppression of those that overlap too much."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from bench.agreement import same_indices, within
from bench.case import ANYWHERE, Case, Curve, Entrant, Goal, Inputs, calling
from mdcv.seeds import generator

THRESHOLD = 0.5
CLASSES = 80


def spread(n: int, seed: int = 1) -> Tensor:
    """(n, 4) boxes all over an image that grows with their number; most of them stay."""
    draws = generator(seed)
    side = 24 * n**0.5
    corner = side * torch.rand(n, 2, generator=draws)
    size = 16 + 48 * torch.rand(n, 2, generator=draws)
    return torch.cat([corner, corner + size], dim=1)


def clustered(n: int, seed: int = 1) -> Tensor:
    """(n, 4) boxes as a detector proposes them: many around each of 100 objects; few stay."""
    draws = generator(seed)
    objects = 100
    center = 800 * torch.rand(objects, 2, generator=draws)
    size = 32 + 96 * torch.rand(objects, 2, generator=draws)
    which = torch.randint(objects, (n,), generator=draws)
    size, center = size[which], center[which]
    center = center + 0.08 * size * torch.randn(n, 2, generator=draws)
    size = size * (0.12 * torch.randn(n, 2, generator=draws)).exp()
    return torch.cat([center - size / 2, center + size / 2], dim=1)


def _torch_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """The overlap as anyone writes it, and as torchvision does."""
    top_left = torch.maximum(boxes1[:, None, :2], boxes2[:, :2])
    bottom_right = torch.minimum(boxes1[:, None, 2:], boxes2[:, 2:])
    intersection = (bottom_right - top_left).clamp(min=0).prod(dim=2)
    area1, area2 = ((b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) for b in (boxes1, boxes2))
    return intersection / (area1[:, None] + area2 - intersection)


def _torch_nms(boxes, scores):
    def call():
        left, kept = scores.argsort(descending=True, stable=True), []
        while len(left):
            best, left = left[0], left[1:]
            kept.append(best)
            left = left[_torch_iou(boxes[best][None], boxes[left])[0] <= THRESHOLD]
        return torch.stack(kept)

    return call


NMS = (
    Entrant("mdcv", "mdcv.boxes", calling("mdcv.boxes", "nms", THRESHOLD), devices=ANYWHERE),
    Entrant(
        "torchvision",
        "torchvision.ops",
        calling("torchvision.ops", "nms", THRESHOLD),
        devices=ANYWHERE,
    ),
    Entrant("plain torch", "torch", _torch_nms, devices=ANYWHERE),
)


def suppression(kind: str, boxes: Callable[[int], Tensor], n: int, times: float) -> Case:
    """n boxes that `boxes` makes; the goal is to be so many times as fast as torchvision."""
    ours, torchvision, loop = NMS
    return Case(
        name=f"nms-{kind}-{n}",
        operation="nms",
        title=f"nms, {n:,} boxes, {kind}",
        inputs=lambda device: {
            "boxes": boxes(n).to(device),
            "scores": torch.rand(n, generator=generator(2)).to(device),
        },
        ours=ours,
        peers=(torchvision, loop) if n <= 3_000 else (torchvision,),
        compare=same_indices,
        tolerance="the same indices",
        goals=(Goal(times, ("torchvision",)),),
    )


def _torch_batched(boxes, scores, idxs):
    single = {int(group): (idxs == group).nonzero().squeeze(1) for group in idxs.unique()}

    def call():
        kept = [own[_torch_nms(boxes[own], scores[own])()] for own in single.values()]
        kept = torch.cat(kept)
        return kept[scores[kept].argsort(descending=True, stable=True)]

    return call


def _same_boxes(inputs: Inputs, ours: Tensor, theirs: Tensor) -> str | None:
    """The same set by descending score; where scores are equal, torchvision's order is open."""
    scores = inputs["scores"]
    if not torch.equal(scores[ours], scores[theirs]):
        return "the scores of the kept boxes differ"
    return same_indices(inputs, ours.sort().values, theirs.sort().values)


def batched() -> Case:
    n = 10_000
    return Case(
        name="batched-nms-10000",
        operation="batched_nms",
        title=f"batched_nms, {n:,} boxes, {CLASSES} classes",
        inputs=lambda device: {
            "boxes": clustered(n).to(device),
            "scores": torch.rand(n, generator=generator(2)).to(device),
            "idxs": torch.randint(CLASSES, (n,), generator=generator(3)).to(device),
        },
        ours=Entrant(
            "mdcv", "mdcv.boxes", calling("mdcv.boxes", "batched_nms", THRESHOLD), devices=ANYWHERE
        ),
        peers=(
            Entrant(
                "torchvision",
                "torchvision.ops",
                calling("torchvision.ops", "batched_nms", THRESHOLD),
                devices=ANYWHERE,
            ),
            Entrant("plain torch", "torch", _torch_batched, devices=ANYWHERE),
        ),
        compare=_same_boxes,
        tolerance="the same boxes by descending score",
        goals=(Goal(2.5, ("torchvision",)),),
    )


def _as_iou(table: Tensor) -> dict[str, Tensor]:
    return {"overlap": table}


def overlap() -> Case:
    return Case(
        name="box-iou-10000x2000",
        operation="box_iou",
        title="box_iou, 10,000 × 2,000",
        inputs=lambda device: {
            "boxes1": clustered(10_000, 1).to(device),
            "boxes2": clustered(2_000, 1).to(device),
        },
        ours=Entrant("mdcv", "mdcv.boxes", calling("mdcv.boxes", "box_iou"), _as_iou, ANYWHERE),
        peers=(
            Entrant(
                "torchvision",
                "torchvision.ops",
                calling("torchvision.ops", "box_iou"),
                _as_iou,
                ANYWHERE,
            ),
            Entrant(
                "plain torch",
                "torch",
                lambda **boxes: lambda: _torch_iou(**boxes),
                _as_iou,
                ANYWHERE,
            ),
        ),
        compare=within({"overlap": 1e-5}),
        tolerance="within 0.001 % (as vectors)",
        goals=(Goal(10, ("torchvision",)),),
    )


CASES = (
    suppression("spread", spread, 1_000, 4),
    suppression("spread", spread, 10_000, 20),
    suppression("clustered", clustered, 10_000, 5),
    batched(),
    overlap(),
)

CURVE = Curve(
    name="nms",
    operation="nms",
    title="nms, boxes spread over an image",
    counts="boxes",
    sizes=(1_000, 3_000, 10_000, 30_000, 100_000),
    case=lambda n: suppression("spread", spread, n, 20),
)
