"""The whole run: cases in fresh processes, one per thread setting, into one record."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

from bench.catalog import CASES, CURVES
from bench.machine import describe
from bench.measure import FAILED, SKIPPED

ROOT = Path(__file__).parent.parent

#: Where libraries read how many threads to start.
THREAD_VARIABLES = (
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    *("NUMBA_NUM_THREADS", "RAYON_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
)

#: The process that measures.
WORKER = (sys.executable, "-P", "-m", "bench.worker")
#: The first line of a process that has loaded everything.
READY = "ready"


def run(
    operations: Sequence[str],
    *,
    device: str,
    threads: Sequence[int],
    quick: bool = False,
    curves: bool = True,
    tell: Callable[[str, int, dict], None] = lambda job, threads, result: None,
) -> dict:
    """All there is about these operations: machine, versions, every single time.

    Args:
        threads: the settings, one after the other.
        quick: a few rounds only.
        curves: whether to follow the growing sizes too, with the first setting.
        tell: hears each job, its threads and its result when it is there.
    """
    begin, machine = time.monotonic(), describe(device)
    kind = device.partition(":")[0]
    asked = [case for case in CASES.values() if case.operation in operations]
    cases = [case.name for case in asked if kind in case.devices]
    extras = [f"curve:{c.name}" for c in CURVES.values() if curves and c.operation in operations]
    if kind == "cuda" and "chamfer_distance" in operations:
        extras.append("floor")
    found: dict[int, dict[str, dict]] = {}
    for count in threads:
        jobs = cases if found else cases + extras
        found[count] = {}
        for job, result in work(jobs, device=device, threads=count, quick=quick):
            found[count][job] = result
            tell(job, count, result)
    first = found[threads[0]]
    return {
        "date": date.today().isoformat(),
        "commit": _commit(),
        "quick": quick,
        "device": device,
        "machine": machine,
        "minutes": round((time.monotonic() - begin) / 60, 1),
        "runs": [
            {"threads": count, "cases": [found[count][name] for name in cases]} for count in threads
        ],
        "curves": [first[job] for job in extras if "points" in first[job]],
        "floor": first.get("floor"),
    }


def work(
    jobs: Sequence[str], *, device: str, threads: int, quick: bool
) -> Iterator[tuple[str, dict]]:
    """Each job with its result, as they come.

    When the process dies on a job, the result says so, and a new process goes on with the next.
    """
    left = list(jobs)
    while left:
        command = [*WORKER, device, str(threads), "quick" if quick else "full", *left]
        with (
            tempfile.TemporaryFile("w+") as errors,
            subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment(threads),
            ) as worker,
        ):
            ready = worker.stdout.readline().strip() == READY
            for line in worker.stdout:
                yield left.pop(0), json.loads(line)
            status = worker.wait()
            errors.seek(0)
            last_words = (errors.read().strip().splitlines() or ["no word"])[-1]
        if not ready:
            raise RuntimeError(f"the measuring process did not start: {last_words}")
        if left:
            job = left.pop(0)
            yield job, died(job, f"its process ended with status {status}: {last_words}")


def environment(threads: int) -> dict[str, str]:
    """The environment of a process whose libraries start so many threads."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    counts = dict.fromkeys(THREAD_VARIABLES, str(threads))
    return {**os.environ, **counts, "PYTHONPATH": os.pathsep.join(paths)}


def died(job: str, reason: str) -> dict:
    """The record of a case that nobody lived to time; of another job, the reason alone."""
    if job not in CASES:
        return {"died": reason}
    case = CASES[job]
    records = [
        {"name": entrant.name, "status": SKIPPED, "reason": "", "seconds": []}
        for entrant in (case.ours, *case.peers)
    ]
    records[0] |= {"status": FAILED, "reason": reason}
    return case.as_record(records)


def _commit() -> str | None:
    """The commit that was measured, marked where files differ from it."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--exclude=*"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return described.stdout.strip()
