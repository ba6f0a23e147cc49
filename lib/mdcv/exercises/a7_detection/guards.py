"""A plain door for right and wrong variants, and the sentences that the refusals share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

Function = Callable[..., Any]

ACCEPTS_OTHER_SHAPES = (
    "A tensor of another shape than the contract says was accepted. Compare the shapes first and "
    "raise a ValueError."
)
ACCEPTS_INVERTED_BOXES = (
    "A box with x2 < x1 or y2 < y1 was accepted. Its width or height is negative, and numbers "
    "that come of it mean nothing: raise a ValueError."
)


class Door:
    """Checks by name in front of a function; any of them can be left out.

    Args:
        checks: each gets what the function gets, and says whether that is acceptable. They are
            asked in this order, and the first that says no raises a ValueError.
    """

    def __init__(self, **checks: Callable[..., bool]) -> None:
        self._checks = checks

    def __call__(self, function: Function, *, without: str = "") -> Function:
        """The function behind the door, one check left out where it is named."""
        asked = {name: check for name, check in self._checks.items() if name != without}

        def guarded(*arguments: Any, **options: Any) -> Any:
            for name, check in asked.items():
                if not check(*arguments, **options):
                    raise ValueError(f"refused: {name}")
            return function(*arguments, **options)

        return guarded


def is_table(boxes: Tensor) -> bool:
    """Whether the tensor is (N, 4)."""
    return boxes.ndim == 2 and boxes.shape[1] == 4


def is_upright(boxes: Tensor) -> bool:
    """Whether no box is inverted; NaN is another matter."""
    return not bool((boxes[..., 2:] < boxes[..., :2]).any())


def has_no_nan(*values: Tensor) -> bool:
    """Whether no tensor holds NaN."""
    return not any(bool(value.isnan().any()) for value in values)
