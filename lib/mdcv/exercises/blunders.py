"""Turns a right function into a wrong one: the mistakes that every exercise shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.exercise import Mistake

Function = Callable[..., Any]


def blunders(right: Function, *, but: tuple[str, ...] = ()) -> tuple[Mistake, ...]:
    """The shared mistakes but some, made from a right function of float tensors."""
    every = (
        Mistake("dead_gradient", detached(right)),
        Mistake("wrong_gradient", with_half_the_gradient(right)),
        Mistake("float32_inside", single_precision(right)),
        Mistake("returns_float32", lambda *a, **o: right(*a, **o).float()),
        Mistake("changes_its_input", changing_its_input(right)),
        Mistake("returns_numpy", lambda *a, **o: right(*a, **o).detach().numpy()),
        Mistake("returns_list", lambda *a, **o: right(*a, **o).tolist()),
        Mistake("returns_nothing", returning_nothing(right)),
    )
    return tuple(mistake for mistake in every if mistake.name not in but)


def returning_nothing(right: Function) -> Function:
    """Computes the value and forgets to return it."""

    def wrong(*arguments: Any, **options: Any) -> None:
        right(*arguments, **options)

    return wrong


def detached(right: Function) -> Function:
    """The right value without a path back."""

    def wrong(*arguments: Any, **options: Any) -> Any:
        with torch.no_grad():
            return right(*arguments, **options)

    return wrong


def with_half_the_gradient(right: Function) -> Function:
    """The right value, and half of it without a path back."""

    def wrong(*arguments: Any, **options: Any) -> Any:
        half = right(*arguments, **options) / 2
        return half + half.detach()

    return wrong


def single_precision(right: Function) -> Function:
    """Computed in float32 whatever comes, returned in the dtype that came."""

    def wrong(*arguments: Any, **options: Any) -> Any:
        singles = [a.float() if _is_float(a) else a for a in arguments]
        dtype = next(a.dtype for a in arguments if _is_float(a))
        return right(*singles, **options).to(dtype)

    return wrong


def changing_its_input(right: Function) -> Function:
    """The right value, and the first argument moved to its mean afterwards."""

    def wrong(*arguments: Any, **options: Any) -> Any:
        value = right(*arguments, **options)
        first = next(a for a in arguments if _is_float(a))
        with torch.no_grad():
            first -= first.mean()
        return value

    return wrong


def _is_float(argument: Any) -> bool:
    return isinstance(argument, Tensor) and argument.dtype.is_floating_point
