"""What counts as a box: x1, y1, x2, y2, finite, and not inverted."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.errors import check_finite


def check_boxes(name: str, boxes: Tensor) -> None:
    """Refuses boxes (..., 4) that are not finite, inverted, or so large that areas overflow.

    Looks at the numbers, so on a GPU the host waits for them.

    >>> import torch
    >>> check_boxes("boxes", torch.tensor([[0.0, 0.0, 2.0, 1.0], [3.0, 0.0, 1.0, 1.0]]))
    Traceback (most recent call last):
    ValueError: boxes[1] is (3.0, 0.0, 1.0, 1.0); expected x1 <= x2 and y1 <= y2
    """
    if boxes.numel() == 0:
        return
    sides = boxes[..., 2:] - boxes[..., :2]
    shortest, longest = torch.stack(sides.aminmax()).tolist()
    # Two areas are added before their overlap is taken off.
    limit = (torch.finfo(boxes.dtype).max / 2) ** 0.5
    # A NaN, as from infinity less infinity, fails both comparisons.
    if shortest >= 0 and longest <= limit:
        return
    check_finite(name, boxes)
    first = sides.amin(dim=-1).flatten().lt(0).nonzero()
    if len(first):
        box = tuple(boxes.flatten(0, -2)[first[0, 0]].tolist())
        raise ValueError(f"{name}[{int(first[0, 0])}] is {box}; expected x1 <= x2 and y1 <= y2")
    raise ValueError(
        f"{name} has a side of {longest:.3g}; expected at most {limit:.3g}, "
        "so that areas are finite"
    )


def at_fault(boxes: Tensor) -> Tensor:
    """Which of the boxes (..., 4) `check_boxes` would refuse, as (...); nothing waits for it."""
    sides = boxes[..., 2:] - boxes[..., :2]
    limit = (torch.finfo(boxes.dtype).max / 2) ** 0.5
    return ~((sides >= 0) & (sides <= limit)).all(dim=-1)


def check_indexable(name: str, *sizes: int) -> None:
    """Refuses a tensor of 2^31 elements or more, which 32-bit offsets could not reach.

    >>> check_indexable("the overlap table", 100_000, 50_000)
    Traceback (most recent call last):
    ValueError: the overlap table has 5000000000 elements (100000 × 50000); expected fewer than 2^31
    """
    elements = 1
    for size in sizes:
        elements *= size
    if elements >= 2**31:
        product = " × ".join(map(str, sizes))
        raise ValueError(f"{name} has {elements} elements ({product}); expected fewer than 2^31")
