"""Clouds of points on the six families of solids, with the class and the part of every point."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from mdcv.data.shapes import SOLIDS
from mdcv.errors import check_integer

#: The parts of every family: each name with the number of primitives that make it up, in their
#: order. An airplane's tail is its two tailplanes and the fin.
_MADE_OF = {
    "chair": (("chair seat", 1), ("chair leg", 4), ("chair back", 5)),
    "table": (("table top", 1), ("table leg", 4)),
    "lamp": (("lamp foot", 1), ("lamp pole", 1), ("lamp shade", 1)),
    "plane": (("plane body", 1), ("plane wing", 2), ("plane tail", 3)),
    "sphere": (("sphere", 1),),
    "torus": (("torus", 1),),
}

#: The name of every part; its place here is its number in `Clouds.parts`, over all classes.
PART_NAMES: tuple[str, ...] = tuple(name for made in _MADE_OF.values() for name, _ in made)

#: For every class label the numbers of its parts: `CLASS_PARTS[1]` are those of a table.
CLASS_PARTS: tuple[tuple[int, ...], ...] = tuple(
    tuple(PART_NAMES.index(name) for name, _ in _MADE_OF[family]) for family in SOLIDS
)

#: For every class label the part that each primitive of its solid belongs to.
_PART_OF_PRIMITIVE = [
    [PART_NAMES.index(name) for name, count in _MADE_OF[family] for _ in range(count)]
    for family in SOLIDS
]


class Clouds(NamedTuple):
    """Labeled clouds, one solid each.

    Attributes:
        points: (S, N, 3) float32, centered, the farthest point at distance 1.
        labels: (S,) int64, the class: its place in `SOLIDS`.
        parts: (S, N) int64, the part that each point lies on: its place in `PART_NAMES`.
    """

    points: Tensor
    labels: Tensor
    parts: Tensor


def shape_clouds(count: int, *, points: int = 1024, generator: Generator) -> Clouds:
    """Clouds of the six classes in turn, each on a solid of its own proportions.

    A cloud is drawn uniformly over the surface of its solid, y up, then moved so that the mean of
    its points is the origin and scaled so that the farthest one lies at distance 1. Its size is
    gone with that, and so are two differences between classes; what is left is shape.

    Args:
        count: how many clouds; cloud i is of class i modulo 6.
        points: how many points each cloud has.
        generator: the source of proportions and points; the clouds lie on its device.

    Raises:
        ValueError: count or points is not an integer in its range (>= 0, >= 1).

    Source: Wu and others 2015 (ModelNet) for clouds of single objects in a common pose; Qi and
    others 2017, arXiv:1612.00593, section 5.1, for the unit ball.

    >>> clouds = shape_clouds(12, points=64, generator=torch.Generator().manual_seed(0))
    >>> clouds.points.shape, clouds.labels
    (torch.Size([12, 64, 3]), tensor([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]))
    >>> sorted({PART_NAMES[part] for part in clouds.parts[1].tolist()})
    ['table leg', 'table top']
    """
    check_integer("count", count, low=0)
    check_integer("points", points, low=1)
    device = generator.device
    labels = torch.arange(count, device=device) % len(SOLIDS)
    drawn = torch.empty(count, points, 3, device=device)
    parts = torch.empty(count, points, dtype=torch.int64, device=device)
    families = list(SOLIDS.values())
    for i in range(count):
        label = i % len(families)
        solid = families[label](generator=generator)
        drawn[i], primitive = solid.sample_parts(points, generator=generator)
        parts[i] = torch.tensor(_PART_OF_PRIMITIVE[label], device=device)[primitive]
    return Clouds(unit_ball(drawn), labels, parts)


def unit_ball(points: Float[Tensor, "*batch n 3"]) -> Float[Tensor, "*batch n 3"]:
    """Each cloud moved so that its mean is the origin, and scaled so that it reaches distance 1.

    A cloud whose points all coincide has no size: it becomes zeros.

    >>> unit_ball(torch.tensor([[0.0, 0.0, 3.0], [0.0, 0.0, 7.0]]))
    tensor([[ 0.,  0., -1.],
            [ 0.,  0.,  1.]])
    """
    centered = points - points.mean(dim=-2, keepdim=True)
    reach = torch.linalg.vector_norm(centered, dim=-1).amax(dim=-1)[..., None, None]
    return centered / torch.where(reach > 0, reach, 1)
