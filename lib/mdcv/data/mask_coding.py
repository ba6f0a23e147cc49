"""How COCO writes a mask: as polygons, or as run lengths down the columns, plain or compressed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor


def polygon_mask(
    polygons: Sequence[Sequence[float | int]], size: tuple[int, int]
) -> Bool[Tensor, "h w"]:
    """The pixels whose middle lies inside one of the polygons, at least.

    A pixel in column j and row i has its middle at (j + ½, i + ½). A place is inside a polygon if
    a ray from it crosses the outline an odd number of times.

    Args:
        polygons: each x1, y1, x2, y2, ..., in pixels, three corners or more.
        size: height and width.

    Raises:
        ValueError: a polygon has fewer than three corners, half a corner, or a coordinate that is
            not finite.

    Source: the format of COCO. pycocotools rounds corners to fifths of a pixel first, so that
    pixels differ whose middle lies that near to an outline.

    >>> polygon_mask([[1, 0, 3, 0, 3, 2, 1, 2]], (3, 4)).int()
    tensor([[0, 1, 1, 0],
            [0, 1, 1, 0],
            [0, 0, 0, 0]], dtype=torch.int32)
    """
    height, width = size
    mask = np.zeros((height, width), dtype=bool)
    for polygon in polygons:
        mask |= _inside(_corners(polygon), height, width)
    return torch.from_numpy(mask)


def _corners(polygon: Sequence[float | int]) -> np.ndarray:
    if not isinstance(polygon, Sequence) or isinstance(polygon, str):
        raise ValueError(f"a polygon is {polygon!r}; expected a list of numbers")
    if len(polygon) < 6 or len(polygon) % 2:
        raise ValueError(f"a polygon has {len(polygon)} numbers; expected an even number from 6 up")
    try:
        corners = np.array(polygon, dtype=float).reshape(-1, 2)
    except (TypeError, ValueError):
        raise ValueError("a polygon holds something that is no number") from None
    if not np.isfinite(corners).all():
        raise ValueError("a polygon holds a coordinate that is not finite")
    return corners


def _inside(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    """Whether a ray to the left from a pixel's middle crosses the outline oddly often."""
    rows = np.arange(height) + 0.5
    columns = np.arange(width) + 0.5
    crossings = np.zeros((height, width + 1), dtype=int)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        # Half open, so that a corner between two edges counts for one of them.
        crossed = np.flatnonzero((ay <= rows) != (by <= rows))
        x = ax + (rows[crossed] - ay) * (bx - ax) / (by - ay) if len(crossed) else rows[:0]
        np.add.at(crossings, (crossed, np.searchsorted(columns, x)), 1)
    return crossings[:, :width].cumsum(axis=1) % 2 == 1


def run_length_mask(
    counts: Sequence[int] | str | bytes, size: tuple[int, int]
) -> Bool[Tensor, "h w"]:
    """The mask of run lengths: so many pixels off, then so many on, and so on, column by column.

    Args:
        counts: the lengths, or the text that they are compressed into.
        size: height and width.

    Raises:
        ValueError: a length is negative or no integer, the lengths do not add up to the size, or
            the text stops early.

    Source: the format of COCO and its `maskApi.c`.

    >>> run_length_mask([1, 2, 3], (2, 3)).int()
    tensor([[0, 1, 0],
            [1, 0, 0]], dtype=torch.int32)
    """
    height, width = size
    lengths = _decompressed(counts) if isinstance(counts, str | bytes) else counts
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in lengths):
        raise ValueError("a run length is no integer from 0 up")
    if sum(lengths) != height * width:
        raise ValueError(
            f"the run lengths add up to {sum(lengths)}; expected {height} * {width} = "
            f"{height * width}"
        )
    runs = np.repeat(np.arange(len(lengths)) % 2 == 1, np.array(lengths, dtype=np.int64))
    return torch.from_numpy(runs.reshape(width, height).T.copy())


def _decompressed(text: str | bytes) -> list[int]:
    """The lengths behind the text: five bits a character, from the low end, the sixth says "more".

    From the fourth on, a length is told as the difference to the one two before it.
    """
    codes = text.encode() if isinstance(text, str) else text
    lengths: list[int] = []
    value = shift = 0
    for code in codes:
        bits = code - 48
        if not 0 <= bits < 64:
            raise ValueError(f"the run lengths hold {chr(code)!r}, which stands for nothing")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift  # the last of the bits is a sign
        lengths.append(value + lengths[-2] if len(lengths) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError("the run lengths stop in the middle of a number")
    return lengths
