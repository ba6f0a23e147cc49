"""What the times say: medians, quartiles, ratios, and whether a goal is met."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from bench.measure import TIMED

MET, MISSED, OPEN = "met", "missed", "not judged"


@dataclass(frozen=True)
class Spread:
    """The middle of the times and the half of them around it, in seconds."""

    median: float
    low: float
    high: float


def spread(seconds: list[float]) -> Spread:
    """The median and both quartiles.

    >>> spread([3.0, 1.0, 2.0, 4.0, 5.0])
    Spread(median=3.0, low=2.0, high=4.0)
    """
    if len(seconds) < 2:
        return Spread(seconds[0], seconds[0], seconds[0])
    low, median, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return Spread(median, low, high)


def ratios(record: dict) -> dict[str, float]:
    """How many times as long as ours each peer took, by medians; the fastest peer first."""
    ours, *peers = record["entrants"]
    if ours["status"] != TIMED:
        return {}
    own = spread(ours["seconds"]).median
    times = {p["name"]: spread(p["seconds"]).median for p in peers if p["status"] == TIMED}
    return {name: times[name] / own for name in sorted(times, key=times.get)}


def judge(record: dict) -> tuple[str, str]:
    """Whether one of the alternative goals of a case is met, and a reason where it is not.

    An alternative names peers, and the fastest of them counts. A missing peer might be that one,
    so without it the alternative can be missed but not met.
    """
    verdicts = [_judge_one(goal, record) for goal in record["goals"]]
    for wanted in (MET, MISSED, OPEN):
        reasons = [reason for verdict, reason in verdicts if verdict == wanted]
        if reasons:
            return wanted, "" if wanted == MET else "; ".join(dict.fromkeys(reasons))
    return "", ""


def _judge_one(goal: dict, record: dict) -> tuple[str, str]:
    ours, *peers = record["entrants"]
    if ours["status"] != TIMED:
        return OPEN, f"mdcv {ours['status']}"
    measured = ratios(record)
    short = [name for name in goal["peers"] if measured.get(name, goal["times"]) < goal["times"]]
    if short:
        return MISSED, ", ".join(f"{measured[name]:.3g}x {name}" for name in short)
    status = {peer["name"]: peer["status"] for peer in peers}
    missing = [name for name in goal["peers"] if name not in measured]
    if missing:
        return OPEN, ", ".join(f"{name} {status.get(name, 'not asked')}" for name in missing)
    return MET, ""
