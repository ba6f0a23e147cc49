"""One measured number, and what several seeds say together."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import NamedTuple


class Measurement(NamedTuple):
    """One number of one training run.

    Attributes:
        data: what the model was trained on.
        model: its name.
        measure: what was measured, with its unit.
        seed: of the weights, the batches and the samples.
        value: the number.
    """

    data: str
    model: str
    measure: str
    seed: int
    value: float


class Summary(NamedTuple):
    """The mean over the seeds, and how far they spread: the sample's standard deviation.

    A single seed has no spread: it is NaN, not 0.
    """

    data: str
    model: str
    measure: str
    mean: float
    spread: float
    seeds: int


def summarize(measurements: Iterable[Measurement]) -> list[Summary]:
    """A line for every model and measure, in the order in which they came first.

    >>> modes = {0: 8.0, 1: 6.0}
    >>> runs = [Measurement("ring", "GAN", "modes", seed, modes[seed]) for seed in modes]
    >>> summarize(runs)[0].mean, summarize(runs)[0].seeds
    (7.0, 2)
    """
    groups: dict[tuple[str, str, str], list[float]] = {}
    for one in measurements:
        groups.setdefault((one.data, one.model, one.measure), []).append(one.value)
    return [
        Summary(
            *key,
            mean=statistics.fmean(values),
            spread=statistics.stdev(values) if len(values) > 1 else float("nan"),
            seeds=len(values),
        )
        for key, values in groups.items()
    ]
