"""The Penn-Fudan pedestrians: photographs, and beside each an image of instance numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mdcv.data.scenes import mask_boxes


class Photograph(NamedTuple):
    """One photograph and its N pedestrians; the fields are those of a `Scene` without depth.

    Attributes:
        image: (3, H, W) float32 in [0, 1].
        boxes: (N, 4) float32, x1, y1, x2, y2 in pixels: the tight box of each mask.
        labels: (N,) int64, all 0: there is one class.
        masks: (N, H, W) bool.
    """

    image: Tensor
    boxes: Tensor
    labels: Tensor
    masks: Tensor


class Photographs(Sequence):
    """Photographs that are read when they are asked for; `pairs` holds image and mask files."""

    def __init__(self, pairs: Sequence[tuple[Path, Path]]):
        self.pairs = tuple(pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Photograph:
        """Reads image and masks.

        Raises:
            ValueError: a file is damaged, of another kind, or their sizes differ.
        """
        image_file, mask_file = self.pairs[index]
        image = _pixels(image_file, ("RGB",))
        numbers = _pixels(mask_file, ("L", "P", "I;16", "I"))
        if image.shape[:2] != numbers.shape:
            raise ValueError(
                f"{mask_file} has {numbers.shape[1]} by {numbers.shape[0]} pixels; expected "
                f"{image.shape[1]} by {image.shape[0]} as {image_file.name} has"
            )
        instances = np.unique(numbers[numbers != 0])
        masks = torch.from_numpy(numbers[None] == instances[:, None, None])
        return Photograph(
            torch.from_numpy(image).permute(2, 0, 1).float() / 255,
            mask_boxes(masks),
            torch.zeros(len(masks), dtype=torch.int64),
            masks,
        )


def penn_fudan(folder: str | Path) -> Photographs:
    """The photographs of `folder/PNGImages` with the masks `folder/PedMasks/<name>_mask.png`.

    In a mask image 0 is background, and each other number is one pedestrian; the n-th mask of a
    photograph belongs to the n-th smallest number.

    Args:
        folder: PennFudanPed as it is unpacked.

    Raises:
        FileNotFoundError: one of the two folders is missing.
        ValueError: there is no image, an image has no mask, or a mask has no image.

    Source: Wang, Shi, Song and Shen 2007, "Object detection combining recognition and
    segmentation", ACCV, whose 170 photographs these are.
    """
    folder = Path(folder)
    for name in ("PNGImages", "PedMasks"):
        if not (folder / name).is_dir():
            raise FileNotFoundError(f"{folder / name} is no folder")
    images = sorted((folder / "PNGImages").glob("*.png"))
    if not images:
        raise ValueError(f"{folder / 'PNGImages'} holds no .png file")
    pairs = [(image, folder / "PedMasks" / f"{image.stem}_mask.png") for image in images]
    masks = {mask for _, mask in pairs}
    for image, mask in pairs:
        if not mask.exists():
            raise ValueError(f"{image} has no mask; expected {mask}")
    for mask in sorted((folder / "PedMasks").glob("*.png")):
        if mask not in masks:
            raise ValueError(f"{mask} has no image in {folder / 'PNGImages'}")
    return Photographs(pairs)


def _pixels(path: Path, modes: tuple[str, ...]) -> np.ndarray:
    """The pixels of an image whose mode is one of those, row by row."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            image.load()
            if image.mode not in modes:
                raise ValueError(f"the pixels are {image.mode}; expected {' or '.join(modes)}")
            return np.array(image)
    except FileNotFoundError:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
