"""Labels at the door: integers, one for each box, in their range."""

from __future__ import annotations

import torch
from torch import Tensor


def check_labels(
    labels: object, count: int, *, low: int, high: int, device: torch.device, name: str = "labels"
) -> None:
    """Refuses anything but `count` integers from `low` to `high` on that device.

    >>> here = torch.device("cpu")
    >>> check_labels(torch.tensor([0, 4]), 2, low=0, high=3, device=here)
    Traceback (most recent call last):
    ValueError: labels holds 4; expected integers from 0 to 3
    """
    if not isinstance(labels, Tensor):
        raise ValueError(f"{name} is {type(labels).__name__}; expected a tensor of integers")
    if labels.dtype.is_floating_point or labels.dtype.is_complex or labels.dtype == torch.bool:
        raise ValueError(f"{name} has dtype {labels.dtype}; expected integers")
    if labels.shape != (count,):
        raise ValueError(f"{name} has shape {tuple(labels.shape)}; expected ({count},)")
    if labels.device != device:
        raise ValueError(f"{name} is on {labels.device}; expected {device}")
    outside = labels[(labels < low) | (labels > high)]
    if len(outside):
        raise ValueError(f"{name} holds {int(outside[0])}; expected integers from {low} to {high}")
