"""Pictures of flat shapes on a textured ground, with the exact box, mask, class and depth of each.

What makes detection hard can be asked for: shapes that hide one another, shapes cut off by the
border, shapes of a few pixels. A color says nothing about the class, a place nothing either.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from mdcv.data.draws import normals, uniform
from mdcv.errors import check_integer, check_number

#: The class names; a label is a place in this list.
SCENE_CLASSES = ("disk", "square", "triangle", "cross")

#: Meters from the camera: the ground, and the range that shapes are drawn from.
GROUND_DEPTH = 10.0
SHAPE_DEPTHS = (2.0, 9.0)

#: A tiny shape's diameter, as a share of the shorter side of the image, and its least in pixels.
TINY = (0.07, 0.11)
LEAST_PIXELS = 6.0

#: How often a place is drawn for a shape before the wish is called impossible.
ATTEMPTS = 400


class Scene(NamedTuple):
    """One picture and the truth about its N shapes; N may be 0.

    Attributes:
        image: (3, H, W) float32 in [0, 1].
        boxes: (N, 4) float32, x1, y1, x2, y2 in pixels: the tight box of the visible mask, whose
            pixel in column i reaches from i to i + 1.
        labels: (N,) int64, a place in `SCENE_CLASSES`.
        masks: (N, H, W) bool, the pixels where the shape is seen; no two overlap.
        depth: (H, W) float32, meters to what is seen.
    """

    image: Tensor
    boxes: Tensor
    labels: Tensor
    masks: Tensor
    depth: Tensor


class _Shape(NamedTuple):
    """A shape that has found its place: where it is, hidden or not, and how much of each pixel."""

    label: int
    depth: float
    color: Tensor
    coverage: Tensor


def shape_scenes(
    count: int,
    *,
    size: Sequence[int] = (96, 96),
    objects: Sequence[int] = (1, 4),
    diameter: Sequence[float | int] = (0.22, 0.45),
    overlap: float | int = 0.3,
    truncated: float | int = 0.1,
    tiny: float | int = 0.1,
    noise: float | int = 0.02,
    generator: Generator,
) -> list[Scene]:
    """Scenes of flat shapes at random places, turned at random, in random colors.

    Args:
        count: how many scenes.
        size: height and width in pixels, each 32 or more.
        objects: the fewest and the most shapes in a scene; any number between is equally likely.
        diameter: of the circle around a shape, smallest and largest, as a share of the shorter
            side of the image.
        overlap: the largest share of a shape that nearer ones may hide, from 0 to below 1.
        truncated: how likely a shape is cut off by the border, from 0 to 1; about half of it, in
            a corner a quarter, remains at least.
        tiny: how likely a shape is tiny, 7 to 11 % of the shorter side across, from 0 to 1.
        noise: σ of the sensor's noise.
        generator: the source of randomness; the scenes lie on its device.

    Returns:
        A list, so that scenes may be taken and left one by one.

    Raises:
        ValueError: a number out of its range, or so many and large shapes that they find no
            place.

    >>> (scene,) = shape_scenes(1, objects=(3, 3), generator=torch.Generator().manual_seed(0))
    >>> scene.image.shape, scene.boxes.shape, scene.masks.shape
    (torch.Size([3, 96, 96]), torch.Size([3, 4]), torch.Size([3, 96, 96]))
    """
    check_integer("count", count, low=0)
    for name, pair, low in (("size", size, 32), ("objects", objects, 0)):
        _check_pair(name, pair)
        for value in pair:
            check_integer(name, value, low=low)
    for name, value in (("overlap", overlap), ("truncated", truncated), ("tiny", tiny)):
        check_number(name, value)
        if value > 1 or (name == "overlap" and value == 1):
            raise ValueError(f"{name} is {value!r}; expected a share from 0 to 1")
    check_number("noise", noise)
    _check_pair("diameter", diameter)
    if not objects[0] <= objects[1]:
        raise ValueError(f"objects is {tuple(objects)}; expected the fewest, then the most")
    if not 0 < diameter[0] <= diameter[1] <= 0.9:
        raise ValueError(f"diameter is {tuple(diameter)}; expected shares, 0 < low <= high <= 0.9")

    scenes = []
    for _ in range(count):
        span = objects[1] - objects[0] + 1
        wanted = objects[0] + int(span * uniform(1, generator))
        shapes: list[_Shape] = []
        for _ in range(wanted):
            shapes.append(_place(shapes, size, diameter, overlap, truncated, tiny, generator))
        scenes.append(_render(shapes, size, noise, generator))
    return scenes


def _place(
    placed: list[_Shape],
    size: Sequence[int],
    diameter: Sequence[float | int],
    overlap: float | int,
    truncated: float | int,
    tiny: float | int,
    generator: Generator,
) -> _Shape:
    """A shape that hides no other, and is hidden by none, more than is allowed."""
    height, width = size
    label, level, *kind = uniform(4, generator).tolist()
    low, high = TINY if kind[0] < tiny else diameter
    is_cut = kind[1] < truncated
    depth = SHAPE_DEPTHS[0] + (SHAPE_DEPTHS[1] - SHAPE_DEPTHS[0]) * level
    color = vivid_color(generator)
    index = int(label * len(SCENE_CLASSES))
    outline = OUTLINES[SCENE_CLASSES[index]]
    for _ in range(ATTEMPTS):
        across, angle, u, v, side = uniform(5, generator).tolist()
        share = low + (high - low) * across
        radius = max(LEAST_PIXELS, share * min(size)) / 2
        x = radius + (width - 2 * radius) * u
        y = radius + (height - 2 * radius) * v
        if is_cut:  # the center lies near one of the four borders, but inside
            near = 0.5 * radius * (u if side < 0.5 else v)
            x = (near, width - near, x, x)[int(4 * side)]
            y = (y, y, near, height - near)[int(4 * side)]
        coverage = _coverage(outline, (x, y), radius, 2 * math.pi * angle, size, generator)
        shape = _Shape(index, depth, color, coverage)
        if _is_seen([*placed, shape], overlap):
            return shape
    raise ValueError(
        f"shape {len(placed) + 1} found no place in {ATTEMPTS} attempts; expected fewer objects, a "
        f"smaller diameter than {tuple(diameter)}, or an overlap above {overlap}"
    )


def _coverage(
    outline: Callable[[Tensor, Tensor], Tensor],
    center: tuple[float, float],
    radius: float,
    angle: float,
    size: Sequence[int],
    generator: Generator,
) -> Float[Tensor, "h w"]:
    """How much of each pixel a shape covers, from the distance of its center to the outline."""
    rows, columns = (
        torch.arange(n, dtype=torch.float32, device=generator.device) + 0.5 for n in size
    )
    x, y = (columns[None, :] - center[0]) / radius, (rows[:, None] - center[1]) / radius
    cos, sin = math.cos(angle), math.sin(angle)
    return (0.5 - radius * outline(cos * x + sin * y, cos * y - sin * x)).clamp(0, 1)


def _disk(x: Tensor, y: Tensor) -> Tensor:
    return torch.hypot(x, y) - 1


def _square(x: Tensor, y: Tensor) -> Tensor:
    return torch.maximum(x.abs(), y.abs()) - math.sqrt(0.5)


def _triangle(x: Tensor, y: Tensor) -> Tensor:
    return torch.maximum(-y, (y + math.sqrt(3) * x.abs()) / 2) - 0.5


def _cross(x: Tensor, y: Tensor) -> Tensor:
    long, short = torch.maximum(x.abs(), y.abs()), torch.minimum(x.abs(), y.abs())
    return torch.maximum(long - 0.95, short - 0.3)


#: How far a place lies outside each shape, negative inside, where the circle around has radius 1.
OUTLINES = {"disk": _disk, "square": _square, "triangle": _triangle, "cross": _cross}


def _visible(shapes: list[_Shape]) -> Bool[Tensor, "n h w"]:
    """Which pixels show which shape: those that it fills and no nearer one does."""
    filled = torch.stack([shape.coverage for shape in shapes]) > 0.5
    nearest_first = sorted(range(len(shapes)), key=lambda i: shapes[i].depth)
    seen, hidden = torch.zeros_like(filled), torch.zeros_like(filled[0])
    for i in nearest_first:
        seen[i] = filled[i] & ~hidden
        hidden = hidden | filled[i]
    return seen


def _is_seen(shapes: list[_Shape], overlap: float | int) -> bool:
    filled = torch.stack([shape.coverage for shape in shapes]) > 0.5
    whole = filled.sum(dim=(1, 2))
    remains = _visible(shapes).sum(dim=(1, 2))
    return bool(((remains > 0) & (remains >= (1 - overlap) * whole)).all())


def _render(
    shapes: list[_Shape], size: Sequence[int], noise: float | int, generator: Generator
) -> Scene:
    """The picture from far to near, and the truth about what is seen."""
    image = _ground(size, generator)
    depth = torch.full(tuple(size), GROUND_DEPTH, device=image.device)
    for shape in sorted(shapes, key=lambda shape: -shape.depth):
        image = torch.lerp(image, shape.color[:, None, None], shape.coverage)
        depth = torch.where(shape.coverage > 0.5, shape.depth, depth)
    image = (image + noise * normals(tuple(image.shape), generator).float()).clamp(0, 1)
    labels = torch.tensor([shape.label for shape in shapes], device=image.device).long()
    masks = (
        _visible(shapes) if shapes else torch.zeros(0, *size, dtype=torch.bool, device=image.device)
    )
    return Scene(image, mask_boxes(masks), labels, masks, depth)


def mask_boxes(masks: Bool[Tensor, "n h w"]) -> Float[Tensor, "n 4"]:
    """The tight box of every mask, x1, y1, x2, y2: column i reaches from i to i + 1.

    Raises:
        ValueError: a mask is empty.

    >>> mask_boxes(torch.tensor([[[False, True, True], [False, False, False]]]))
    tensor([[1., 0., 3., 1.]])
    """
    empty = ~masks.flatten(1).any(dim=1)
    if bool(empty.any()):
        raise ValueError(f"mask {int(empty.nonzero()[0])} is empty; expected a pixel in each")
    ends = []
    for along in (masks.any(dim=1), masks.any(dim=2)):  # columns, rows
        length = along.shape[1]
        first = along.int().argmax(dim=1)
        last = length - along.flip(1).int().argmax(dim=1)
        ends.append((first, last))
    (x1, x2), (y1, y2) = ends
    return torch.stack((x1, y1, x2, y2), dim=1).float()


def vivid_color(generator: Generator) -> Float[Tensor, " 3"]:
    """A saturated color of any hue."""
    hue, saturation, value = uniform(3, generator).tolist()
    saturation, value = 0.6 + 0.4 * saturation, 0.65 + 0.35 * value
    wheel = torch.tensor([hue, hue + 2 / 3, hue + 1 / 3], device=generator.device) % 1
    full = ((wheel * 6 - 3).abs() - 1).clamp(0, 1)
    return value * (1 - saturation * (1 - full))


def _ground(size: Sequence[int], generator: Generator) -> Float[Tensor, "3 h w"]:
    """Blotches of three sizes in muted colors."""
    image = 0.25 + 0.3 * uniform((1, 1, 1, 1), generator).float().expand(1, 3, *size)
    for cells, strength in ((3, 0.12), (8, 0.1), (24, 0.08)):
        grid = torch.cat(
            [
                strength * normals((1, 1, cells, cells), generator).expand(1, 3, -1, -1),
                0.3 * strength * normals((1, 3, cells, cells), generator),
            ]
        )
        blotches = grid.sum(dim=0, keepdim=True).float()
        image = image + torch.nn.functional.interpolate(
            blotches, size=tuple(size), mode="bilinear", align_corners=True
        )
    return image[0].clamp(0, 1)


def _check_pair(name: str, pair: object) -> None:
    if not isinstance(pair, Sequence) or len(pair) != 2:
        raise ValueError(f"{name} is {pair!r}; expected two numbers")
