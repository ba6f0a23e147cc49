"""RoI Align: regions of a feature map, forward and with its gradient."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.agreement import within
from bench.case import ANYWHERE, Case, Entrant, Goal
from mdcv.seeds import generator

STRIDE, BINS, SAMPLES = 16, 7, 2
OPTIONS = {"spatial_scale": 1 / STRIDE, "sampling_ratio": SAMPLES, "aligned": True}


def inputs(device: torch.device) -> dict[str, Tensor]:
    """A map (2, 256, 50, 84) of an image of 800 by 1344 pixels, and 512 boxes inside it."""
    draws = generator(1)
    features = torch.randn(2, 256, 50, 84, generator=draws)
    extent = torch.tensor([1344.0, 800.0])
    size = 32 + 288 * torch.rand(512, 2, generator=draws)
    # Half a cell from the border, so that padding conventions do not come in.
    corner = 16 + (extent - 32 - size) * torch.rand(512, 2, generator=draws)
    image = torch.randint(2, (512, 1), generator=draws).float()
    boxes = torch.cat([image, corner, corner + size], dim=1)
    upstream = torch.randn(512, 256, BINS, BINS, generator=draws)
    return {
        "features": features.to(device),
        "boxes": boxes.to(device),
        "upstream": upstream.to(device),
    }


def _ours():
    from mdcv.detection import roi_align

    return lambda features, boxes: roi_align(features, boxes, (BINS, BINS), **OPTIONS)


def _torchvision():
    from torchvision.ops import roi_align

    return lambda features, boxes: roi_align(features, boxes, (BINS, BINS), **OPTIONS)


def _grid_sample():
    """One long strip of samples per image, averaged over each bin."""
    from torch.nn.functional import avg_pool2d, grid_sample

    def align(features: Tensor, boxes: Tensor) -> Tensor:
        at = (torch.arange(BINS * SAMPLES, device=boxes.device) + 0.5) / (BINS * SAMPLES)
        pooled = features.new_empty(len(boxes), features.shape[1], BINS, BINS)
        extent = torch.tensor([features.shape[3], features.shape[2]], device=boxes.device)
        for image in range(len(features)):
            mine = (boxes[:, 0] == image).nonzero().squeeze(1)
            low, high = (boxes[mine, 1:] / STRIDE).split(2, dim=1)
            # grid_sample has -1 and 1 at the map's borders, where boxes have 0 and the extent.
            position = 2 * (low[:, None] + at[:, None] * (high - low)[:, None]) / extent - 1
            across = position[:, None, :, 0].expand(-1, len(at), -1)
            down = position[:, :, None, 1].expand(-1, -1, len(at))
            strip = torch.stack([across, down], dim=-1).flatten(0, 1)[None]
            sampled = grid_sample(features[image : image + 1], strip, align_corners=False)
            means = avg_pool2d(sampled[0], SAMPLES).unflatten(1, (len(mine), BINS))
            pooled[mine] = means.transpose(0, 1)
        return pooled

    return align


def _forward(load):
    def prepare(features, boxes, upstream):
        align = load()
        return lambda: (align(features, boxes),)

    return prepare


def _with_gradient(load):
    def prepare(features, boxes, upstream):
        align, features = load(), features.clone().requires_grad_()

        def call():
            means = align(features, boxes)
            return means.detach(), *torch.autograd.grad(means, features, upstream)

        return call

    return prepare


def _named(returned) -> dict[str, Tensor]:
    return dict(zip(("means", "gradient"), returned, strict=False))


LOADERS = {
    "mdcv": ("mdcv.detection", _ours),
    "torchvision": ("torchvision.ops", _torchvision),
    "torch grid_sample": ("torch", _grid_sample),
}


def align(name: str, title: str, measured, limits: dict[str, float]) -> Case:
    ours, *peers = (
        Entrant(entrant, needs, measured(load), _named, ANYWHERE)
        for entrant, (needs, load) in LOADERS.items()
    )
    return Case(
        name=name,
        operation="roi_align",
        title=title,
        inputs=inputs,
        ours=ours,
        peers=tuple(peers),
        compare=within(limits),
        tolerance="within 0.01 % (as vectors)",
        goals=(Goal(4, ("torchvision",)),),
    )


CASES = (
    align("roi-align-forward", "roi_align, 512 boxes", _forward, {"means": 1e-4}),
    align(
        "roi-align-backward",
        "roi_align with gradient, 512 boxes",
        _with_gradient,
        {"means": 1e-4, "gradient": 1e-4},
    ),
)
