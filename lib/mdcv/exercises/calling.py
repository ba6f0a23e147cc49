"""Calls a function that nobody has read yet, on copies of its arguments, and says what came."""

from __future__ import annotations

import inspect
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mdcv.exercises.adapters import CannotBeCalledError, NotAFunctionError, adapted, binds
from mdcv.exercises.building import Built, Snapshot, changes, snapshot
from mdcv.exercises.cases import describe
from mdcv.exercises.isolation import Stopped, run_in_thread, seed_global_state, switches_kept
from mdcv.exercises.records import Event
from mdcv.seeds import generator

#: Seconds for one call, for one more call after a late one, and for all calls of one judgment
#: that have no limit of their own.
CALL_LIMIT = 5.0
SECOND_CHANCE = 1.0
TOTAL_LIMIT = 30.0

#: A tuple of more tensors than this is not read, nor is a tensor with more axes.
MOST_VALUES, MOST_AXES = 1000, 16

#: The dtypes that an answer may have.
DTYPES = (
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.bool),
    *(torch.uint64, torch.uint32, torch.uint16, torch.uint8, torch.complex64, torch.complex128),
)

_UNREADABLE = "an object that cannot be read"


@dataclass(frozen=True, eq=False)
class Answer:
    """What came of one call.

    Args:
        values: clean copies of the tensors that came back; None when something else came.
        returned: what came back, in words.
        kind: "tensor" (one), "tensors" (a tuple or a list of them), or the sort of thing that
            came instead: "nothing", "numpy", "number", "sequence", "generator", "coroutine",
            "tensor subclass", "not dense", "other", "not callable" (there was nothing to call).
        error: the name of the exception, "" when there was none; `text` is its first line.
        refused: the exception is a ValueError.
        unwritten: the exception is NotImplementedError.
        unbound: the function cannot be called with these arguments at all.
        late: it did not return in time, or there was no time left to ask.
        changed: which argument was changed, and how; "" when none was.
        drew_globally: a generator was given, and the global one was used or seeded as well.
        gradients: for each floating-point tensor among the arguments, and for each parameter of a
            made network, its gradient; None where no path leads.
        backward_error: what went wrong on the way back.
        records: what recording stubs saw.
    """

    values: tuple[Tensor, ...] | None = None
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
    records: tuple[Event, ...] = ()

    @property
    def value(self) -> Tensor | None:
        """The tensor that came back; None when several came, or something else."""
        return self.values[0] if self.values and self.kind == "tensor" else None


@dataclass(frozen=True, eq=False)
class Asking:
    """One question to one function, as data.

    Args:
        arguments, options: what the function is called with; see `mdcv.exercises.cases`.
        cotangent_seed: asks for gradients through random cotangents of this seed.
        through: the name of an adapter, applied to the function first.
        number: which question of its judgment this is, from 1; seeds the global random states.
    """

    arguments: tuple[Any, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    cotangent_seed: int | None = None
    through: str | None = None
    number: int = 1


class Caller:
    """Asks one implementation, and keeps the time of one judgment.

    Who asks elsewhere (in another process) overrides `answer_within`. Before each call the global
    random states get another seed, the same in every judgment: who draws from them gives other
    answers to the same question, but the same ones tomorrow.
    """

    def __init__(self, function: Any) -> None:
        self._function = function
        self._left = TOTAL_LIMIT
        self._asked = 0
        self._answered = False
        self._late = False
        self._gave_up = False

    def ask(
        self,
        arguments: tuple[Any, ...],
        options: Mapping[str, Any],
        *,
        cotangent_seed: int | None = None,
        through: str | None = None,
        limit: float | None = None,
    ) -> Answer:
        """The answer to one call. With a seed, gradients through random cotangents as well.

        A question with a time `limit` of its own (training) does not use up the common time. After
        one late answer the next call has a second to answer; after two, or when the first call of
        all is late, nothing more is asked.
        """
        if self._gave_up or (limit is None and self._left <= 0):
            return Answer(late=True)
        self._asked += 1
        allowed = limit or min(CALL_LIMIT, self._left)
        if self._late:
            allowed = min(allowed, SECOND_CHANCE)
        begun = time.monotonic()
        asking = Asking(arguments, options, cotangent_seed, through, self._asked)
        answer = self.answer_within(asking, allowed)
        if limit is None:
            self._left -= time.monotonic() - begun
        if answer is not None:
            self._answered = True
            return answer
        self._gave_up = self._late or not self._answered
        self._late = True
        return Answer(late=True)

    def answer_within(self, asking: Asking, limit: float) -> Answer | None:
        """The answer, or None when it did not come within `limit` seconds."""
        return answer_within(self._function, asking, limit)


def answer_within(function: Any, asking: Asking, limit: float) -> Answer | None:
    """Asks in a thread of its own; None when the answer did not come within `limit` seconds.

    The global random states are another's afterwards: who asks puts them back when it is done.
    """
    box: list[Answer] = []
    with switches_kept():
        seed_global_state(asking.number)
        done = run_in_thread(lambda: box.append(answer_here(function, asking)), limit)
    if not done:
        return None
    return box[0] if box else Answer(returned=_UNREADABLE, kind="other")


def answer_here(function: Any, asking: Asking) -> Answer:
    """Asks on this thread, without a time limit."""
    return attempt(
        function, asking.arguments, asking.options, asking.cotangent_seed, asking.through
    )


def attempt(
    implementation: Any,
    arguments: tuple[Any, ...],
    options: Mapping[str, Any],
    cotangent_seed: int | None = None,
    through: str | None = None,
) -> Answer:
    """Calls the function on fresh copies of its arguments, here and now, and says what came."""
    built = Built(arguments, options, cotangent_seed is not None)
    kept = [snapshot(tensor) for _, tensor in built.tensors]
    before = torch.default_generator.get_state()
    try:
        function = adapted(implementation, through)
        value = function(*built.arguments, **built.options)
    except Stopped:
        raise
    except BaseException as error:
        if _interrupted(error):
            raise
        return _answer_of_error(error, implementation, through, built, kept)
    changed = changes(kept, built.tensors)
    after = torch.default_generator.get_state()
    try:
        kind, words, found = _sort_of(value)
        clean = tuple(Tensor.clone(Tensor.detach(one)) for one in found) if found else None
    except Stopped:
        raise
    except BaseException:  # a value that cannot even be looked at
        kind, words, found, clean = "other", _UNREADABLE, (), None
    gradients, backward_error = None, ""
    if clean is not None and cotangent_seed is not None:
        gradients, backward_error = _gradients(found, built.leaves, cotangent_seed)
    return Answer(
        values=clean,
        returned=words,
        kind=kind,
        changed=changed,
        drew_globally=built.has_generator and not torch.equal(before, after),
        gradients=gradients,
        backward_error=backward_error,
        records=built.log.close(),
    )


def _answer_of_error(
    error: BaseException,
    implementation: Any,
    through: str | None,
    built: Built,
    kept: Sequence[Snapshot],
) -> Answer:
    sort = type(error)
    if issubclass(sort, NotAFunctionError):
        return Answer(returned=f"of type {_first_line(error)}", kind="not callable")
    unbound = issubclass(sort, CannotBeCalledError)
    if through is None and issubclass(sort, TypeError):
        unbound = not binds(implementation, built.arguments, built.options)
    return Answer(
        error="TypeError" if issubclass(sort, CannotBeCalledError) else sort.__name__[:80],
        text=_first_line(error),
        refused=issubclass(sort, ValueError),
        unwritten=issubclass(sort, NotImplementedError),
        unbound=unbound,
        changed=changes(kept, built.tensors),
        records=built.log.close(),
    )


def _interrupted(error: BaseException) -> bool:
    """The user wants to stop: only the main thread hears of it, where references are asked."""
    in_main = threading.current_thread() is threading.main_thread()
    return isinstance(error, KeyboardInterrupt) and in_main


def _first_line(error: BaseException) -> str:
    """The first line of an exception's text, short and the same on every run."""
    try:
        lines = str(error).strip().splitlines()
    except BaseException:
        return ""
    line = re.sub(r"0x[0-9a-fA-F]+", "0x…", lines[0] if lines else "")
    line = line.encode("utf-8", "replace").decode()
    return line if len(line) <= 160 else line[:159] + "…"


def _sort_of(value: Any) -> tuple[str, str, tuple[Tensor, ...]]:
    """What came back: its sort, words for it, and its tensors.

    Asks `type`, which nothing can fake.
    """
    kind, words = _sort_of_one(value)
    if kind == "tensor":
        return kind, words, (value,)
    if kind == "sequence":
        read = tuple if issubclass(type(value), tuple) else list
        items = tuple(read.__iter__(value))
        if 0 < len(items) <= MOST_VALUES and all(_sort_of_one(i)[0] == "tensor" for i in items):
            return "tensors", words, items
    return kind, words, ()


def _sort_of_one(value: Any) -> tuple[str, str]:
    sort = type(value)
    if sort is Tensor or sort is nn.Parameter:
        if value.layout is not torch.strided or value.is_quantized or value.is_nested:
            return "not dense", "a sparse, nested or quantized tensor"
        if value.is_meta:
            return "not dense", "a tensor without values (on the meta device)"
        if value.dtype not in DTYPES or value.ndim > MOST_AXES:
            return "not dense", f"{describe(value)[:200]}, which cannot be compared"
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
    values: Sequence[Tensor], leaves: Sequence[Tensor], seed: int
) -> tuple[tuple[Tensor | None, ...] | None, str]:
    """The gradient of each leaf through random cotangents of all values."""
    draws = generator(seed)
    cotangents = [
        torch.randn(v.shape, generator=draws, dtype=torch.float64, device="cpu") for v in values
    ]
    ways = [(v, c.to(v)) for v, c in zip(values, cotangents, strict=True) if v.requires_grad]
    if not ways or not leaves:
        return tuple(None for _ in leaves), ""
    try:
        gradients = torch.autograd.grad(
            [value for value, _ in ways],
            list(leaves),
            [cotangent for _, cotangent in ways],
            allow_unused=True,
        )
    except Stopped:
        raise
    except BaseException as error:
        if _interrupted(error):
            raise
        return None, f"{type(error).__name__}: {_first_line(error)}"
    return tuple(None if g is None else g.detach().clone() for g in gradients), ""
