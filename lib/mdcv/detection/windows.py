"""Regions that look at nothing: every place, every size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.errors import check_integer


def sliding_window(
    size: tuple[int, int],
    windows: Sequence[tuple[int, int]],
    stride: int,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> Float[Tensor, "p 4"]:
    """Boxes of every window size at every step that fits into the image.

    A window of height h and width w has its corner at (i · stride, j · stride) for all i, j with
    i · stride + h ≤ H and j · stride + w ≤ W: ⌊(H − h) / stride + 1⌋ · ⌊(W − w) / stride + 1⌋
    boxes.

    Args:
        size: height and width of the image, in pixels.
        windows: heights and widths, in pixels; one larger than the image fits nowhere.
        stride: pixels from one position to the next.
        dtype, device: of the result.

    Returns:
        x1, y1, x2, y2; window by window, each row by row.

    Raises:
        ValueError: a size or the stride is not an integer from 1 up, or there is no window.

    >>> sliding_window((4, 6), [(4, 4)], stride=2)
    tensor([[0., 0., 4., 4.],
            [2., 0., 6., 4.]])
    """
    height, width = _pair("size", size)
    check_integer("stride", stride, low=1)
    if not isinstance(windows, Sequence) or len(windows) == 0:
        raise ValueError(f"windows is {windows!r}; expected one (height, width) at least")
    tables = []
    for window in windows:
        h, w = _pair("windows", window)
        y = torch.arange(0, max(height - h + 1, 0), stride, dtype=dtype, device=device)
        x = torch.arange(0, max(width - w + 1, 0), stride, dtype=dtype, device=device)
        y, x = (places.flatten() for places in torch.meshgrid(y, x, indexing="ij"))
        tables.append(torch.stack([x, y, x + w, y + h], dim=1))
    return torch.cat(tables)


def _pair(name: str, value: object) -> tuple[int, int]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise ValueError(f"{name} holds {value!r}; expected (height, width)")
    for extent in value:
        check_integer(name, extent, low=1)
    return value[0], value[1]
