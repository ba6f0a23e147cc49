"""What is measured, as data: an operation, inputs, ours, the peers, agreement, a goal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch

Inputs = dict[str, Any]

#: The devices of an entrant that computes where its tensors are.
ANYWHERE = ("cpu", "cuda")


def calling(module: str, function: str, *options: Any) -> Callable[..., Callable[[], Any]]:
    """For `Entrant.prepare`: to call a module's function with the inputs in order, then options."""

    def prepare(**inputs: Any) -> Callable[[], Any]:
        call = getattr(import_module(module), function, None)
        if call is None:
            raise ImportError(f"{module} has no {function}")
        arguments = (*inputs.values(), *options)
        return lambda: call(*arguments)

    return prepare


@dataclass(frozen=True)
class Entrant:
    """One implementation that takes part in a case."""

    #: How the tables call it, such as "SciPy".
    name: str
    #: The module that has to be importable for it.
    needs: str
    #: Takes the inputs by name, converts them, and returns the call whose time counts.
    prepare: Callable[..., Callable[[], Any]]
    #: Turns what the call returned into what the case compares; its time does not count.
    answer: Callable[[Any], Any] = lambda returned: returned
    devices: tuple[str, ...] = ("cpu",)


@dataclass(frozen=True)
class Goal:
    """To be so many times as fast as the fastest of these peers."""

    times: float
    peers: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    name: str
    #: What `--op` calls it: the library's function.
    operation: str
    title: str
    #: Makes the inputs on a device, the same at every call.
    inputs: Callable[[torch.device], Inputs]
    ours: Entrant
    peers: tuple[Entrant, ...]
    #: (inputs, our answer, a peer's answer) -> why they disagree, or None.
    compare: Callable[[Inputs, Any, Any], str | None]
    #: What `compare` lets pass, in words.
    tolerance: str
    #: (inputs, our answer) -> what is wrong with it whatever the peers say, or None.
    verify: Callable[[Inputs, Any], str | None] = lambda inputs, answer: None
    #: Any one of them suffices.
    goals: tuple[Goal, ...] = ()
    devices: tuple[str, ...] = ANYWHERE

    def as_record(self, entrants: list[dict]) -> dict:
        """What goes into the results: all but the code."""
        return {
            "name": self.name,
            "operation": self.operation,
            "title": self.title,
            "tolerance": self.tolerance,
            "goals": [{"times": goal.times, "peers": list(goal.peers)} for goal in self.goals],
            "entrants": entrants,
        }


@dataclass(frozen=True)
class Curve:
    """One case at growing sizes: a panel of the picture."""

    name: str
    operation: str
    title: str
    #: What the sizes count.
    counts: str
    sizes: tuple[int, ...]
    case: Callable[[int], Case]
