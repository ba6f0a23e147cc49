"""Shapes to train on, and others of the same kind that only who judges has.

Every seed has its own: other proportions, another numbering of the classes, and another stretch of
space, so that no network trained elsewhere fits.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mdcv.data import shape_clouds
from mdcv.exercises.cases import Draw
from mdcv.seeds import generator

CLASSES = 6
POINTS = 64
TRAINING, UNSEEN = 150, 60


class Shapes(NamedTuple):
    """Clouds (S, 64, 3) with their classes, for training and to be told apart."""

    points: Tensor
    labels: Tensor
    unseen: Tensor
    unseen_labels: Tensor


def shapes(draw: Draw) -> Shapes:
    """Clouds of six classes; those for training come sorted by class."""
    drawn = shape_clouds(
        TRAINING + UNSEEN, points=POINTS, generator=generator(draw.integer(0, 2**31))
    )
    stretch = 0.8 + 0.4 * draw.uniform(3).float()
    points = drawn.points * stretch
    labels = torch.tensor(draw.order(CLASSES))[drawn.labels]
    order = labels[:TRAINING].argsort(stable=True)
    return Shapes(
        points[:TRAINING][order], labels[:TRAINING][order], points[TRAINING:], labels[TRAINING:]
    )
