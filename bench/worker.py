"""One process with one thread setting: measures what it is told, one line of JSON per result.

    python -m bench.worker DEVICE THREADS full|quick JOB ...

A job is the name of a case, `curve:` and the name of a curve, or `floor`. The process that asks
sets the environment variables that libraries read their number of threads from: see `bench.run`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace

import torch

from bench.catalog import CASES, CURVES
from bench.floor import chamfer_floor
from bench.measure import FULL, QUICK, Plan, follow, measure
from bench.run import READY

#: On a GPU, the mean of so many calls is one time.
CALLS_ON_GPU = 10
#: The largest size on a curve that is only tried out.
QUICK_SIZE = 10_000


def main(arguments: list[str]) -> None:
    """Does the jobs in order and writes each result when it is there."""
    device_name, threads, pace, *jobs = arguments
    device, quick = torch.device(device_name), pace == "quick"
    torch.set_num_threads(int(threads))
    plan = QUICK if quick else FULL
    if device.type == "cuda":
        plan = replace(plan, calls=CALLS_ON_GPU)
        torch.cuda.set_device(device)
    # Standard output is for results alone: what a peer prints goes to standard error.
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(READY, file=results, flush=True)
    for job in jobs:
        json.dump(_do(job, device, plan, quick), results)
        results.write("\n")
        results.flush()


def _do(job: str, device: torch.device, plan: Plan, quick: bool) -> dict:
    kind, _, name = job.rpartition(":")
    if kind == "curve":
        largest = QUICK_SIZE if quick else sys.maxsize
        return follow(
            CURVES[name], device, replace(plan, least=3, seconds=plan.seconds / 4), largest=largest
        )
    if job == "floor":
        return chamfer_floor(32, 2048, device)
    return measure(CASES[name], device, plan)


if __name__ == "__main__":
    main(sys.argv[1:])
