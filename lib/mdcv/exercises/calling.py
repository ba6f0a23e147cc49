"""Calls a function that nobody has read yet, on copies of its arguments, and says what came."""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mdcv.exercises.cases import Seeded, describe
from mdcv.exercises.isolation import Stopped, global_state_kept, run_in_thread, seed_global_state
from mdcv.seeds import generator

#: Seconds for one call, for one more call after a late one, and for all calls of one judgment.
CALL_LIMIT = 5.0
SECOND_CHANCE = 1.0
TOTAL_LIMIT = 30.0

_UNREADABLE = "an object that cannot be read"


@dataclass(frozen=True, eq=False)
class Answer:
    """What came of one call.

    Args:
        value: a clean copy of the tensor that came back; None when something else came.
        returned: what came back, in words.
        kind: "tensor", or the sort of thing that came instead: "nothing", "numpy", "number",
            "sequence", "generator", "coroutine", "tensor subclass", "not dense", "other".
        error: the name of the exception, "" when there was none; `text` is its first line.
        refused: the exception is a ValueError.
        unwritten: the exception is NotImplementedError.
        unbound: the function cannot be called with these arguments at all.
        late: it did not return in time, or there was no time left to ask.
        changed: which argument was changed, and how; "" when none was.
        drew_globally: a generator was given, and the global one was used or seeded as well.
        gradients: for each floating-point tensor argument its gradient, None where no path leads.
        backward_error: what went wrong on the way back.
    """

    value: Tensor | None = None
    returned: str = ""
    kind: str = ""
    error: str = ""
    text: str = ""
    refused: bool = False
    unwritten: bool = False
    unbound: bool = False
    late: bool = False
    changed: str = ""
    drew_globally: bool = False
    gradients: tuple[Tensor | None, ...] | None = None
    backward_error: str = ""


class Caller:
    """Asks one implementation, and keeps the time of one judgment.

    Before each call the global random states get another seed, the same in every judgment: who
    draws from them gives other answers to the same question, but the same ones tomorrow.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._limit = CALL_LIMIT
        self._left = TOTAL_LIMIT
        self._asked = 0
        self._answered = False
        self._gave_up = False

    def ask(
        self,
        arguments: tuple[Any, ...],
        options: Mapping[str, Any],
        *,
        cotangent_seed: int | None = None,
    ) -> Answer:
        """The answer to one call. With a seed, gradients through a random cotangent as well.

        After one late answer the next call has a second to answer; after two, or when the first
        call of all is late, nothing more is asked.
        """
        if self._gave_up or self._left <= 0:
            return Answer(late=True)
        self._asked += 1
        box: list[Answer] = []
        begun = time.monotonic()
        with global_state_kept():
            seed_global_state(self._asked)
            done = run_in_thread(
                lambda: box.append(attempt(self._function, arguments, options, cotangent_seed)),
                min(self._limit, self._left),
            )
        self._left -= time.monotonic() - begun
        if done:
            self._answered = True
            return box[0] if box else Answer(returned=_UNREADABLE, kind="other")
        self._gave_up = not self._answered or self._limit <= SECOND_CHANCE
        self._limit = SECOND_CHANCE
        return Answer(late=True)


def attempt(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    options: Mapping[str, Any],
    cotangent_seed: int | None = None,
) -> Answer:
    """Calls the function on fresh copies of its arguments, here and now, and says what came."""
    wants_gradient = cotangent_seed is not None
    given = [_fresh(argument, wants_gradient) for argument in arguments]
    chosen = {name: _fresh(option, False) for name, option in options.items()}
    kept = [_snapshot(argument) for argument in given]
    before = torch.default_generator.get_state()
    try:
        value = function(*given, **chosen)
    except Stopped:
        raise
    except BaseException as error:
        return _answer_of_error(error, _changes(kept, given), function, given, chosen)
    changed = _changes(kept, given)
    has_generator = any(isinstance(option, Seeded) for option in options.values())
    after = torch.default_generator.get_state()
    drew_globally = has_generator and not torch.equal(before, after)
    try:
        kind, words = _sort_of(value)
        clean = Tensor.clone(Tensor.detach(value)) if kind == "tensor" else None
    except Stopped:
        raise
    except BaseException:  # a value that cannot even be looked at
        kind, words, clean = "other", _UNREADABLE, None
    gradients, backward_error = None, ""
    if clean is not None and cotangent_seed is not None:
        gradients, backward_error = _gradients(value, given, cotangent_seed)
    return Answer(
        value=clean,
        returned=words,
        kind=kind,
        changed=changed,
        drew_globally=drew_globally,
        gradients=gradients,
        backward_error=backward_error,
    )


def _fresh(argument: Any, wants_gradient: bool) -> Any:
    """A copy with the same layout in memory; a `Seeded` becomes its generator."""
    if isinstance(argument, Seeded):
        return generator(argument.seed)
    if not isinstance(argument, Tensor):
        return argument
    if argument.is_contiguous():
        copy = argument.clone()
    else:
        storage = argument.untyped_storage().clone()
        copy = torch.empty(0, dtype=argument.dtype, device=argument.device)
        copy.set_(storage, argument.storage_offset(), argument.shape, argument.stride())
    if wants_gradient and copy.dtype.is_floating_point:
        copy.requires_grad_(True)
    return copy


def _snapshot(argument: Any) -> tuple[Any, ...] | None:
    """What must not change about a tensor: values, dtype, strides, requires_grad."""
    if not isinstance(argument, Tensor):
        return None
    values = argument.detach().clone()
    return values, argument.dtype, argument.stride(), argument.requires_grad


def _changes(kept: list[Any], given: list[Any]) -> str:
    """Which argument was changed, in words; "" when none was."""
    for position, (before, now) in enumerate(zip(kept, given, strict=True)):
        if before is None:
            continue
        values, dtype, stride, requires_grad = before
        if now.shape != values.shape or now.stride() != stride or now.dtype != dtype:
            how = "its shape or layout"
        elif not torch.equal(_no_nan(now.detach()), _no_nan(values)):
            how = "its values"
        elif now.requires_grad != requires_grad:
            how = "its requires_grad"
        else:
            continue
        return f"argument {position + 1} ({how})"
    return ""


def _no_nan(values: Tensor) -> Tensor:
    return values.nan_to_num(nan=0.0) if values.dtype.is_floating_point else values


def _answer_of_error(
    error: BaseException,
    changed: str,
    function: Callable[..., Any],
    given: list[Any],
    options: Mapping[str, Any],
) -> Answer:
    sort = type(error)
    return Answer(
        error=sort.__name__,
        text=_first_line(error),
        refused=issubclass(sort, ValueError),
        unwritten=issubclass(sort, NotImplementedError),
        unbound=issubclass(sort, TypeError) and not _binds(function, given, options),
        changed=changed,
    )


def _first_line(error: BaseException) -> str:
    """The first line of an exception's text, short and the same on every run."""
    try:
        lines = str(error).strip().splitlines()
    except BaseException:
        return ""
    line = re.sub(r"0x[0-9a-fA-F]+", "0x…", lines[0] if lines else "")
    return line if len(line) <= 160 else line[:159] + "…"


def _binds(function: Callable[..., Any], given: list[Any], options: Mapping[str, Any]) -> bool:
    try:
        inspect.signature(function).bind(*given, **options)
    except TypeError:
        return False
    except BaseException:
        return True
    return True


def _sort_of(value: Any) -> tuple[str, str]:
    """What came back: its sort and words for it. Asks `type`, which nothing can fake."""
    sort = type(value)
    if sort is Tensor or sort is torch.nn.Parameter:
        if value.layout is not torch.strided or value.is_quantized or value.is_nested:
            return "not dense", "a sparse, nested or quantized tensor"
        if value.is_meta:
            return "not dense", "a tensor without values (on the meta device)"
        return "tensor", describe(value)
    name = sort.__name__
    if value is None:
        return "nothing", "nothing (None)"
    if issubclass(sort, Tensor):
        return "tensor subclass", f"a {name}, a subclass of Tensor"
    if issubclass(sort, np.ndarray | np.generic):
        return "numpy", f"a NumPy {name}"
    if issubclass(sort, int | float | complex):
        return "number", f"a Python {name}"
    if issubclass(sort, list | tuple):
        return "sequence", f"a {name} of {len(value)}"
    if inspect.isgenerator(value):
        return "generator", "a generator"
    if inspect.iscoroutine(value):
        value.close()
        return "coroutine", "a coroutine"
    return "other", f"an object of type {name}"


def _gradients(
    value: Tensor, given: list[Any], seed: int
) -> tuple[tuple[Tensor | None, ...] | None, str]:
    """The gradient of each floating-point argument through a random cotangent."""
    leaves = [a for a in given if isinstance(a, Tensor) and a.dtype.is_floating_point]
    if not value.requires_grad:
        return tuple(None for _ in leaves), ""
    cotangent = torch.randn(
        value.shape, generator=generator(seed), dtype=torch.float64, device="cpu"
    )
    try:
        gradients = torch.autograd.grad(
            value, leaves, cotangent.to(value), allow_unused=True, retain_graph=False
        )
    except Stopped:
        raise
    except BaseException as error:
        return None, f"{type(error).__name__}: {_first_line(error)}"
    return tuple(None if g is None else g.detach().clone() for g in gradients), ""
