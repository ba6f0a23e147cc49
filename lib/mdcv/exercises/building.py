"""Builds the arguments of one call from data, and tells afterwards which of them were changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mdcv.exercises.cases import Argument, Constant, Gram, Made, Seeded
from mdcv.exercises.objects import MAKERS
from mdcv.exercises.records import Recorder
from mdcv.seeds import generator


class Built:
    """The arguments of one call, made anew.

    Tensors are copies with the same layout in memory. `tensors` holds them with the words for
    their place, `leaves` those whose gradients are asked for.
    """

    def __init__(
        self, arguments: tuple[Any, ...], options: Mapping[str, Any], wants_gradient: bool
    ) -> None:
        self.log = Recorder()
        self.tensors: list[tuple[str, Tensor]] = []
        self.leaves: list[Tensor] = []
        self.has_generator = False
        self._done: dict[int | str, Any] = {}
        for position, argument in enumerate(arguments):
            place = f"argument {position + 1}"
            self._done[position] = self._make(argument, place, wants_gradient)
        self.arguments = list(self._done.values())
        for name, option in options.items():
            self._done[name] = self._make(option, f"option {name}", False)
        self.options = {name: self._done[name] for name in options}

    def _make(self, thing: Any, place: str, wants_gradient: bool) -> Any:
        if isinstance(thing, Tensor):
            return self._copy(thing, place, wants_gradient)
        if isinstance(thing, Constant):
            return self._copy(thing.value, place, False)
        if isinstance(thing, Gram):
            return self._square(thing.factor, place, wants_gradient)
        if isinstance(thing, Seeded):
            self.has_generator = True
            return generator(thing.seed)
        if isinstance(thing, Argument):
            return self._done[thing.of]
        if isinstance(thing, Made):
            return self._build(thing, wants_gradient)
        if isinstance(thing, tuple | list):
            return type(thing)(self._make(one, place, wants_gradient) for one in thing)
        if isinstance(thing, Mapping):
            return {key: self._make(one, place, wants_gradient) for key, one in thing.items()}
        return thing

    def _copy(self, tensor: Tensor, place: str, wants_gradient: bool) -> Tensor:
        copy = _fresh(tensor)
        if wants_gradient and copy.dtype.is_floating_point:
            copy.requires_grad_(True)
            self.leaves.append(copy)
        self.tensors.append((place, copy))
        return copy

    def _square(self, factor: Tensor, place: str, wants_gradient: bool) -> Tensor:
        factor = self._copy(factor, place, wants_gradient)
        matrix = factor @ factor.mT
        self.tensors[-1] = (place, matrix)
        return matrix

    def _build(self, made: Made, wants_gradient: bool) -> Any:
        known = len(self.tensors)
        values = {name: self._make(value, "", False) for name, value in made.values.items()}
        del self.tensors[known:]  # what an object is made from belongs to the object
        thing = MAKERS[made.maker](self.log, **values)
        if wants_gradient and isinstance(thing, nn.Module):
            self.leaves += [p for p in thing.parameters() if p.requires_grad]
        return thing


def _fresh(tensor: Tensor) -> Tensor:
    """A copy with the same layout in memory."""
    if tensor.is_contiguous():
        return tensor.clone()
    storage = tensor.untyped_storage().clone()
    copy = torch.empty(0, dtype=tensor.dtype, device=tensor.device)
    return copy.set_(storage, tensor.storage_offset(), tensor.shape, tensor.stride())


Snapshot = tuple[Tensor, torch.dtype, tuple[int, ...], bool]


def snapshot(tensor: Tensor) -> Snapshot:
    """What must not change about a tensor: values, dtype, strides, requires_grad."""
    return tensor.detach().clone(), tensor.dtype, tensor.stride(), tensor.requires_grad


def changes(kept: Sequence[Snapshot], given: Sequence[tuple[str, Tensor]]) -> str:
    """Which argument was changed, in words; "" when none was."""
    for (values, dtype, stride, requires_grad), (place, now) in zip(kept, given, strict=True):
        if now.shape != values.shape or now.stride() != stride or now.dtype != dtype:
            how = "its shape or layout"
        elif not torch.equal(_no_nan(now.detach()), _no_nan(values)):
            how = "its values"
        elif now.requires_grad != requires_grad:
            how = "its requires_grad"
        else:
            continue
        return f"{place} ({how})"
    return ""


def _no_nan(values: Tensor) -> Tensor:
    return values.nan_to_num(nan=0.0) if values.dtype.is_floating_point else values
