"""What every network on sets refuses before it starts."""

from __future__ import annotations

from torch import Tensor, nn

from mdcv.errors import check_finite, check_same_kind, check_tensor


def check_points(
    name: str, points: Tensor, features: int, *, least: int = 1, like: nn.Module | None = None
) -> None:
    """Refuses anything but finite clouds (B, N, `features`) with N >= `least`.

    `like` is a network: the points must have the dtype and the device of its weights.

    >>> check_points("points", torch.zeros(2, 5, 2), 3)
    Traceback (most recent call last):
    ValueError: points has shape (2, 5, 2); expected (B, N, 3)
    """
    check_tensor(name, points, ndim=3, layout=f"(B, N, {features})")
    if points.shape[2] != features:
        raise ValueError(f"{name} has shape {tuple(points.shape)}; expected (B, N, {features})")
    if points.shape[1] < least:
        wanted = "at least one point" if least == 1 else f"at least {least} points"
        came = "empty set: " if points.shape[1] == 0 else ""
        raise ValueError(f"{came}{name} has shape {tuple(points.shape)}; expected {wanted}")
    if like is not None and (weight := next(like.parameters(), None)) is not None:
        check_same_kind(name, points, "the network", weight)
    check_finite(name, points)


def check_sizes(name: str, sizes: object, *, least: int = 1) -> tuple[int, ...]:
    """Layer widths as a tuple; refuses anything but `least` or more integers from 1 up.

    >>> check_sizes("widths", [64, 0])
    Traceback (most recent call last):
    ValueError: widths is [64, 0]; expected integers >= 1, at least 1 of them
    """
    good = isinstance(sizes, list | tuple) and len(sizes) >= least
    if not good or any(type(size) is not int or size < 1 for size in sizes):
        raise ValueError(f"{name} is {sizes!r}; expected integers >= 1, at least {least} of them")
    return tuple(sizes)
