"""What one submission may use of the machine. (The walls have limits of their own.)"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one submission may use."""

    cell_seconds: float = 60.0
    total_seconds: float = 900.0
    #: After an interrupt a cell has this long to give in before its kernel is killed.
    grace_seconds: float = 5.0
    #: Characters of text that one cell may leave behind; an outcome record always fits.
    output_characters: int = 200_000
