"""The last lines of a player's step, gone wrong, and the mistakes that either player can make.

Each of the moves takes who moves, the other player, and the optimizer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from mdcv.exercises.exercise import Mistake


def clears_before_stepping(mover: Any, other: Any, optimizer: Any) -> None:
    """Throws the new gradients away and then steps."""
    optimizer.zero_grad()
    optimizer.step()


def steps_twice(mover: Any, other: Any, optimizer: Any) -> None:
    """Steps two times on one gradient."""
    optimizer.step()
    optimizer.step()


def moves_both(mover: Any, other: Any, optimizer: Any) -> None:
    """Moves the other player as well, along the gradients that were left in it."""
    optimizer.step()
    with torch.no_grad():
        for parameter in other.parameters():
            if parameter.grad is not None:
                parameter -= 0.3 * parameter.grad
                parameter.grad = None


def leaves_in_eval(mover: Any, other: Any, optimizer: Any) -> None:
    """Leaves the player that moved in another mode."""
    optimizer.step()
    mover.eval()


def leaves_frozen(mover: Any, other: Any, optimizer: Any) -> None:
    """Leaves the other player without gradients for ever."""
    optimizer.step()
    other.requires_grad_(False)


def nothing(*anything: Any) -> None:
    """Does nothing, and answers nothing."""


def of_any_player(step: Callable[..., Callable[..., Any]]) -> tuple[Mistake, ...]:
    """The mistakes that both steps share, made from a step with replaceable pieces."""
    return (
        Mistake(
            "no_zero_grad",
            step(clear=nothing),
            "The gradient of this step contains the one of the step before: nothing clears it.",
        ),
        Mistake(
            "clears_before_stepping",
            step(move=clears_before_stepping),
            "The gradients are cleared between backward and step, so the optimizer finds nothing.",
        ),
        Mistake(
            "never_steps",
            step(move=nothing),
            "The gradients are there, but the player did not move: who calls step?",
        ),
        Mistake(
            "steps_twice",
            step(move=steps_twice),
            "The optimizer steps twice on one gradient.",
        ),
        Mistake(
            "left_in_eval_mode",
            step(move=leaves_in_eval),
            "Your step leaves a network in another mode than it found it in.",
        ),
        Mistake(
            "left_frozen",
            step(move=leaves_frozen),
            "Your step leaves a network frozen (requires_grad is off): it can never learn again.",
        ),
        Mistake("returns_nothing", step(answer=nothing)),
    )
