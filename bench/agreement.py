"""When two answers count as one."""

from __future__ import annotations

import torch
from torch import Tensor


def relative_gap(ours: Tensor | float, theirs: Tensor | float) -> float:
    """The length of the difference as a share of the length of theirs."""
    ours, theirs = (
        torch.as_tensor(value).detach().cpu().double().flatten() for value in (ours, theirs)
    )
    if ours.shape != theirs.shape:
        return float("inf")
    difference = float(torch.linalg.vector_norm(ours - theirs))
    scale = float(torch.linalg.vector_norm(theirs))
    return difference / scale if scale else (0.0 if difference == 0 else float("inf"))


def within(limits: dict[str, float]):
    """A comparison of answers that are dicts of tensors: each relative gap within its limit."""

    def compare(inputs: dict, ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> str | None:
        for name, limit in limits.items():
            gap = relative_gap(ours[name], theirs[name])
            if not gap <= limit:
                return f"{name} differs by {gap:.2g} of its size; {limit:g} is allowed"
        return None

    return compare


def same_indices(inputs: dict, ours: Tensor, theirs: Tensor) -> str | None:
    """Equal one by one."""
    ours, theirs = torch.as_tensor(ours).cpu().long(), torch.as_tensor(theirs).cpu().long()
    if ours.shape != theirs.shape:
        return f"{tuple(theirs.shape)} indices where ours are {tuple(ours.shape)}"
    different = int((ours != theirs).sum())
    return f"{different} of {ours.numel()} indices differ" if different else None
