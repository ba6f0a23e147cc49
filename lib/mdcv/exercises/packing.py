"""Turns a call and its answer into JSON and dense tensors, and back: never into pickle.

A question goes to another process and an answer comes back. The answer comes from where a
student's code runs, so nothing about it is believed: every field is checked for its type, its
range and its length, and what does not fit is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.calling import DTYPES, MOST_VALUES, Answer, Asking
from mdcv.exercises.cases import Argument, Constant, Gram, Made, Seeded
from mdcv.exercises.records import MOST_EVENTS, Event

#: The JSON side, and the tensors that it points to by number.
Packed = tuple[dict[str, Any], list[Tensor]]

#: What an answer may hold at most.
MOST_TEXT = 400
MOST_TENSORS = 20_000
MOST_ELEMENTS = 100_000_000

KINDS = (
    *("tensor", "tensors", "nothing", "numpy", "number", "sequence", "generator", "coroutine"),
    *("tensor subclass", "not dense", "other", "not callable", ""),
)

_DTYPES = {str(dtype).removeprefix("torch."): dtype for dtype in DTYPES}

_TEXTS = ("returned", "error", "text", "changed", "backward_error")
_FLAGS = ("refused", "unwritten", "unbound", "late", "drew_globally")


# Calls: made by the trusted side


def pack_call(asking: Asking) -> Packed:
    """A question as JSON and tensors.

    Raises:
        ValueError: an argument is not data.

    >>> header, tensors = pack_call(Asking((torch.zeros(2, 3), 5), {"reduction": "mean"}))
    >>> header["arguments"]
    [{'tensor': 0}, 5]
    """
    tensors: list[Tensor] = []
    header = {
        "arguments": [_pack(argument, tensors) for argument in asking.arguments],
        "options": {name: _pack(option, tensors) for name, option in asking.options.items()},
        "cotangent_seed": asking.cotangent_seed,
        "through": asking.through,
        "number": asking.number,
    }
    return header, tensors


def unpack_call(header: Mapping[str, Any], tensors: Sequence[Tensor]) -> Asking:
    """The question again.

    Raises:
        ValueError: this is no packed call.
    """
    try:
        return Asking(
            arguments=tuple(_unpack(node, tensors) for node in header["arguments"]),
            options={name: _unpack(node, tensors) for name, node in header["options"].items()},
            cotangent_seed=header["cotangent_seed"],
            through=header["through"],
            number=header["number"],
        )
    except (KeyError, IndexError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(f"this is no packed call: {error!r}") from error


def _pack(thing: Any, tensors: list[Tensor]) -> Any:
    """A value as JSON; everything but numbers, text and None becomes a dict with one sort."""
    if thing is None or type(thing) in (bool, int, str):
        return thing
    if type(thing) is float:
        return thing if math.isfinite(thing) else {"float": str(thing)}
    if isinstance(thing, Tensor):
        return _pack_tensor(thing, tensors)
    if isinstance(thing, Seeded):
        return {"seeded": thing.seed}
    if isinstance(thing, Argument):
        return {"argument": thing.of}
    if isinstance(thing, Constant):
        return {"constant": _pack(thing.value, tensors)}
    if isinstance(thing, Gram):
        return {"gram": _pack(thing.factor, tensors)}
    if isinstance(thing, Made):
        return {"made": thing.maker, "values": _pack_items(thing.values, tensors)}
    if isinstance(thing, torch.dtype):
        return {"dtype": str(thing).removeprefix("torch.")}
    if isinstance(thing, tuple | list):
        sort = "tuple" if isinstance(thing, tuple) else "list"
        return {sort: [_pack(one, tensors) for one in thing]}
    if isinstance(thing, Mapping):
        return {"dict": _pack_items(thing, tensors)}
    raise ValueError(
        f"an argument is of type {type(thing).__name__}; expected data: tensors, numbers, text, "
        "None, dtypes, tuples, lists, dicts, Seeded, Made, Argument, Constant or Gram"
    )


def _pack_items(items: Mapping[Any, Any], tensors: list[Tensor]) -> list[list[Any]]:
    return [[_pack(key, tensors), _pack(value, tensors)] for key, value in items.items()]


def _pack_tensor(tensor: Tensor, tensors: list[Tensor]) -> dict[str, Any]:
    """A dense tensor is sent as it is; of another one its memory, and how to read it."""
    tensor = tensor.detach()
    node: dict[str, Any] = {"tensor": len(tensors)}
    if tensor.is_contiguous():
        tensors.append(tensor)
        return node
    memory = torch.empty(0, dtype=tensor.dtype).set_(tensor.untyped_storage())
    tensors.append(memory)
    layout = (tensor.storage_offset(), list(tensor.shape), list(tensor.stride()))
    return node | dict(zip(("offset", "shape", "stride"), layout, strict=True))


def _unpack(node: Any, tensors: Sequence[Tensor]) -> Any:
    if not isinstance(node, dict):
        return node
    if "tensor" in node:
        memory = tensors[node["tensor"]]
        if "stride" not in node:
            return memory
        return memory.as_strided(node["shape"], node["stride"], node["offset"])
    if "float" in node:
        return float(node["float"])
    if "seeded" in node:
        return Seeded(node["seeded"])
    if "argument" in node:
        return Argument(node["argument"])
    if "constant" in node:
        return Constant(_unpack(node["constant"], tensors))
    if "gram" in node:
        return Gram(_unpack(node["gram"], tensors))
    if "made" in node:
        return Made(node["made"], **_unpack_items(node["values"], tensors))
    if "dtype" in node:
        return _DTYPES[node["dtype"]]
    if "tuple" in node:
        return tuple(_unpack(one, tensors) for one in node["tuple"])
    if "list" in node:
        return [_unpack(one, tensors) for one in node["list"]]
    return _unpack_items(node["dict"], tensors)


def _unpack_items(items: Any, tensors: Sequence[Tensor]) -> dict[Any, Any]:
    return {_unpack(key, tensors): _unpack(value, tensors) for key, value in items}


# Answers: made where students' code runs


def pack_answer(answer: Answer) -> Packed:
    """An answer as JSON and dense tensors."""
    tensors: list[Tensor] = []

    def number(tensor: Tensor | None) -> int | None:
        if tensor is None:
            return None
        tensors.append(tensor.detach().resolve_conj().resolve_neg().contiguous())
        return len(tensors) - 1

    def numbers(of: Sequence[Tensor | None] | None) -> list[int | None] | None:
        return None if of is None else [number(tensor) for tensor in of]

    header: dict[str, Any] = {name: getattr(answer, name)[:MOST_TEXT] for name in _TEXTS}
    header |= {name: getattr(answer, name) for name in _FLAGS}
    header |= {"kind": answer.kind, "values": numbers(answer.values)}
    header["gradients"] = numbers(answer.gradients)
    header["records"] = [
        [e.who, e.what, {name: number(t) for name, t in e.tensors.items()}, dict(e.facts)]
        for e in answer.records
    ]
    return header, tensors


def unpack_answer(header: Any, tensors: Sequence[Any]) -> Answer:
    """The answer again, from a sender that is not trusted.

    Raises:
        ValueError: something about it is not as `pack_answer` makes it.
    """
    keys = {*_TEXTS, *_FLAGS, "kind", "values", "gradients", "records"}
    if type(header) is not dict or set(header) != keys:
        raise ValueError("an answer's header has other fields than it should")
    store = _Store(tensors)
    texts = {name: _text(header[name], name) for name in _TEXTS}
    flags = {name: _flag(header[name], name) for name in _FLAGS}
    if header["kind"] not in KINDS or type(header["kind"]) is not str:
        raise ValueError(f"an answer is of an unknown kind: {str(header['kind'])[:40]!r}")
    values, gradients = header["values"], header["gradients"]
    answer = Answer(
        **texts,
        **flags,
        kind=header["kind"],
        values=None if values is None else tuple(store.take(n) for n in _list(values, "values")),
        gradients=None
        if gradients is None
        else tuple(store.take(n, or_none=True) for n in _list(gradients, "gradients")),
        records=tuple(_event(one, store) for one in _list(header["records"], "records")),
    )
    store.must_be_empty()
    _must_agree(answer)
    return answer


class _Store:
    """The tensors that came with a header; each may be taken once, and all must be."""

    def __init__(self, tensors: Sequence[Any]) -> None:
        if type(tensors) not in (list, tuple) or len(tensors) > MOST_TENSORS:
            raise ValueError(f"an answer comes with no list of at most {MOST_TENSORS} tensors")
        elements = 0
        for tensor in tensors:
            if type(tensor) is not Tensor or tensor.layout is not torch.strided:
                raise ValueError("an answer comes with something that is no dense tensor")
            if tensor.dtype not in _DTYPES.values() or tensor.device.type != "cpu":
                raise ValueError(f"an answer's tensor is {tensor.dtype} on {tensor.device.type}")
            if not tensor.is_contiguous() or tensor.requires_grad:
                raise ValueError("an answer's tensor is not contiguous, or asks for a gradient")
            elements += tensor.numel()
        if elements > MOST_ELEMENTS:
            raise ValueError(f"an answer holds {elements} numbers; at most {MOST_ELEMENTS}")
        self._tensors: list[Tensor | None] = list(tensors)

    def take(self, number: Any, *, or_none: bool = False) -> Any:
        if number is None and or_none:
            return None
        if type(number) is not int or not 0 <= number < len(self._tensors):
            raise ValueError(f"an answer points to tensor {str(number)[:40]!r}, which did not come")
        tensor = self._tensors[number]
        if tensor is None:
            raise ValueError(f"an answer uses tensor {number} twice")
        self._tensors[number] = None
        return tensor

    def must_be_empty(self) -> None:
        if any(tensor is not None for tensor in self._tensors):
            raise ValueError("an answer comes with tensors that nothing points to")


def _text(value: Any, name: str) -> str:
    if type(value) is not str or len(value) > MOST_TEXT:
        raise ValueError(f"an answer's {name} is no text of at most {MOST_TEXT} characters")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"an answer's {name} is no valid text") from error
    return value


def _flag(value: Any, name: str) -> bool:
    if type(value) is not bool:
        raise ValueError(f"an answer's {name} is {str(value)[:40]!r}; expected true or false")
    return value


def _list(value: Any, name: str) -> list[Any]:
    most = MOST_EVENTS + MOST_VALUES
    if type(value) is not list or len(value) > most:
        raise ValueError(f"an answer's {name} are no list of at most {most}")
    return value


def _event(value: Any, store: _Store) -> Event:
    if type(value) is not list or len(value) != 4:
        raise ValueError("an answer's record is no list of four")
    who, what, tensors, facts = value
    if type(tensors) is not dict or type(facts) is not dict or len(facts) > 20:
        raise ValueError("an answer's record holds no tensors and facts by name")
    for fact in facts.values():
        if type(fact) not in (bool, int, float, str) or len(str(fact)) > MOST_TEXT:
            raise ValueError("an answer's record holds a fact that is no plain value")
    return Event(
        _text(who, "record"),
        _text(what, "record"),
        {_text(name, "record"): store.take(number) for name, number in tensors.items()},
        {_text(name, "record"): fact for name, fact in facts.items()},
    )


def _must_agree(answer: Answer) -> None:
    """What one field says must not contradict another."""
    count = None if answer.values is None else len(answer.values)
    wanted = {"tensor": count == 1, "tensors": count is not None and 1 <= count <= MOST_VALUES}
    if not wanted.get(answer.kind, count is None):
        raise ValueError(f"an answer of kind {answer.kind!r} has {count} values")
    if bool(answer.error) + bool(answer.kind) + answer.late != 1:
        raise ValueError("an answer is one of three: late, an error, or of some kind")
    if (answer.refused or answer.unwritten or answer.unbound) and not answer.error:
        raise ValueError("an answer names the sort of an error that it does not have")
    if answer.gradients is not None and count is None:
        raise ValueError("an answer has gradients of a value that it does not have")
