"""Closed solids whose signed distance is known exactly, each with its area and uniform samples.

Every primitive answers three questions: how far is a point from the surface (negative inside),
how large is the surface, and where is a point drawn uniformly from it. Lengths are in one unit,
y is up. The distances are exact everywhere, inside and outside, because all of these solids but
the torus are convex: outside, the nearest point is a projection; inside, the nearest face counts.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from mdcv.data.draws import choose, directions, mirrored, normals, uniform, unit

Point = tuple[float, float, float]


class Primitive(ABC):
    """What a part of a solid can tell about itself."""

    @property
    @abstractmethod
    def area(self) -> float:
        """The area of the whole surface."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[Point, Point]:
        """The lower and upper corner of the upright box around it."""

    @abstractmethod
    def signed_distance(self, points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        """The exact distance from each point to the surface, negative inside."""

    @abstractmethod
    def sample(self, n: int, generator: Generator | None) -> Float[Tensor, "n 3"]:
        """n float64 points, drawn independently and uniformly over the area."""


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
        return _norm(points - points.new_tensor(self.center)) - self.radius

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
        from_circle = _norm(torch.stack((x, z), dim=-1)) - self.major
        return _norm(torch.stack((from_circle, y), dim=-1)) - self.minor

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
        outside = _norm(beyond.clamp(min=0))
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
        return _norm(points - _nearest_on_segment(points, start, end)) - self.radius

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
class Frustum(Primitive):
    """An upright cone cut off at both ends; a cylinder when both radii are equal.

    `base` is the center of the bottom disk; the top disk lies `height` above it.
    """

    base: Point
    height: float
    bottom: float
    top: float

    @property
    def _areas(self) -> list[float]:
        """Areas of the bottom disk, the side and the top disk."""
        slant = math.hypot(self.height, self.top - self.bottom)
        side = math.pi * (self.bottom + self.top) * slant
        return [math.pi * self.bottom**2, side, math.pi * self.top**2]

    @property
    def area(self) -> float:
        return sum(self._areas)

    @property
    def bounds(self) -> tuple[Point, Point]:
        x, y, z = self.base
        reach = max(self.bottom, self.top)
        return (x - reach, y, z - reach), (x + reach, y + self.height, z + reach)

    def signed_distance(self, points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        x, y, z = (points - points.new_tensor(self.base)).unbind(-1)
        half_section = torch.stack((_norm(torch.stack((x, z), dim=-1)), y), dim=-1)
        outline = ((0.0, 0.0), (self.bottom, 0.0), (self.top, self.height), (0.0, self.height))
        return _to_convex_outline(half_section, outline)

    def sample(self, n: int, generator: Generator | None) -> Float[Tensor, "n 3"]:
        which = choose(self._areas, n, generator)
        up = uniform(n, generator)
        taper = (self.top - self.bottom) / (self.top + self.bottom)
        # The side is wider at one end: density 1 + taper (2 up - 1).
        up = torch.where(mirrored(taper * (2 * up - 1), generator), 1 - up, up)
        from_axis = uniform(n, generator).sqrt()
        reach = torch.where(which == 0, self.bottom * from_axis, self.top * from_axis)
        reach = torch.where(which == 1, self.bottom + (self.top - self.bottom) * up, reach)
        height = self.height * torch.where(which == 1, up, which.double() / 2)
        around = 2 * math.pi * uniform(n, generator)
        offset = torch.stack((reach * torch.cos(around), height, reach * torch.sin(around)), -1)
        return offset.new_tensor(self.base) + offset


@dataclass(frozen=True)
class Prism(Primitive):
    """A convex polygon swept along one axis, such as a wing.

    `corners` run counterclockwise in the plane of the two axes that follow `axis` cyclically:
    (y, z) for axis 0, (z, x) for axis 1, (x, y) for axis 2. The prism reaches from `low` to
    `high` along `axis`.
    """

    axis: int
    corners: tuple[tuple[float, float], ...]
    low: float
    high: float

    def __post_init__(self) -> None:
        turns = [
            (bx - ax) * (cy - by) - (by - ay) * (cx - bx)
            for ((ax, ay), (bx, by)), (_, (cx, cy)) in zip(
                self._edges, self._edges[1:] + self._edges[:1], strict=True
            )
        ]
        if min(turns) <= 0:
            raise ValueError(f"corners are {self.corners}; expected convex and counterclockwise")

    @property
    def _edges(self) -> list[tuple[tuple[float, float], tuple[float, float]]]:
        return list(zip(self.corners, self.corners[1:] + self.corners[:1], strict=True))

    @property
    def _areas(self) -> list[float]:
        """Areas of the triangles that fan over the polygon, both ends counted, and of the sides."""
        (x0, y0), *_ = self.corners
        fan = [
            (ax - x0) * (by - y0) - (bx - x0) * (ay - y0)
            for (ax, ay), (bx, by) in self._edges[1:-1]
        ]
        sides = [(self.high - self.low) * math.dist(a, b) for a, b in self._edges]
        return [*fan, *sides]

    @property
    def area(self) -> float:
        return sum(self._areas)

    @property
    def bounds(self) -> tuple[Point, Point]:
        u, v = zip(*self.corners, strict=True)
        ends = []
        for pick, level in ((min, self.low), (max, self.high)):
            rolled = (level, pick(u), pick(v))
            ends.append(tuple(rolled[(i - self.axis) % 3] for i in range(3)))
        return ends[0], ends[1]

    def signed_distance(self, points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        level, u, v = points.roll(-self.axis, dims=-1).unbind(-1)
        across = _to_convex_outline(torch.stack((u, v), dim=-1), self.corners, closed=True)
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        beyond = torch.stack((across, (level - middle).abs() - half), dim=-1)
        return _norm(beyond.clamp(min=0)) + beyond.amax(dim=-1).clamp(max=0)

    def sample(self, n: int, generator: Generator | None) -> Float[Tensor, "n 3"]:
        which = choose(self._areas, n, generator)
        triangles = len(self.corners) - 2
        s, t, beside, along = uniform((4, n), generator)
        s, t = torch.where(s + t > 1, 1 - s, s), torch.where(s + t > 1, 1 - t, t)
        corners = s.new_tensor(self.corners)
        is_cap = which < triangles
        i = torch.where(is_cap, which + 1, which - triangles)
        a, b = corners[i], corners[(i + 1) % len(self.corners)]
        cap = corners[0] + s.unsqueeze(-1) * (a - corners[0]) + t.unsqueeze(-1) * (b - corners[0])
        side = a + beside.unsqueeze(-1) * (b - a)
        across = torch.where(is_cap.unsqueeze(-1), cap, side)
        level = self.low + (self.high - self.low) * torch.where(is_cap, along.round(), along)
        return torch.cat((level.unsqueeze(-1), across), dim=-1).roll(self.axis, dims=-1)


def _norm(vectors: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch"]:
    return torch.linalg.vector_norm(vectors, dim=-1)


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


def _to_convex_outline(
    points: Float[Tensor, "*batch 2"],
    corners: tuple[tuple[float, float], ...],
    *,
    closed: bool = False,
) -> Float[Tensor, "*batch"]:
    """Signed distance to a convex polygon whose corners run counterclockwise, negative inside.

    Unless `closed`, the edge from the last corner to the first is no wall: it lies on the axis
    that the polygon is turned around.
    """
    loop = points.new_tensor(corners + corners[:1] if closed else corners)
    heights, distances = [], []
    for start, end in itertools.pairwise(loop):
        length = float(torch.linalg.vector_norm(end - start))
        if length == 0:  # the disk that a pointed end shrank to
            continue
        tangent = (end - start) / length
        outward = torch.stack((tangent[1], -tangent[0]))
        along = (points - start) @ tangent
        # Not the length of (point - foot): that cancels next to the surface, and its gradient
        # with it.
        height, beyond = (points - start) @ outward, along - along.clamp(0, length)
        heights.append(height)
        distances.append(_norm(torch.stack((height, beyond), dim=-1)))
    depth = torch.stack(heights).amax(dim=0)
    return torch.where(depth > 0, torch.stack(distances).amin(dim=0), depth)
