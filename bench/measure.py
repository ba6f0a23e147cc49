"""Times the entrants of a case in turns, after making sure that their answers agree."""

from __future__ import annotations

import gc
import importlib
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

from bench.case import Case, Curve, Entrant, Inputs

#: What can come of an entrant. Only a timed one has a ratio.
TIMED, ABSENT, FAILED, DISAGREES, SKIPPED = "timed", "absent", "failed", "disagrees", "skipped"

#: On a curve, a peer that takes longer than this (in seconds) is not asked for the next size.
SLOW = 1.0

Call = Callable[[], Any]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Plan:
    """How long to measure: rounds go on until `seconds` are over, within these bounds."""

    least: int = 5
    most: int = 51
    seconds: float = 4.0
    #: How many calls one time is the mean of; several hide the launch of GPU kernels.
    calls: int = 1

    def over(self, rounds: int, elapsed: float) -> bool:
        """Whether that is enough. Slow cases get by with three rounds."""
        least = self.least if elapsed < 4 * self.seconds else min(self.least, 3)
        return rounds >= self.most or (rounds >= least and elapsed >= self.seconds)


FULL = Plan()
#: For trying things out: few rounds, the same sizes.
QUICK = Plan(least=3, most=5, seconds=0.3)


class CannotTakePart(Exception):
    """An entrant has no time in this case."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status, self.reason = status, reason


def measure(
    case: Case, device: torch.device, plan: Plan, *, clock: Clock = time.perf_counter
) -> dict:
    """The record of one case: who took part, who did not and why, and every single time.

    Each entrant is called once to warm up and to hear its answer. Whoever agrees with ours is then
    timed in turns, one time each per round, and each round begins with another one.
    """
    inputs = case.inputs(device)
    records = {
        entrant.name: {"name": entrant.name, "status": TIMED, "reason": "", "seconds": []}
        for entrant in (case.ours, *case.peers)
    }
    calls, ours = {}, None
    for entrant in (case.ours, *case.peers):
        try:
            if entrant is not case.ours and case.ours.name not in calls:
                raise CannotTakePart(SKIPPED, "nothing of ours to compare with")
            call, answer = warm_up(entrant, inputs, device)
            if entrant is case.ours:
                ours, fault = answer, case.verify(inputs, answer)
            else:
                fault = case.compare(inputs, ours, answer)
            if fault:
                raise CannotTakePart(DISAGREES, fault)
            calls[entrant.name] = call
        except CannotTakePart as trouble:
            records[entrant.name] |= {"status": trouble.status, "reason": trouble.reason}
    for name, seconds in take_turns(calls, plan, wait=_wait_for(device), clock=clock).items():
        records[name]["seconds"] = seconds
    return case.as_record(list(records.values()))


def warm_up(entrant: Entrant, inputs: Inputs, device: torch.device) -> tuple[Call, Any]:
    """The call to time, made once, and its answer.

    Raises:
        CannotTakePart: it is not for this device, cannot be imported, or fails.
    """
    if device.type not in entrant.devices:
        raise CannotTakePart(SKIPPED, f"not asked on {device.type}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a peer's notes to itself
        try:
            importlib.import_module(entrant.needs)
        except Exception as error:  # a broken installation raises anything
            raise CannotTakePart(ABSENT, in_one_line(error)) from error
        try:
            call = entrant.prepare(**inputs)
            returned = call()
            _wait_for(device)()
        except ImportError as error:
            raise CannotTakePart(ABSENT, in_one_line(error)) from error
        except Exception as error:
            raise CannotTakePart(FAILED, in_one_line(error)) from error
    return call, entrant.answer(returned)


def in_one_line(error: BaseException) -> str:
    """The kind of error and the first line of its message."""
    lines = str(error).strip().splitlines() or ["no message"]
    return f"{type(error).__name__}: {lines[0]}"


def take_turns(
    calls: Mapping[str, Call],
    plan: Plan,
    *,
    wait: Call = lambda: None,
    clock: Clock = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds per call of every entrant, round by round, with garbage collection off."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    with _no_collection(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start, rounds = clock(), 0
        while names and not plan.over(rounds, clock() - start):
            first = rounds % len(names)
            for name in names[first:] + names[:first]:
                wait()
                begin = clock()
                for _ in range(plan.calls):
                    calls[name]()
                wait()
                times[name].append((clock() - begin) / plan.calls)
            rounds += 1
    return times


def follow(
    curve: Curve,
    device: torch.device,
    plan: Plan,
    *,
    largest: int,
    clock: Clock = time.perf_counter,
) -> dict:
    """The record of a curve: its case at every size up to the largest.

    A peer that is slow at one size, or has no time there, is not asked for the next.
    """
    points, left_behind = [], set()
    for size in curve.sizes:
        if size > largest:
            break
        case = curve.case(size)
        in_time = tuple(peer for peer in case.peers if peer.name not in left_behind)
        entrants = measure(replace(case, peers=in_time), device, plan, clock=clock)["entrants"]
        left_behind |= {
            one["name"] for one in entrants if not one["seconds"] or min(one["seconds"]) > SLOW
        }
        points.append({"size": size, "entrants": entrants})
    return {
        "name": curve.name,
        "operation": curve.operation,
        "title": curve.title,
        "counts": curve.counts,
        "points": points,
    }


def _wait_for(device: torch.device) -> Call:
    """What returns when the device has done all it was given."""
    return torch.cuda.synchronize if device.type == "cuda" else lambda: None


@contextmanager
def _no_collection() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
