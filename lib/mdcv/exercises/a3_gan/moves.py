"""The last lines of a player's step, gone wrong: each takes who moves, the other, the optimizer."""

from __future__ import annotations

from typing import Any

import torch


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
