"""What every results table has in common: its presets, its seeds, and parts measured in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch

from mdcv.errors import check_option
from mdcv.results.measurement import Measurement

PRESETS = ("smoke", "cpu", "gpu")


def measure_all(
    parts: Sequence[Callable[..., Iterable[Measurement]]],
    preset: str,
    *,
    seeds: Sequence[int],
    device: torch.device | str,
    progress: bool,
) -> list[Measurement]:
    """The measurements of all parts of a table, one part after the other.

    Raises:
        ValueError: the preset is unknown, or there is no seed.

    >>> def part(preset, seeds, *, device, progress):
    ...     return [Measurement("ring", "GAN", "modes", seed, 8.0) for seed in seeds]
    >>> rows = measure_all([part, part], "smoke", seeds=[5], device="cpu", progress=False)
    >>> len(rows), rows[0].seed
    (2, 5)
    """
    check_option("preset", preset, PRESETS)
    if not seeds:
        raise ValueError("seeds is empty; expected at least one")
    return [row for part in parts for row in part(preset, seeds, device=device, progress=progress)]
