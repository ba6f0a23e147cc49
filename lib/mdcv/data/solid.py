"""A solid put together from exact primitives: its signed distance, its mesh, its points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from mdcv.data.draws import choose, drawn_once, uniform
from mdcv.data.mesh import Mesh
from mdcv.data.primitive import Point, Primitive
from mdcv.errors import check_integer, check_tensor


@dataclass(frozen=True)
class Solid:
    """The union of its parts, y up, about as large as the unit cube around the origin.

    The parts overlap where they meet, so that the union is one closed body; no two parts share a
    piece of surface.
    """

    name: str
    parts: tuple[Primitive, ...]

    @property
    def bounds(self) -> tuple[Point, Point]:
        """The lower and upper corner of the smallest upright box that holds the solid."""
        lows, highs = zip(*(part.bounds for part in self.parts), strict=True)
        low, high = (
            tuple(map(min, zip(*lows, strict=True))),
            tuple(map(max, zip(*highs, strict=True))),
        )
        return low, high  # type: ignore[return-value]

    def signed_distance(self, points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        """The distance from each point to the surface, negative inside.

        The sign is exact everywhere and the distance is exact outside. Inside a solid of several
        parts it is a bound: the true depth is at least |value|, because the smallest of the
        parts' distances may belong to a wall that lies within another part. With one part, as in
        `sphere` and `torus`, it is exact inside too. Differentiable; the gradient has length 1
        wherever the nearest point of the surface is unique.

        Args:
            points: positions, in the solid's unit.

        Raises:
            ValueError: points is not a floating-point tensor whose last axis has size 3.

        >>> from mdcv.data import sphere
        >>> sphere(radius=0.5).signed_distance(torch.tensor([[0.0, 2.0, 0.0], [0.0, 0.0, 0.0]]))
        tensor([ 1.5000, -0.5000])
        """
        check_tensor("points", points, ndim=points.ndim, layout="(..., 3)")
        if points.ndim == 0 or points.shape[-1] != 3:
            raise ValueError(f"points has shape {tuple(points.shape)}; expected (..., 3)")
        return torch.stack([part.signed_distance(points) for part in self.parts]).amin(dim=0)

    def mesh(self, resolution: int = 64) -> Mesh:
        """A closed triangle mesh of the surface, from marching cubes.

        Args:
            resolution: cells along the longest side of the solid. Round surfaces converge with
                the square of the cell; sharp edges lose up to a third of a cell.

        Returns:
            Vertices in the solid's unit; faces wind so that their normals point outward.

        Raises:
            ValueError: resolution is not an integer >= 8.

        >>> from mdcv.data import torus
        >>> vertices, faces = torus().mesh(24)
        >>> len(vertices) == len(faces) // 2    # V - E + F = 0: one hole
        True
        """
        from skimage.measure import marching_cubes

        check_integer("resolution", resolution, low=8)
        low, high = (torch.tensor(corner, dtype=torch.float64) for corner in self.bounds)
        cell = float((high - low).max()) / resolution
        # Two cells of air all round. The odd shift keeps flat faces from meeting grid nodes,
        # where a value of exactly zero would give triangles without area.
        origin = low - 2.37 * cell
        counts = ((high - low) / cell + 6).long().tolist()
        axes = [origin[i] + cell * torch.arange(counts[i], dtype=torch.float64) for i in range(3)]
        grid = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
        values = self.signed_distance(grid).numpy()
        # "descent" is what makes the normals of a function that grows outward point outward.
        vertices, faces, _, _ = marching_cubes(
            values, level=0.0, spacing=(cell,) * 3, gradient_direction="descent"
        )
        placed = torch.from_numpy(vertices.copy()).double() + origin
        return Mesh(placed.float(), torch.from_numpy(faces.copy()).long())

    def sample(self, n: int, *, generator: Generator | None = None) -> Float[Tensor, "n 3"]:
        """Points drawn independently and uniformly over the area of the surface.

        Each part is drawn from in proportion to its area, and what lies inside another part is
        drawn anew. So the density is exact: no mesh stands between the solid and its points.

        Args:
            n: how many points.
            generator: where randomness comes from, and on which device; `None` means PyTorch's
                default generator on the CPU.

        Returns:
            float32 points whose signed distance is zero up to rounding, below 1e-6.

        Raises:
            ValueError: n is not an integer >= 0.

        >>> from mdcv.data import table
        >>> points = table().sample(5, generator=torch.Generator().manual_seed(0))
        >>> bool(table().signed_distance(points).abs().max() < 1e-6)
        True
        """
        check_integer("n", n, low=0)
        return _collect(n, lambda: self._draw(max(64, n + n // 2), generator)).float()

    def sample_parts(
        self, n: int, *, generator: Generator | None = None
    ) -> tuple[Float[Tensor, "n 3"], Int[Tensor, " n"]]:
        """The points of `sample`, and for each the index of the part whose surface it lies on.

        Args:
            n, generator: as in `sample`; one seed gives the same points there and here.

        Raises:
            ValueError: n is not an integer >= 0.

        >>> from mdcv.data import table
        >>> points, part = table().sample_parts(100)
        >>> top = points[part == 0]    # table().parts[0] is the top, the others are legs
        >>> bool((top[:, 1] > 0.2).all())
        True
        """
        check_integer("n", n, low=0)

        def drawn() -> Float[Tensor, "m 4"]:
            points, part = self._draw_parts(max(64, n + n // 2), generator)
            return torch.cat((points, part.unsqueeze(1).to(points)), dim=1)

        rows = _collect(n, drawn)
        return rows[:, :3].float(), rows[:, 3].long()

    def sample_unevenly(
        self,
        n: int,
        *,
        weight: Callable[[Float[Tensor, "m 3"]], Float[Tensor, " m"]],
        generator: Generator | None = None,
    ) -> Float[Tensor, "n 3"]:
        """Points on the surface whose density is proportional to a weight of the position.

        Uniform points are kept with probability weight / (largest weight). The largest weight is
        read off 20,000 uniform points, so a narrow peak that those miss is cut at that height.

        Args:
            n: how many points.
            weight: takes positions (m, 3) and returns one finite number >= 0 for each (m,).
            generator: as in `sample`.

        Raises:
            ValueError: n is not an integer >= 0, or the weight has another shape, is negative,
                not finite, or (nearly) zero on the whole surface.

        >>> from mdcv.data import sphere
        >>> north = sphere().sample_unevenly(100, weight=lambda p: (p[:, 1] > 0).float())
        >>> bool((north[:, 1] > 0).all())
        True
        """
        check_integer("n", n, low=0)
        pilot = _weigh(weight, self._draw(20_000, generator))
        peak = float(pilot.max())
        share = float(pilot.mean()) / peak if peak > 0 else 0.0
        if share < 1e-4:
            raise ValueError(
                f"weight is on average {share:.1g} of its largest value {peak:.3g}; "
                "expected at least 0.0001, so that enough points can be drawn"
            )

        def round_of_draws() -> Tensor:
            points = self._draw(min(int(1.5 * n / share) + 64, 1_000_000), generator)
            return points[uniform(len(points), generator) * peak < _weigh(weight, points)]

        return _collect(n, round_of_draws).float()

    def _draw(self, n: int, generator: Generator | None) -> Float[Tensor, "m 3"]:
        """At most n float64 points, uniform over the surface: those not inside another part."""
        return self._draw_parts(n, generator)[0]

    def _draw_parts(
        self, n: int, generator: Generator | None
    ) -> tuple[Float[Tensor, "m 3"], Int[Tensor, " m"]]:
        """The points of `_draw`, and the index of the part that each one lies on."""
        return drawn_once((self.parts, n), generator, lambda: self._draw_anew(n, generator))

    def _draw_anew(
        self, n: int, generator: Generator | None
    ) -> tuple[Float[Tensor, "m 3"], Int[Tensor, " m"]]:
        """What `_draw_parts` remembers."""
        which = choose([part.area for part in self.parts], n, generator)
        kept = []
        for index, part in enumerate(self.parts):
            points = part.sample(int((which == index).sum()), generator)
            for other in self.parts:
                if other is not part and _meet(part, other):
                    points = points[other.signed_distance(points) >= 0]
            kept.append(points)
        points = torch.cat(kept)
        part = torch.cat([which.new_full((len(p),), index) for index, p in enumerate(kept)])
        # The parts came one after the other; a set of points has no order to give away.
        order = torch.randperm(len(points), generator=generator, device=points.device)
        return points[order], part[order]


def _meet(part: Primitive, other: Primitive) -> bool:
    """Whether the boxes around two parts touch; if not, no point of one is inside the other."""
    (low, high), (other_low, other_high) = part.bounds, other.bounds
    slack = 1e-6  # a point on a face may lie a rounding error outside of its box
    return all(low[axis] <= other_high[axis] + slack for axis in range(3)) and all(
        other_low[axis] <= high[axis] + slack for axis in range(3)
    )


def _collect(n: int, draw: Callable[[], Tensor]) -> Float[Tensor, "n d"]:
    """The first n rows of as many draws as it takes."""
    batches = [draw()]
    while sum(map(len, batches)) < n:
        batches.append(draw())
    return torch.cat(batches)[:n]


def _weigh(weight: Callable[[Tensor], Tensor], points: Float[Tensor, "m 3"]) -> Float[Tensor, " m"]:
    """The weight at the points in float64, refused where it is no density."""
    values = weight(points.float())
    if not isinstance(values, Tensor) or values.shape != points.shape[:1]:
        came = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(f"weight returned {came}; expected a tensor of shape ({len(points)},)")
    values = values.double()
    if not bool((torch.isfinite(values) & (values >= 0)).all()):
        raise ValueError("weight returned a negative or non-finite value; expected numbers >= 0")
    return values
