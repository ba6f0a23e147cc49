"""Bodies that consist of all points within a radius of a core: a point, a circle, a segment, a box.

Their surface is the core moved outward along its normals. So a uniform sample draws the normal and
the foot on the core, in proportion to the areas that the kinds of normals sweep out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from mdcv.data.draws import choose, directions, mirrored, normals, uniform, unit
from mdcv.data.primitive import Point, Primitive, norm


@dataclass(frozen=True)
class Ball(Primitive):
    """All points within `radius` of `center`."""

    center: Point
    radius: float

    @property
    def area(self) -> float:
        return 4 * math.pi * self.radius**2

    @property
    def bounds(self) -> tuple[Point, Point]:
        return _around((self.center,), self.radius)

    def signed_distance(self, points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        return norm(points - points.new_tensor(self.center)) - self.radius

    def sample(self, n: int, generator: Generator | None) -> Float[Tensor, "n 3"]:
        normal = directions(n, generator)
        return normal.new_tensor(self.center) + self.radius * normal


@dataclass(frozen=True)
class Ring(Primitive):
    """The solid torus around the y axis: a disk of radius `minor` swept along a circle `major`."""

    major: float
    minor: float

    @property
    def area(self) -> float:
        return 4 * math.pi**2 * self.major * self.minor

    @property
    def bounds(self) -> tuple[Point, Point]:
        reach = self.major + self.minor
        return (-reach, -self.minor, -reach), (reach, self.minor, reach)

    def signed_distance(self, points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        x, y, z = points.unbind(-1)
        from_circle = norm(torch.stack((x, z), dim=-1)) - self.major
        return norm(torch.stack((from_circle, y), dim=-1)) - self.minor

    def sample(self, n: int, generator: Generator | None) -> Float[Tensor, "n 3"]:
        around = 2 * math.pi * uniform(n, generator)
        tube = 2 * math.pi * uniform(n, generator)
        # A patch of the tube is wider outside than inside: density 1 + (minor/major) cos(tube).
        flip = mirrored(torch.cos(tube) * self.minor / self.major, generator)
        tube = torch.where(flip, math.pi - tube, tube)
        reach = self.major + self.minor * torch.cos(tube)
        height = self.minor * torch.sin(tube)
        return torch.stack((reach * torch.cos(around), height, reach * torch.sin(around)), dim=-1)


@dataclass(frozen=True)
class Capsule(Primitive):
    """All points within `radius` of the segment from `start` to `end`."""

    start: Point
    end: Point
    radius: float

    @property
    def _areas(self) -> list[float]:
        """Areas of the side and of the two half spheres together."""
        length = math.dist(self.start, self.end)
        return [2 * math.pi * self.radius * length, 4 * math.pi * self.radius**2]

    @property
    def area(self) -> float:
        return sum(self._areas)

    @property
    def bounds(self) -> tuple[Point, Point]:
        return _around((self.start, self.end), self.radius)

    def signed_distance(self, points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        start, end = points.new_tensor(self.start), points.new_tensor(self.end)
        return norm(points - _nearest_on_segment(points, start, end)) - self.radius

    def sample(self, n: int, generator: Generator | None) -> Float[Tensor, "n 3"]:
        round_end = (choose(self._areas, n, generator) == 1).unsqueeze(-1)
        normal = normals((n, 3), generator)
        start, end = normal.new_tensor(self.start), normal.new_tensor(self.end)
        axis = unit(end - start)
        along = (normal @ axis).unsqueeze(-1)
        normal = unit(torch.where(round_end, normal, normal - along * axis))
        where = torch.where(round_end, (along > 0).double(), uniform((n, 1), generator))
        return start + where * (end - start) + self.radius * normal


@dataclass(frozen=True)
class Box(Primitive):
    """An upright box with all edges and corners rounded by `radius`; 0 leaves them sharp.

    `half` is half the outer size along x, y and z; `radius` is at most its smallest entry.
    """

    center: Point
    half: Point
    radius: float = 0.0

    @property
    def _core(self) -> Point:
        """Half the size of the box that remains when the rounding is peeled off."""
        return tuple(h - self.radius for h in self.half)  # type: ignore[return-value]

    @property
    def _areas(self) -> list[float]:
        """Areas of the faces normal to x, y, z; of the edges along x, y, z; of the corners."""
        x, y, z = self._core
        faces = [8 * y * z, 8 * z * x, 8 * x * y]
        edges = [4 * math.pi * self.radius * length for length in (x, y, z)]
        return [*faces, *edges, 4 * math.pi * self.radius**2]

    @property
    def area(self) -> float:
        return sum(self._areas)

    @property
    def bounds(self) -> tuple[Point, Point]:
        low = tuple(c - h for c, h in zip(self.center, self.half, strict=True))
        high = tuple(c + h for c, h in zip(self.center, self.half, strict=True))
        return low, high  # type: ignore[return-value]

    def signed_distance(self, points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        beyond = (points - points.new_tensor(self.center)).abs() - points.new_tensor(self._core)
        outside = norm(beyond.clamp(min=0))
        inside = beyond.amax(dim=-1).clamp(max=0)
        return outside + inside - self.radius

    def sample(self, n: int, generator: Generator | None) -> Float[Tensor, "n 3"]:
        which = choose(self._areas, n, generator)
        # The normal of a face has one entry, that of an edge two, that of a corner three.
        faces = torch.eye(3, dtype=torch.bool)
        has_entry = torch.cat((faces, ~faces, torch.ones(1, 3, dtype=torch.bool)))
        curved = has_entry.to(which.device)[which]
        normal = unit(torch.where(curved, normals((n, 3), generator), 0.0))
        core = normal.new_tensor(self._core)
        along = 2 * uniform((n, 3), generator) - 1
        foot = core * torch.where(curved, normal.sign(), along)
        return normal.new_tensor(self.center) + foot + self.radius * normal


def _around(points: tuple[Point, ...], radius: float) -> tuple[Point, Point]:
    """The corners of the box that holds balls of one radius around the points."""
    axes = list(zip(*points, strict=True))
    low = tuple(min(values) - radius for values in axes)
    high = tuple(max(values) + radius for values in axes)
    return low, high  # type: ignore[return-value]


def _nearest_on_segment(
    points: Float[Tensor, "*batch d"], start: Float[Tensor, " d"], end: Float[Tensor, " d"]
) -> Float[Tensor, "*batch d"]:
    axis = end - start
    where = ((points - start) @ axis / (axis @ axis)).clamp(0, 1)
    return start + where.unsqueeze(-1) * axis
