"""Entrants that take as long as they are told, on a clock of their own."""

from __future__ import annotations

from collections.abc import Sequence

from bench.case import Case, Entrant, Goal


class Stage:
    """A clock that only the entrants move, and a list of who was called when."""

    def __init__(self) -> None:
        self.now = 0.0
        self.called: list[str] = []

    def clock(self) -> float:
        return self.now

    def entrant(
        self,
        name: str,
        *seconds: float,
        says: object = 1.0,
        needs: str = "math",
        devices: Sequence[str] = ("cpu",),
    ) -> Entrant:
        """One that takes these seconds, call by call, the last of them for ever after."""
        left = list(seconds or (1.0,))

        def call() -> object:
            self.called.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]
            if isinstance(says, Exception):
                raise says
            return says

        return Entrant(name, needs, lambda x: call, devices=tuple(devices))


def case_of(ours: Entrant, *peers: Entrant, goals: Sequence[Goal] = (), name: str = "toy") -> Case:
    """A case whose answers are numbers that have to be equal."""
    return Case(
        name=name,
        operation="toy",
        title=f"a {name}",
        inputs=lambda device: {"x": 0},
        ours=ours,
        peers=peers,
        compare=lambda inputs, a, b: None if a == b else f"{b} where ours is {a}",
        tolerance="equal",
        verify=lambda inputs, a: "below zero" if a < 0 else None,
        goals=tuple(goals),
    )
