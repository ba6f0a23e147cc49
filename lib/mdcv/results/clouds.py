"""PointNet and PointNet++ on clouds of the six families, clean and spoilt in four ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from mdcv.data import (
    SOLIDS,
    Clouds,
    noisy_cloud,
    outlier_cloud,
    rotated_cloud,
    shape_clouds,
    thinned_cloud,
)
from mdcv.pointnet import PointNet2Classifier, PointNetClassifier, train_clouds
from mdcv.results.measurement import Measurement
from mdcv.seeds import generator

CLOUDS = "clouds of six families"
CLEAN, NOISY, ROTATED = "accuracy, %", "with noise, σ = 0.05, %", "turned about y, %"
THINNED, OUTLIERS = "a quarter of the points, %", "5 % outliers, %"
#: Seed of what is held out. Training starts from the seeds of the runs: small numbers.
HELD_OUT = 1_000_003
#: How many clouds are judged at once.
AT_ONCE = 64


@dataclass(frozen=True)
class CloudSizes:
    """How many clouds of how many points, how long the training, how coarse PointNet++ gets."""

    seen: int
    held_out: int
    points: int
    steps: int
    batch: int
    centers: tuple[int, int]


SIZES = {
    "smoke": CloudSizes(12, 12, 64, 2, 6, (8, 4)),
    "cpu": CloudSizes(600, 300, 256, 150, 32, (64, 16)),
    "gpu": CloudSizes(12_000, 3000, 1024, 5000, 32, (256, 64)),
}
MODELS: dict[str, Callable[[CloudSizes, Generator], nn.Module]] = {
    "PointNet": lambda sizes, rng: PointNetClassifier(len(SOLIDS), rng=rng),
    "PointNet++": lambda sizes, rng: PointNet2Classifier(
        len(SOLIDS), centers=sizes.centers, rng=rng
    ),
}


def spoilt(points: Tensor, rng: Generator) -> dict[str, Tensor]:
    """The clouds as they are, and in every state that a network is asked about."""
    return {
        CLEAN: points,
        NOISY: noisy_cloud(points, 0.05, generator=rng),
        ROTATED: rotated_cloud(points, generator=rng),
        THINNED: thinned_cloud(points, points.shape[1] // 4, generator=rng),
        OUTLIERS: outlier_cloud(points, 0.05, generator=rng),
    }


def measure_clouds(
    preset: str, seeds: Sequence[int], *, device: torch.device | str, progress: bool
) -> Iterator[Measurement]:
    """The share of held-out shapes that each network names rightly, in percent.

    Both train on clean, upright clouds alone: what they do with the others, nobody taught them.
    A seed stands for shapes, weights and batches; the held-out shapes are the same for all.
    """
    sizes = SIZES[preset]
    asked = _draw(sizes.held_out, sizes, HELD_OUT, device)
    states = spoilt(asked.points, generator(HELD_OUT, device))
    for seed in seeds:
        seen = _draw(sizes.seen, sizes, seed, device)
        for name, build in MODELS.items():
            model = build(sizes, generator(seed)).to(device)
            train_clouds(
                model,
                seen.points,
                seen.labels,
                steps=sizes.steps,
                batch_size=sizes.batch,
                subset=None,
                seed=seed,
                progress=progress,
            )
            for measure, points in states.items():
                value = _accuracy(model, points, asked.labels)
                yield Measurement(CLOUDS, name, measure, seed, value)


def _draw(count: int, sizes: CloudSizes, seed: int, device: torch.device | str) -> Clouds:
    # On the CPU whatever the device: a seed means the same shapes everywhere.
    clouds = shape_clouds(count, points=sizes.points, generator=generator(seed))
    return Clouds(*(part.to(device) for part in clouds))


@torch.no_grad()
def _accuracy(model: nn.Module, points: Tensor, labels: Tensor) -> float:
    found = torch.cat([model(part).argmax(dim=1) for part in points.split(AT_ONCE)])
    return 100 * (found == labels).double().mean().item()
