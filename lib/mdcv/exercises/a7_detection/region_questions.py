"""The questions that `roi_pool` and `roi_align` share: regions of two feature maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.cases import Constant, Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Case, Refusal

Options = Mapping[str, Any]

#: Height and width of the feature maps, in cells.
MAP = (11, 13)


def some_maps(draw: Draw, images: int = 2, channels: int = 3) -> Tensor:
    """Feature maps of random numbers, every one of its own size."""
    scale = 1 + 0.5 * torch.arange(images * channels).double().view(images, channels, 1, 1)
    return scale * draw.tensor(images, channels, *MAP)


def to_regions(draw: Draw, corners: Tensor, scale: float = 1.0, images: int = 2) -> Tensor:
    """Corners in cells as rows (image, x1, y1, x2, y2) in pixels; the images are mixed."""
    image = torch.tensor(draw.order(len(corners)), dtype=torch.float64) % images
    return torch.cat([image[:, None], corners / scale], dim=1)


def some_corners(draw: Draw, k: int, *, least: float = 2.2, most: float = 6.5) -> Tensor:
    """Corners of k boxes inside the map, in cells."""
    extent = torch.tensor([MAP[1], MAP[0]]).double()
    side = least + (most - least) * draw.uniform(k, 2)
    corner = 0.2 + draw.uniform(k, 2) * (extent - 1.5 - side)
    return torch.cat([corner, corner + side], dim=1)


def corners_beside(draw: Draw) -> Tensor:
    """Corners of boxes that reach beyond the map on every side, and of one that lies outside."""
    jitter = 0.3 * draw.uniform(5, 4) + 0.05
    return jitter + torch.tensor(
        [[-6, 2, 3, 6], [8, -5, 17, 4], [5, 7, 9, 15], [-4, -3, 20, 14], [19, 15, 23, 20]]
    )


def region_case(
    kind: str, maps: Tensor, regions: Tensor, size: tuple[int, int], *rest: Any, **more: Any
) -> Case:
    """A question about regions; `rest` holds a scale, perhaps, and `options` go to the function."""
    options = more.pop("options", {})
    words = f"{len(regions)} regions to {size[0]} x {size[1]}"
    words += f", scale {rest[0]:g}" if rest else ""
    words += "".join(f", {name}={value!r}" for name, value in options.items())
    boxes = Constant(regions) if more.get("gradient") else regions
    return Case(f"{kind} ({words})", (maps, boxes, size, *rest), options, **more)


def odd_layouts(draw: Draw, options: Options, *, atol: float = 1e-6) -> list[Case]:
    """No regions, one map alone, layouts that are not contiguous, float32."""
    maps = some_maps(draw)
    regions = to_regions(draw, some_corners(draw, 4))
    return [
        region_case("no regions", maps, regions[:0], (2, 3), options=options, atol=atol),
        region_case(
            "a single map of one channel",
            some_maps(draw, 1, 1),
            to_regions(draw, some_corners(draw, 2), 1.0, 1),
            (3, 2),
            options=options,
            atol=atol,
        ),
        region_case(
            "maps that are not contiguous",
            strided_layout(maps),
            transposed_layout(regions),
            (2, 3),
            options=options,
            atol=atol,
            suspicion="needs_contiguous_input",
        ),
        region_case(
            "float32", maps.float(), regions.float(), (2, 3), 0.5, options=options, atol=atol
        ),
    ]


def refusals(draw: Draw) -> list[Refusal]:
    """What is no region of these maps."""
    maps, regions = some_maps(draw), to_regions(draw, some_corners(draw, 4))
    number, negative, nan = regions.clone(), regions.clone(), regions.clone()
    number[2, 0], negative[1, 0], nan[3, 2] = 2, -1, torch.nan
    size = (2, 3)
    return [
        Refusal("boxes of shape (4, 4)", (maps, regions[:, 1:], size), "accepts_other_shapes"),
        Refusal("a map without a batch axis", (maps[0], regions, size), "accepts_other_shapes"),
        Refusal("a region of image 2 of 2", (maps, number, size), "accepts_any_image"),
        Refusal("a region of image -1", (maps, negative, size), "accepts_any_image"),
        Refusal(
            "inverted regions", (maps, regions[:, [0, 3, 4, 1, 2]], size), "accepts_inverted_boxes"
        ),
        Refusal("a region that holds NaN", (maps, nan, size), "hides_nan", or_any_sign=True),
    ]
