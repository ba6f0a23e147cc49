"""Trains any detector of the family: a random batch, its losses, a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Generator, Tensor

from mdcv.errors import check_integer, check_number
from mdcv.train import train


class Detector(Protocol):
    """What `train_detector` needs of a detector."""

    def losses(
        self,
        images: Sequence[Tensor],
        targets: Sequence[Mapping[str, Tensor]],
        *,
        proposals: Sequence[Tensor] | None = None,
        generator: Generator | None = None,
    ) -> dict[str, Tensor]:
        """Losses by name, of which training minimizes the sum."""


def train_detector(
    detector: torch.nn.Module,
    images: Sequence[Tensor],
    targets: Sequence[Mapping[str, Tensor]],
    *,
    steps: int = 800,
    batch_size: int = 8,
    learning_rate: float = 2e-3,
    proposals: Sequence[Tensor] | None = None,
    seed: int = 0,
    progress: bool = True,
) -> dict[str, Tensor]:
    """Every loss of every step, by name, (steps,) each; the detector is trained in place.

    Adam with decoupled weight decay. The learning rate rises over the first twentieth and falls
    to zero along a half cosine; gradients longer than 5 are cut to that length, since a few
    regions can say anything at the beginning.

    Args:
        detector: an `RCNN` (its first round), `FastRCNN`, `FasterRCNN` or `MaskRCNN`, on the
            device of the images.
        images: tensors (3, H, W) in [0, 1].
        targets: a dict for each image: boxes (N, 4), labels (N,), and masks (N, H, W) of bools
            for `MaskRCNN`. N may be 0; other entries are not looked at.
        steps, batch_size, learning_rate: how long, on how many images at once, how fast.
        proposals: the regions of each image, for a detector that does not propose its own;
            without them they are searched anew at every step.
        seed: of the batches and of the samples within them. The starting weights are the caller's.
        progress: whether to show a line while it runs.

    Raises:
        ValueError: there are no images, there is not one target (and one table of proposals) for
            each, or a number is not as said.
    """
    check_integer("batch_size", batch_size, low=1)
    check_number("learning_rate", learning_rate)
    tables = {"targets": targets} | ({} if proposals is None else {"proposals": proposals})
    for name, table in tables.items():
        if len(images) == 0 or len(table) != len(images):
            raise ValueError(
                f"{name} has {len(table)} entries, images {len(images)}; expected as many, one at "
                "least"
            )
    optimizer = torch.optim.AdamW(detector.parameters(), lr=learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, total_steps=steps + 1, pct_start=0.05
    )
    device = next(detector.parameters()).device

    def step(k: int, generator: Generator) -> dict[str, Tensor]:
        chosen = torch.randint(len(images), (batch_size,), generator=generator, device=device)
        rows = chosen.tolist()
        some = None if proposals is None else [proposals[i] for i in rows]
        losses = detector.losses(
            [images[i] for i in rows],
            [targets[i] for i in rows],
            proposals=some,
            generator=generator,
        )
        optimizer.zero_grad()
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(detector.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        return losses

    name = f"training {type(detector).__name__}"
    return train(step, steps, seed=seed, device=device, progress=progress, name=name)
