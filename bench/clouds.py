"""The point sets that are measured: seeded, float32, the same on every machine."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.seeds import generator


def cube(n: int, seed: int) -> Tensor:
    """(n, 3) uniform in the unit cube."""
    return torch.rand(n, 3, generator=generator(seed))


def sphere(n: int, seed: int) -> Tensor:
    """(n, 3) uniform on the unit sphere."""
    return torch.nn.functional.normalize(torch.randn(n, 3, generator=generator(seed)), dim=1)


def clusters(n: int, seed: int) -> Tensor:
    """(n, 3) in three balls of width 0.01 around far-away centers, and one point farther away.

    A regular grid over such a set puts nearly all points into three of its cells.
    """
    draws = generator(seed)
    centers = torch.tensor([[0.0, 0.0, 0.0], [10.0, 0.0, 0.0], [0.0, 10.0, 5.0]])
    which = torch.randint(3, (n,), generator=draws)
    points = centers[which] + 0.01 * torch.randn(n, 3, generator=draws)
    points[0] = torch.tensor([1000.0, -1000.0, 1000.0])
    return points


def lattice(n: int, shift: float) -> Tensor:
    """(n, 3) nodes of a lattice of step 1, shifted along every axis; n is a power of two.

    Shifted by half a step, a node has eight nearest neighbors at one distance: all ties.
    """
    bits = n.bit_length() - 1
    sides = [2 ** ((bits + axis) // 3) for axis in range(3)]
    axes = [torch.arange(side, dtype=torch.float32) for side in sides]
    return torch.cartesian_prod(*axes) + shift


def duplicated(points: Tensor) -> Tensor:
    """The first half of the points, each twice."""
    return points[: len(points) // 2].repeat(2, 1)


def shuffled(points: Tensor, seed: int) -> Tensor:
    """The same points in a random order: a set has none, and some solvers profit from one."""
    return points[torch.randperm(len(points), generator=generator(seed))]
