"""Small images in rows, each row with its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mdcv.plot.style import GRAY, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def show_images(rows: Mapping[str, Tensor], *, panel: float = 0.62, title: str = "") -> Figure:
    """One row of images for each name, 0 white and 1 black, or in color with three channels.

    Args:
        rows: batches of images (N, C, H, W) or (N, H, W), with values in [0, 1].
        panel: side of one image, in inches.

    Raises:
        ValueError: no row, or a row that is not a batch of images of one or three channels.

    >>> figure = show_images({"noise": torch.rand(5, 1, 8, 8)})
    >>> len(figure.axes)
    1
    """
    if not rows:
        raise ValueError("rows is empty; expected at least one name with its images")
    columns = max(len(images) for images in rows.values())
    with house_style():
        figure = new_figure(panel * columns + 1.4, panel * len(rows) + (0.4 if title else 0.1))
        for row, (name, images) in enumerate(rows.items()):
            axes = figure.add_subplot(len(rows), 1, row + 1)
            strip, step = _side_by_side(list(images))
            _draw(axes, strip)
            axes.set_xlim(-0.5, columns * step - 0.5)
            axes.set_ylabel(name, rotation=0, ha="right", va="center", color=GRAY)
        figure.suptitle(title, fontsize=11)
    return figure


def draw_image(axes: Axes, image: Tensor) -> None:
    """Puts one image (C, H, W) or (H, W) into axes: 0 white and 1 black, or in color."""
    _draw(axes, _pixels(image))


def _side_by_side(images: list[Tensor]) -> tuple[Tensor, int]:
    """All images of a row as one, with white between them; and the pixels from one to the next.

    Axes for each image would look the same, and take ten times as long to draw.
    """
    pixels = [_pixels(image) for image in images]
    width = pixels[0].shape[1]
    gap = max(1, width // 8)
    white = 0.0 if pixels[0].ndim == 2 else 1.0
    between = torch.full((pixels[0].shape[0], gap, *pixels[0].shape[2:]), white)
    return torch.cat([part for one in pixels for part in (one, between)], dim=1), width + gap


def _pixels(image: Tensor) -> Tensor:
    """An image as matplotlib wants it: (H, W), or (H, W, 3) in color."""
    pixels = image.detach().cpu()
    if pixels.ndim == 3 and len(pixels) in (1, 3):
        pixels = pixels[0] if len(pixels) == 1 else pixels.permute(1, 2, 0)
    if pixels.ndim != 2 and not (pixels.ndim == 3 and pixels.shape[-1] == 3):
        raise ValueError(
            f"an image has shape {tuple(image.shape)}; expected (H, W), (1, H, W) or (3, H, W)"
        )
    return pixels.clamp(0, 1)


def _draw(axes: Axes, pixels: Tensor) -> None:
    axes.imshow(pixels.numpy(), cmap="gray_r", vmin=0, vmax=1)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    axes.spines[:].set_visible(False)
