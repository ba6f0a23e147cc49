"""Door checks: bad input is refused with what came and what was expected.

The doors of the library call these before any work starts. Behind a door nothing is
checked again, and nothing is repaired.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def check_tensor(name: str, value: object, *, ndim: int, layout: str) -> None:
    """Refuses anything but a floating-point tensor with `ndim` axes; `layout` names them.

    >>> check_tensor("x", torch.zeros(3, 2), ndim=3, layout="(B, N, D)")
    Traceback (most recent call last):
    ValueError: x has shape (3, 2); expected (B, N, D)
    """
    if not isinstance(value, Tensor):
        raise ValueError(f"{name} is {type(value).__name__}; expected a tensor {layout}")
    if value.ndim != ndim:
        raise ValueError(f"{name} has shape {tuple(value.shape)}; expected {layout}")
    if not value.dtype.is_floating_point:
        raise ValueError(f"{name} has dtype {value.dtype}; expected a floating-point dtype")


def check_same_kind(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Refuses two tensors of different dtype or device.

    >>> check_same_kind("y", torch.zeros(1).double(), "x", torch.zeros(1))
    Traceback (most recent call last):
    ValueError: y has dtype torch.float64; expected torch.float32 as x has
    """
    if value.dtype != other.dtype:
        raise ValueError(
            f"{name} has dtype {value.dtype}; expected {other.dtype} as {other_name} has"
        )
    if value.device != other.device:
        raise ValueError(f"{name} is on {value.device}; expected {other.device} as {other_name} is")


def check_clouds(
    x: Tensor, y: Tensor, *, allow_empty: bool = False, names: tuple[str, str] = ("x", "y")
) -> None:
    """Refuses anything but two batches of point sets, (B, N, D) and (B, M, D), of one kind.

    Batch sizes must be equal: they are never broadcast. Unless `allow_empty`, each set needs a
    point. `names` is what the message calls the two.

    >>> check_clouds(torch.zeros(2, 4, 3), torch.zeros(2, 4, 2))
    Traceback (most recent call last):
    ValueError: y has shape (2, 4, 2); axis D should be 3 as in x, not 2
    """
    first, second = names
    check_tensor(first, x, ndim=3, layout="(B, N, D)")
    check_tensor(second, y, ndim=3, layout="(B, M, D)")
    for axis, letter in ((0, "B"), (2, "D")):
        if x.shape[axis] != y.shape[axis]:
            raise ValueError(
                f"{second} has shape {tuple(y.shape)}; axis {letter} should be {x.shape[axis]} "
                f"as in {first}, not {y.shape[axis]}"
            )
    check_same_kind(second, y, first, x)
    if not allow_empty and (x.shape[1] == 0 or y.shape[1] == 0):
        raise ValueError(
            f"empty set: {first} has shape {tuple(x.shape)}, {second} {tuple(y.shape)}; "
            "expected at least one point in each"
        )


def check_no_nan(name: str, value: Tensor) -> None:
    """Refuses NaN, where an index or a count would hide it.

    >>> check_no_nan("points", torch.tensor([0.0, float("nan")]))
    Traceback (most recent call last):
    ValueError: points holds NaN (1 of 2 entries); expected numbers
    """
    bad = int(torch.isnan(value).sum())
    if bad:
        raise ValueError(f"{name} holds NaN ({bad} of {value.numel()} entries); expected numbers")


def check_finite(name: str, value: Tensor) -> None:
    """Refuses NaN and infinity, where differences of coordinates are compared.

    >>> check_finite("points", torch.tensor([0.0, float("inf")]))
    Traceback (most recent call last):
    ValueError: points holds NaN or infinity (1 of 2 entries); expected finite numbers
    """
    bad = value.numel() - int(torch.isfinite(value).sum())
    if bad:
        raise ValueError(
            f"{name} holds NaN or infinity ({bad} of {value.numel()} entries); "
            "expected finite numbers"
        )


def check_option(name: str, value: object, options: Sequence[object]) -> None:
    """Refuses an option value that is not among `options`.

    >>> check_option("reduction", "avg", ("sum", "mean"))
    Traceback (most recent call last):
    ValueError: reduction is 'avg'; expected one of 'sum', 'mean'
    """
    if not any(type(value) is type(option) and value == option for option in options):
        raise ValueError(f"{name} is {value!r}; expected one of {', '.join(map(repr, options))}")


def check_integer(name: str, value: object, *, low: int, high: int | None = None) -> None:
    """Refuses anything but an integer in [low, high].

    >>> check_integer("k", 9, low=1, high=5)
    Traceback (most recent call last):
    ValueError: k is 9; expected an integer from 1 to 5
    """
    wanted = f"an integer from {low} to {high}" if high is not None else f"an integer >= {low}"
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if not is_integer or value < low or (high is not None and value > high):
        raise ValueError(f"{name} is {value!r}; expected {wanted}")


def check_number(name: str, value: object, *, finite: bool = True) -> None:
    """Refuses anything but a number from 0 up; infinity only where `finite` is False.

    >>> check_number("radius", -1.0, finite=False)
    Traceback (most recent call last):
    ValueError: radius is -1.0; expected a number >= 0
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # NaN fails the comparison, and so is refused.
    if not is_number or not value >= 0 or (finite and value == float("inf")):
        raise ValueError(f"{name} is {value!r}; expected a {'finite ' * finite}number >= 0")
