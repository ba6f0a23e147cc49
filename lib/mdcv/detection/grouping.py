"""Region proposals from the image alone: pieces of one color, merged until one is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.errors import check_finite, check_integer, check_number, check_tensor

#: Bins of a color histogram, for each channel.
COLORS = 8


def region_proposals(
    image: Float[Tensor, "3 h w"],
    *,
    scales: Sequence[int | float] = (60, 200),
    sigma: int | float = 0.6,
    min_pixels: int = 12,
    min_side: int = 4,
) -> Float[Tensor, "p 4"]:
    """Boxes around pieces of the image that might be objects, the largest groups first.

    The image is cut into pieces of similar color. Then, again and again, the two most similar
    neighbors are merged, until all is one piece; every piece that ever existed gives a box. An
    object in one color appears as a piece; one in two colors as the merger of two.

    similarity = overlap of the color histograms + (1 − share of the image) + (1 − gap), where the
    share is that of the two pieces together, and the gap is what of their common box they leave
    open, as a share of the image.

    Args:
        image: values in [0, 1].
        scales: each gives a first cut; a larger number prefers larger pieces.
        sigma: the blur before the cut, in pixels.
        min_pixels: smaller pieces are joined to a neighbor at once.
        min_side: a box with a shorter side is left out, in pixels.

    Returns:
        x1, y1, x2, y2 in pixels, none twice.

    Raises:
        ValueError: image is not (3, H, W), finite and on the CPU, or an option is not as said.

    Source: Felzenszwalb and Huttenlocher 2004 for the first cut (scikit-image); Uijlings, van de
    Sande, Gevers and Smeulders 2013, Selective search for object recognition, section 3, without
    texture and in one color space.

    >>> image = torch.zeros(3, 20, 30)
    >>> image[0, 4:12, 10:22] = 1.0
    >>> boxes = region_proposals(image, sigma=0)
    >>> [10.0, 4.0, 22.0, 12.0] in boxes.tolist()
    True
    """
    from skimage.segmentation import felzenszwalb

    check_tensor("image", image, ndim=3, layout="(3, H, W)")
    if image.shape[0] != 3 or 0 in image.shape:
        raise ValueError(f"image has shape {tuple(image.shape)}; expected (3, H, W)")
    if image.device.type != "cpu":
        raise ValueError(f"image is on {image.device}; expected cpu, where the pieces are merged")
    check_finite("image", image)
    check_number("sigma", sigma)
    check_integer("min_pixels", min_pixels, low=1)
    check_integer("min_side", min_side, low=1)
    if not isinstance(scales, Sequence) or len(scales) == 0:
        raise ValueError(f"scales is {scales!r}; expected one number or more")
    for scale in scales:
        check_number("scales", scale)
    pixels = image.detach().permute(1, 2, 0).double().numpy()
    boxes: dict[tuple[int, int, int, int], None] = {}
    for scale in scales:
        labels = felzenszwalb(pixels, scale=scale, sigma=sigma, min_size=min_pixels)
        boxes |= dict.fromkeys(reversed(_boxes_of_groups(pixels, labels)))
    kept = [box for box in boxes if min(box[2] - box[0], box[3] - box[1]) >= min_side]
    return torch.tensor(kept, dtype=image.dtype).reshape(-1, 4)


@dataclass
class _Piece:
    """A group of pixels: how many, in which colors, within which box."""

    pixels: int
    colors: np.ndarray
    box: tuple[int, int, int, int]

    def merged(self, other: _Piece) -> _Piece:
        box = _common_box(self.box, other.box)
        return _Piece(self.pixels + other.pixels, self.colors + other.colors, box)

    def similarity(self, other: _Piece, image_pixels: int) -> float:
        colors = np.minimum(self.colors / self.pixels, other.colors / other.pixels).sum() / 3
        x1, y1, x2, y2 = _common_box(self.box, other.box)
        together = self.pixels + other.pixels
        gap = (x2 - x1) * (y2 - y1) - together
        return float(colors + (1 - together / image_pixels) + (1 - gap / image_pixels))


def _common_box(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, int, int, int]:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _boxes_of_groups(pixels: np.ndarray, labels: np.ndarray) -> list[tuple[int, int, int, int]]:
    """The box of every piece and of every merger, in the order in which they came to be."""
    pieces = dict(enumerate(_first_pieces(pixels, labels)))
    boxes = [piece.box for piece in pieces.values()]
    similar = {
        pair: pieces[pair[0]].similarity(pieces[pair[1]], labels.size) for pair in _touching(labels)
    }
    while similar:
        first, second = max(similar, key=lambda pair: (similar[pair], pair))
        new = len(boxes)
        pieces[new] = pieces.pop(first).merged(pieces.pop(second))
        boxes.append(pieces[new].box)
        gone = {first, second}
        around = {k for pair in similar if gone & set(pair) for k in pair} - gone
        similar = {pair: value for pair, value in similar.items() if not gone & set(pair)}
        for k in around:
            similar[k, new] = pieces[k].similarity(pieces[new], labels.size)
    return boxes


def _first_pieces(pixels: np.ndarray, labels: np.ndarray) -> list[_Piece]:
    from scipy.ndimage import find_objects

    count = labels.max() + 1
    flat = labels.ravel()
    bins = np.clip((pixels * COLORS).astype(int), 0, COLORS - 1).reshape(-1, 3)
    histograms = np.zeros((count, 3, COLORS))
    for channel in range(3):
        np.add.at(histograms, (flat, channel, bins[:, channel]), 1)
    sizes = np.bincount(flat, minlength=count)
    slices = find_objects(labels + 1)
    return [
        _Piece(
            int(n), colors.ravel(), (where[1].start, where[0].start, where[1].stop, where[0].stop)
        )
        for n, colors, where in zip(sizes, histograms, slices, strict=True)
    ]


def _touching(labels: np.ndarray) -> list[tuple[int, int]]:
    """The pairs of pieces that share an edge of a pixel."""
    sides = [(labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])]
    pairs = np.concatenate([np.stack([a.ravel(), b.ravel()], axis=1) for a, b in sides])
    pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
    return [(int(a), int(b)) for a, b in np.unique(pairs, axis=0)]
