"""Solids on a floor before a pinhole camera: color, depth, and boxes in the image and in space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from mdcv.data.draws import uniform
from mdcv.data.primitive import Point
from mdcv.data.scenes import mask_boxes, vivid_color
from mdcv.data.shapes import SOLIDS
from mdcv.data.solid import Solid
from mdcv.errors import check_integer

#: Meters: how high the camera hangs, how far the wall stands, where the solids stand, their scale.
CAMERA_HEIGHTS = (1.0, 1.3)
WALL = 8.0
DISTANCES = (2.6, 5.5)
SCALES = (0.8, 1.4)
#: The focal length as a share of the image's width: it sees 28 degrees to each side.
FOCAL_SHARE = 0.9375
#: The horizon, as a share of the image's height: a level camera, its image cut to show more floor.
HORIZON = 0.3
#: Of every solid so many pixels are seen, and so much of what would be seen of it alone.
LEAST_PIXELS, LEAST_SHARE = 30, 0.3
ATTEMPTS = 200

#: Sphere tracing stops where the surface is this near, in the unit of the solid, or after so many
#: steps.
NEAR_ENOUGH, STEPS = 1e-4, 100


class SolidScene(NamedTuple):
    """One picture and the truth about its N solids, in pixels and in meters.

    The camera stands level at the origin and looks along +z; x points right, y down. Pixel (row i,
    column j) reaches from i to i + 1 and from j to j + 1, and shows what the ray through its middle
    hits: z · ((j + ½ − cx) / f, (i + ½ − cy) / f, 1).

    Attributes:
        image: (3, H, W) float32 in [0, 1].
        depth: (H, W) float32, the coordinate z of what each pixel shows, in meters.
        intrinsics: (3, 3) float32, ((f, 0, cx), (0, f, cy), (0, 0, 1)) in pixels.
        boxes: (N, 4) float32, x1, y1, x2, y2 in pixels: the tight box of the visible part.
        labels: (N,) int64, a place in `SOLIDS`.
        boxes3d: (N, 7) float32: center x, y, z and size x, y, z in meters, heading in radians.
            The box holds the whole solid, hidden parts too: a corner lies at
            center + R (±size / 2), R = ((cos h, 0, sin h), (0, 1, 0), (−sin h, 0, cos h)).
        masks: (N, H, W) bool, the pixels where each solid is seen.
    """

    image: Tensor
    depth: Tensor
    intrinsics: Tensor
    boxes: Tensor
    labels: Tensor
    boxes3d: Tensor
    masks: Tensor


@dataclass(frozen=True)
class _Pose:
    """A solid of some scale that stands on the floor, turned about the upright axis."""

    solid: Solid
    scale: float
    heading: float
    place: Point

    def to_solid(self, vectors: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """Directions of the camera's frame in that of the solid, whose y points up."""
        x, y, z = vectors.unbind(-1)
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        return torch.stack((cos * x - sin * z, -y, -sin * x - cos * z), dim=-1)

    def box(self) -> list[float]:
        """Center and size in meters, and the heading."""
        low, high = self.solid.bounds
        size = [self.scale * (b - a) for a, b in zip(low, high, strict=True)]
        return [*self.place, *size, self.heading]


def solid_scene(
    *,
    generator: Generator,
    size: Sequence[int] = (96, 128),
    objects: Sequence[int] = (2, 4),
) -> SolidScene:
    """A scene of solids of the six families, each of its own proportions, color and heading.

    They stand on a floor before a wall and may hide one another: at least 30 pixels and 30 % of
    what would be seen of each one alone are seen. The picture is traced along the rays by the
    solids' own signed distance, so depth and boxes are those of the surfaces, not of a mesh.

    Args:
        generator: the source of randomness; the scene lies on its device.
        size: height and width in pixels, each 32 or more.
        objects: the fewest and the most solids; any number between is equally likely.

    Raises:
        ValueError: a number out of its range, or solids that find no place.

    Source: "Sphere tracing", The Visual Computer 12, 1996; headings as in KITTI (Geiger, Lenz and
    Urtasun 2012); the setting is that of frustum detectors, Qi and others 2018, arXiv:1711.08488.

    >>> scene = solid_scene(generator=torch.Generator().manual_seed(0), objects=(2, 2))
    >>> scene.depth.shape, scene.boxes.shape, scene.boxes3d.shape
    (torch.Size([96, 128]), torch.Size([2, 4]), torch.Size([2, 7]))
    """
    for name, pair, least in (("size", size, 32), ("objects", objects, 0)):
        if not isinstance(pair, Sequence) or len(pair) != 2:
            raise ValueError(f"{name} is {pair!r}; expected two numbers")
        for value in pair:
            check_integer(name, value, low=least)
    if objects[0] > objects[1]:
        raise ValueError(f"objects is {tuple(objects)}; expected the fewest, then the most")

    floor, many, light = uniform(3, generator).tolist()
    floor = CAMERA_HEIGHTS[0] + (CAMERA_HEIGHTS[1] - CAMERA_HEIGHTS[0]) * floor
    wanted = objects[0] + int((objects[1] - objects[0] + 1) * many)
    intrinsics, rays = _camera(size, generator.device)
    poses: list[_Pose] = []
    depths = torch.empty(0, *size, dtype=torch.float64, device=generator.device)
    for _ in range(wanted):
        pose, depth = _place(poses, depths, rays, floor, generator)
        poses.append(pose)
        depths = torch.cat((depths, depth[None]))

    ground = _room(rays, floor)
    masks = _visible(depths)
    image = _paint_room(rays, ground, floor, generator)
    sun = _direction(light, rays)
    for pose, mask, depth in zip(poses, masks, depths, strict=True):
        color = vivid_color(generator).to(rays)
        image[mask] = color * _shade(pose, (rays * depth[..., None])[mask], sun)[:, None]
    depth = torch.cat((depths, ground[None])).amin(dim=0)
    names = list(SOLIDS)
    return SolidScene(
        image.permute(2, 0, 1).clamp(0, 1).float().contiguous(),
        depth.float(),
        intrinsics.float(),
        mask_boxes(masks),
        torch.tensor([names.index(p.solid.name) for p in poses], device=depth.device).long(),
        torch.tensor([p.box() for p in poses], device=depth.device).float().reshape(-1, 7),
        masks,
    )


def _camera(
    size: Sequence[int], device: torch.device
) -> tuple[Float[Tensor, "3 3"], Float[Tensor, "h w 3"]]:
    """The intrinsics, and through each pixel's middle the ray that has z = 1."""
    height, width = size
    focal = FOCAL_SHARE * width
    center = (width / 2, HORIZON * height)
    matrix = torch.tensor([[focal, 0, center[0]], [0, focal, center[1]], [0, 0, 1]])
    x, y = (
        (torch.arange(n, dtype=torch.float64, device=device) + 0.5 - middle) / focal
        for n, middle in zip((width, height), center, strict=True)
    )
    y, x = torch.meshgrid(y, x, indexing="ij")
    return matrix.to(device), torch.stack((x, y, torch.ones_like(x)), dim=-1)


def _place(
    poses: list[_Pose],
    depths: Float[Tensor, "n h w"],
    rays: Float[Tensor, "h w 3"],
    floor: float,
    generator: Generator,
) -> tuple[_Pose, Float[Tensor, "h w"]]:
    """A solid apart from the others that leaves enough of each to be seen, and its depth."""
    families = list(SOLIDS.values())
    for _ in range(ATTEMPTS):
        family, far, aside, grown, turned = uniform(5, generator).tolist()
        solid = families[int(len(families) * family)](generator=generator)
        scale = SCALES[0] + (SCALES[1] - SCALES[0]) * grown
        z = DISTANCES[0] + (DISTANCES[1] - DISTANCES[0]) * far
        x = 0.9 * (2 * aside - 1) * z * float(rays[0, -1, 0])
        low, high = solid.bounds
        place = (x, floor - scale * (high[1] - low[1]) / 2, z)
        pose = _Pose(solid, scale, math.pi * (2 * turned - 1), place)
        apart = all(math.dist((x, z), p.place[::2]) > _reach(p) + _reach(pose) for p in poses)
        if not apart:
            continue
        depth = _trace(pose, rays)
        together = torch.cat((depths, depth[None]))
        alone = torch.isfinite(together).sum(dim=(1, 2))
        seen = _visible(together).sum(dim=(1, 2))
        if bool((seen >= LEAST_PIXELS).all() and (seen >= LEAST_SHARE * alone).all()):
            return pose, depth
    raise ValueError(
        f"solid {len(poses) + 1} found no place in {ATTEMPTS} attempts; expected fewer objects"
    )


def _reach(pose: _Pose) -> float:
    """How far the solid reaches from the middle of its box, seen from above."""
    low, high = pose.solid.bounds
    return pose.scale * math.hypot(high[0] - low[0], high[2] - low[2]) / 2


def _trace(pose: _Pose, rays: Float[Tensor, "h w 3"]) -> Float[Tensor, "h w"]:
    """The coordinate z where each ray meets the solid first, infinity where it does not.

    From the box around the solid a ray goes on by the distance to the surface, again and again:
    it cannot step over anything.
    """
    ray = pose.to_solid(rays).reshape(-1, 3)
    start = _in_solid(pose, torch.zeros(1, 3).to(rays))
    low, high = (start.new_tensor(corner) for corner in pose.solid.bounds)
    # A ray runs parallel to a face where its entry is 0; ±infinity is then right.
    to_low, to_high = (low - start) / ray, (high - start) / ray
    enter = torch.minimum(to_low, to_high).amax(dim=1)
    leave = torch.maximum(to_low, to_high).amin(dim=1)

    z = torch.full_like(enter, math.inf)
    index = (enter < leave).nonzero()[:, 0]
    ray, along, leave = ray[index], enter[index], leave[index]
    length = torch.linalg.vector_norm(ray, dim=1)
    for _ in range(STEPS):
        if not len(index):
            break
        distance = pose.solid.signed_distance(start + along[:, None] * ray)
        hit = distance < NEAR_ENOUGH
        z[index[hit]] = along[hit]
        along = along + distance / length
        on = ~hit & (along < leave)
        index, ray, along, leave, length = (v[on] for v in (index, ray, along, leave, length))
    return pose.scale * z.reshape(rays.shape[:2])


def _in_solid(pose: _Pose, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    """Positions of the camera's frame in that of the solid, in its unit."""
    low, high = (points.new_tensor(corner) for corner in pose.solid.bounds)
    return pose.to_solid(points - points.new_tensor(pose.place)) / pose.scale + (low + high) / 2


def _visible(depths: Float[Tensor, "n h w"]) -> Bool[Tensor, "n h w"]:
    """Which pixels show which solid: the nearest one."""
    if not len(depths):
        return torch.zeros_like(depths, dtype=torch.bool)
    nearest = depths.min(dim=0)
    which = torch.arange(len(depths), device=depths.device)[:, None, None]
    return (nearest.indices == which) & torch.isfinite(nearest.values)


def _room(rays: Float[Tensor, "h w 3"], floor: float) -> Float[Tensor, "h w"]:
    """The depth of the empty room: the floor, as far as the wall."""
    down = rays[..., 1]
    return torch.where(down > 0, floor / down.clamp(min=1e-9), math.inf).clamp(max=WALL)


def _paint_room(
    rays: Float[Tensor, "h w 3"], depth: Float[Tensor, "h w"], floor: float, generator: Generator
) -> Float[Tensor, "h w 3"]:
    """Tiles of one meter on the floor, a plain wall behind; both grayish."""
    wall, bright, dark = 0.3 + 0.35 * uniform((3, 3), generator).sort(dim=0).values.flip(0)
    x, _, z = (rays * depth[..., None]).unbind(-1)
    odd = ((x.floor() + z.floor()) % 2 == 1)[..., None]
    is_wall = (depth >= WALL)[..., None]
    return torch.where(is_wall, wall, torch.where(odd, bright, dark))


def _direction(light: float, like: Tensor) -> Float[Tensor, " 3"]:
    """Where the light comes from: above, behind the camera, from one side or the other."""
    sun = like.new_tensor([2 * light - 1, -1.5, -1.0])
    return sun / sun.norm()


def _shade(
    pose: _Pose, points: Float[Tensor, "n 3"], sun: Float[Tensor, " 3"]
) -> Float[Tensor, " n"]:
    """How bright the surface is at the points: light from everywhere, and more from the sun."""
    places = _in_solid(pose, points).detach().requires_grad_()
    with torch.enable_grad():
        (normal,) = torch.autograd.grad(pose.solid.signed_distance(places).sum(), places)
    return 0.35 + 0.65 * (normal @ pose.to_solid(sun)).clamp(min=0)
