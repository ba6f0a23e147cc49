"""One arithmetic for every body, so that references and kernels agree to the last bit.

A squared distance is summed coordinate by coordinate, in order, from direct differences and
without fused multiply-adds. The expanded square |x|² - 2xy + |y|² is never used: it cancels when
points are close together and far from the origin.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mdcv.errors import check_finite

#: Entries of the largest table a reference holds at a time (64 MiB in float32).
TABLE_ENTRIES = 1 << 24


def refuse_infinite(name: str, value: Tensor) -> None:
    """`check_finite`, ten times as fast where nothing is wrong: then a sum is mostly finite too.

    >>> refuse_infinite("points", torch.tensor([0.0, torch.nan]))
    Traceback (most recent call last):
    ValueError: points holds NaN or infinity (1 of 2 entries); expected finite numbers
    """
    if not math.isfinite(value.sum()):
        check_finite(name, value)


def widened(points: Tensor) -> Tensor:
    """The points in the precision they are computed in: half and bfloat16 become float32."""
    return points.float() if points.dtype in (torch.float16, torch.bfloat16) else points


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Squared Euclidean distances (B, N, M) between x (B, N, D) and y (B, M, D).

    >>> squared_distances(torch.tensor([[[0.0, 0.0]]]), torch.tensor([[[3.0, 4.0]]]))
    tensor([[[25.]]])
    """
    total = x.new_zeros(x.shape[0], x.shape[1], y.shape[1])
    for x_d, y_d in zip(x.unbind(-1), y.unbind(-1), strict=True):
        difference = x_d.unsqueeze(2) - y_d.unsqueeze(1)
        total = total + difference * difference
    return total


def rows_at_a_time(batch: int, columns: int) -> int:
    """How many rows of a (batch, rows, columns) table fit the memory a reference may hold.

    >>> rows_at_a_time(1, 100_000)
    167
    """
    return max(1, TABLE_ENTRIES // max(1, batch * columns))
