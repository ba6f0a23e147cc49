"""What a recording stub saw while a student's function used it, as data.

A stub is a real network or a real optimizer that also writes down what was asked of it: which
tensors went in, whether they carried a graph, in which order things happened, which parameters
had which gradients. The list of events travels with the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

#: No more events than this are kept; training loops for ever would fill the memory otherwise.
MOST_EVENTS = 2000

Fact = bool | int | float | str


@dataclass(frozen=True, eq=False)
class Event:
    """One thing that happened to a stub.

    Args:
        who: the name that the question gave the stub, such as "discriminator".
        what: "forward" (or the name of another method), "train", "eval", "zero_grad", "step", and
            last of all "after", with the state that the call left behind.
        tensors: copies of what went in and came out. Of a network after the call: each parameter
            under its name, and its gradient under its name with ".grad", where it has one.
        facts: plain values. Of a forward call: `graph` (the input carries a graph), `training`
            (the mode), `recorded` (gradients were enabled). After the call: `training`, and
            `frozen` (a parameter no longer asks for gradients).
    """

    who: str
    what: str
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)


class Recorder:
    """Where the stubs of one call write their events down."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._networks: dict[str, torch.nn.Module] = {}

    def watch(self, who: str, network: torch.nn.Module) -> None:
        """Notes the state of this network when the call is over."""
        self._networks[who] = network

    def note(self, who: str, what: str, tensors: Mapping[str, Tensor], **facts: Fact) -> None:
        """Writes one event down, with copies of its tensors."""
        if len(self.events) < MOST_EVENTS:
            copies = {name: value.detach().clone() for name, value in tensors.items()}
            self.events.append(Event(who, what, copies, facts))

    def close(self) -> tuple[Event, ...]:
        """All events, and the state of every watched network as the last ones."""
        after = []
        for who, network in self._networks.items():
            state = {n: p.detach().clone() for n, p in network.named_parameters()}
            state |= gradients_of(network)
            frozen = not all(parameter.requires_grad for parameter in network.parameters())
            facts = {"training": network.training, "frozen": frozen}
            after.append(Event(who, "after", state, facts))
        return (*self.events, *after)


def gradients_of(network: torch.nn.Module) -> dict[str, Tensor]:
    """The gradients that the parameters hold now, under their names with ".grad"."""
    named = network.named_parameters()
    return {f"{n}.grad": p.grad.detach().clone() for n, p in named if p.grad is not None}


def events(records: Sequence[Event], who: str, what: str) -> list[Event]:
    """The events of one stub and one sort, in order.

    >>> log = Recorder()
    >>> log.note("critic", "forward", {"input": torch.zeros(2)}, graph=False)
    >>> len(events(log.close(), "critic", "forward"))
    1
    """
    return [event for event in records if event.who == who and event.what == what]


def weights_after(records: Sequence[Event], who: str) -> Tensor | None:
    """All parameters that a network had after the call, as one vector."""
    return _joined(records, who, gradients=False)


def gradients_after(records: Sequence[Event], who: str) -> Tensor | None:
    """All gradients that were left in a network, as one vector; None when there was none."""
    return _joined(records, who, gradients=True)


def _joined(records: Sequence[Event], who: str, *, gradients: bool) -> Tensor | None:
    found = [
        value.flatten().double()
        for event in events(records, who, "after")
        for name, value in event.tensors.items()
        if name.endswith(".grad") == gradients
    ]
    return torch.cat(found) if found else None
