"""Exercises meet wrong shapes as users do: the annotations of the library do not stand in front."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor


@pytest.fixture(autouse=True)
def _annotations_off(at_the_door: None) -> None:
    """References must raise ValueError themselves."""


def right_hausdorff(x: Tensor, y: Tensor) -> Tensor:
    """A right implementation of the exercise that the tests of the engine are about."""
    if x.ndim != 3 or y.ndim != 3 or x.shape[::2] != y.shape[::2]:
        raise ValueError("shapes do not fit together")
    if 0 in (x.shape[1], y.shape[1]):
        raise ValueError("empty set")
    table = torch.linalg.vector_norm(x[:, :, None] - y[:, None], dim=-1)
    return torch.maximum(table.amin(2).amax(1), table.amin(1).amax(1))


@pytest.fixture
def right():
    return right_hausdorff
