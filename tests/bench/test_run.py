"""Fresh processes: their environment, their results, their death."""

from __future__ import annotations

import sys

import pytest
from bench import run as running
from bench.catalog import CASES
from bench.measure import FAILED, SKIPPED
from bench.run import THREAD_VARIABLES, environment, work

SETTING = {"device": "cpu", "threads": 1, "quick": True}
#: A process that does what its jobs are called.
TOY_WORKER = """
import json, os, sys
print("ready", flush=True)
for job in sys.argv[4:]:
    if job == CASE:
        print("no more", file=sys.stderr, flush=True)
        os._exit(7)
    print(json.dumps({"job": job, "threads": os.environ["OMP_NUM_THREADS"]}), flush=True)
"""


@pytest.fixture
def toy_worker(monkeypatch):
    """The process that measures, replaced by one that dies on the first case of the catalog."""
    deadly = next(iter(CASES))
    code = TOY_WORKER.replace("CASE", repr(deadly))
    monkeypatch.setattr(running, "WORKER", (sys.executable, "-c", code))
    return deadly


def test_every_library_is_told_the_number_of_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    told = environment(3)
    assert {told[name] for name in THREAD_VARIABLES} == {"3"}
    assert "OMP_NUM_THREADS" in THREAD_VARIABLES and "MKL_NUM_THREADS" in THREAD_VARIABLES


def test_results_come_in_order_from_a_process_with_its_threads(toy_worker):
    found = list(work(["a", "b"], **SETTING))
    assert found == [(job, {"job": job, "threads": "1"}) for job in ("a", "b")]


def test_a_process_that_dies_costs_its_case_only(toy_worker):
    found = dict(work(["a", toy_worker, "b"], **SETTING))
    assert list(found) == ["a", toy_worker, "b"]
    ours, *peers = found[toy_worker]["entrants"]
    assert ours["status"] == FAILED
    assert ours["reason"] == "its process ended with status 7: no more"
    assert {peer["status"] for peer in peers} == {SKIPPED}


def test_a_process_that_cannot_start_ends_the_run(monkeypatch):
    command = (sys.executable, "-c", "raise ImportError('torch is broken')")
    monkeypatch.setattr(running, "WORKER", command)
    with pytest.raises(RuntimeError, match="did not start: ImportError: torch is broken"):
        list(work(["a"], **SETTING))


def test_curves_follow_the_first_setting_only_and_the_floor_is_for_gpus(monkeypatch):
    asked = []

    def work(jobs, *, device, threads, quick):
        asked.append((threads, list(jobs)))
        for job in jobs:
            yield job, {"points": []} if job.startswith("curve:") else {"name": job}

    monkeypatch.setattr(running, "work", work)
    nms = [name for name, case in CASES.items() if case.operation == "nms"]
    results = running.run(["nms"], device="cpu", threads=[1, 2])
    assert asked == [(1, [*nms, "curve:nms"]), (2, nms)]
    assert [run["threads"] for run in results["runs"]] == [1, 2]
    assert [case["name"] for case in results["runs"][1]["cases"]] == nms
    assert results["curves"] == [{"points": []}] and results["floor"] is None

    asked.clear()
    monkeypatch.setattr(running, "describe", lambda device: {"gpu": device})
    results = running.run(["chamfer_distance"], device="cuda", threads=[2], curves=False)
    names = ["chamfer-backward-16x2048", "chamfer-forward-32x2048"]
    assert asked == [(2, [*names, "floor"])] and results["floor"] == {"name": "floor"}
