"""Bodies made from a flat convex outline: turned around the y axis, or swept along a line."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from mdcv.data.draws import choose, mirrored, uniform
from mdcv.data.primitive import Point, Primitive, norm


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
        half_section = torch.stack((norm(torch.stack((x, z), dim=-1)), y), dim=-1)
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
        return norm(beyond.clamp(min=0)) + beyond.amax(dim=-1).clamp(max=0)

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
    u, v = points.unbind(-1)
    heights, distances = [], []
    for start, end in itertools.pairwise(corners + corners[:1] if closed else corners):
        length = math.dist(start, end)
        if length == 0:  # the disk that a pointed end shrank to
            continue
        tangent_u, tangent_v = (end[0] - start[0]) / length, (end[1] - start[1]) / length
        along = (u - start[0]) * tangent_u + (v - start[1]) * tangent_v
        height = (u - start[0]) * tangent_v - (v - start[1]) * tangent_u
        # Not the length of (point - foot): that cancels next to the surface, and its gradient
        # with it.
        beyond = along - along.clamp(0, length)
        heights.append(height)
        distances.append(norm(torch.stack((height, beyond), dim=-1)))
    depth = torch.stack(heights).amax(dim=0)
    return torch.where(depth > 0, torch.stack(distances).amin(dim=0), depth)
