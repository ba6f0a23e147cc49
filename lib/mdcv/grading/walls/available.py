"""Which walls this machine can put up, found out by putting them up."""

from __future__ import annotations

from functools import cache

from mdcv.grading.walls.attempt import attempt
from mdcv.grading.walls.wall import Isolation


@cache
def obstacle(isolation: Isolation) -> str | None:
    """What keeps this machine from the isolation, in words; None when it works.

    >>> obstacle("none")
    """
    return None if isolation == "none" else attempt(isolation)


def best_isolation() -> Isolation:
    """The strongest isolation that works on this machine: "full", "basic" or "none"."""
    if obstacle("full") is None:
        return "full"
    return "basic" if obstacle("basic") is None else "none"
