"""Calls a function that nobody has read yet: under a time limit, on copies, whatever it does.

Each call runs in a fresh daemon thread, which also keeps thread-local switches (gradient mode,
inference mode, default device) from leaking into the next call. What is global (random states,
default dtype, determinism) is put back after each call. A call that does not return is told to
stop and left behind.

This guards against accidents, not against attacks: code that ends the process, or that never
gives the interpreter back, needs the walls of the grading room.
"""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import inspect
import random
import re
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mdcv.exercises.cases import Seeded, describe
from mdcv.seeds import generator

#: Seconds for one call, for one more call after a late one, and for all calls of one judgment.
CALL_LIMIT = 5.0
SECOND_CHANCE = 1.0
TOTAL_LIMIT = 30.0


class Stopped(BaseException):
    """Raised inside a call that did not return in time."""


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
        with _global_state_kept():
            _seed_global_state(self._asked)
            done = _run_in_thread(
                lambda: box.append(attempt(self._function, arguments, options, cotangent_seed)),
                min(self._limit, self._left),
            )
        self._left -= time.monotonic() - begun
        if done and box:
            self._answered = True
            return box[0]
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
        kind, words, clean = "other", "an object that cannot be read", None
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
    return (
        argument.detach().clone(),
        argument.dtype,
        argument.stride(),
        argument.requires_grad,
    )


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


def _run_in_thread(work: Callable[[], None], limit: float) -> bool:
    """Runs the work in a daemon thread; False when it did not end in time and was left behind.

    A thread that got little of a busy machine has twice the time.
    """
    ended = threading.Event()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            with contextlib.suppress(BaseException):
                context.run(work)
            ended.set()
        except BaseException:
            ended.set()

    worker = threading.Thread(target=run, daemon=True, name="mdcv-answer")
    worker.start()
    try:
        in_time = ended.wait(limit)
        if not in_time and _seconds_of_work(worker) < 0.5 * limit:
            in_time = ended.wait(limit)
    except BaseException:  # the user interrupts: the call must end as well
        _stop(worker)
        raise
    if not in_time:
        _stop(worker)
    return in_time


def _seconds_of_work(worker: threading.Thread) -> float:
    """Processor time that a thread has used; infinite where the system does not tell."""
    try:
        return time.clock_gettime(time.pthread_getcpuclockid(worker.ident or 0))
    except (AttributeError, OSError):
        return float("inf")


def _stop(worker: threading.Thread) -> None:
    """Raises `Stopped` inside a thread until it ends; gives up on it after a few seconds."""

    def insist() -> None:
        for _ in range(40):
            if not worker.is_alive():
                return
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(worker.ident or 0), ctypes.py_object(Stopped)
            )
            worker.join(0.1)

    threading.Thread(target=insist, daemon=True, name="mdcv-stop").start()
    worker.join(0.2)


def _seed_global_state(seed: int) -> None:
    torch.default_generator.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)


@contextlib.contextmanager
def _global_state_kept() -> Iterator[None]:
    """Puts back what a call may have changed for everyone: random states, dtype, switches."""
    torch_state = torch.get_rng_state()
    numpy_state, python_state = np.random.get_state(), random.getstate()
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    anomaly, anomaly_nan = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
    precision, recursion = torch.get_float32_matmul_precision(), sys.getrecursionlimit()
    try:
        yield
    finally:
        torch.set_rng_state(torch_state)
        np.random.set_state(numpy_state)
        random.setstate(python_state)
        torch.set_default_dtype(dtype)
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        torch.autograd.set_detect_anomaly(anomaly, anomaly_nan)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        if torch.get_float32_matmul_precision() != precision:
            torch.set_float32_matmul_precision(precision)
        sys.setrecursionlimit(recursion)
        warnings.simplefilter("ignore")


@contextlib.contextmanager
def neutral_ground() -> Iterator[None]:
    """Judging does not depend on where it happens.

    Whatever the caller has set (gradients off, another default dtype or device, warnings as
    errors), the questions are drawn and asked under PyTorch's defaults. A warning costs nothing.
    """
    dtype = torch.get_default_dtype()
    with (
        warnings.catch_warnings(),
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.device("cpu"),
        _global_state_kept(),
    ):
        warnings.simplefilter("ignore")
        torch.set_default_dtype(torch.float32)
        _seed_global_state(0)
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
