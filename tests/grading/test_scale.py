"""A thousand submissions through a scheduler on ports of its own, while workers come and go."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from mdcv.grading import cluster
from mdcv.grading.classroom import grade_class
from mdcv.grading.cluster import Cluster
from mdcv.grading.course import CannotRun
from mdcv.grading.gradebook import open_gradebook

pytestmark = pytest.mark.grading

distributed = pytest.importorskip("distributed")


class Site:
    """A scheduler and its workers, each a program of its own, as on a cluster."""

    def __init__(self) -> None:
        self.programs: list[subprocess.Popen] = []
        self.address = self._start(
            "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"
        )
        self.workers: list[subprocess.Popen] = []

    def _start(self, program: str, *options: str) -> str:
        command = [sys.executable, "-m", f"distributed.cli.{program}", *options]
        started = subprocess.Popen(
            [*command, "--dashboard-address", "127.0.0.1:0"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.programs.append(started)
        for line in started.stderr:  # it says where it listens
            if found := re.search(r"(?:Scheduler|worker) at:\s+(tcp://\S+)", line):
                threading.Thread(target=started.stderr.read, daemon=True).start()
                return found[1]
        raise RuntimeError(f"{program} did not start")

    def add_worker(self) -> None:
        """One more worker, which nobody replaces when it dies."""
        self._start("dask_worker", self.address, "--no-nanny", "--nthreads", "1")
        self.workers.append(self.programs[-1])

    def close(self) -> None:
        for program in reversed(self.programs):
            program.kill()
            program.wait()
            with contextlib.suppress(OSError, ValueError):
                program.stderr.close()


@pytest.fixture
def site(stand_in):
    with closing(Site()) as site:
        yield site


def hand_in_many(pupil, toy, count: int) -> None:
    """So many students; every third is wrong."""
    texts = []
    for answer in ("return x", "return 2 * x"):
        texts.append(json.dumps(pupil().answers(double=answer).notebook))
    for number in range(count):
        folder = toy.submitted / f"s{number:04}" / "toy"
        folder.mkdir(parents=True)
        (folder / "toy.ipynb").write_text(texts[number % 3 > 0])


def test_a_thousand_submissions_survive_the_death_of_one_of_two_workers(site, toy, pupil, stand_in):
    hand_in_many(pupil, toy, 1000)
    site.add_worker()
    site.add_worker()
    hands = Cluster(site.address, work=stand_in.judge)
    told = []
    for result in grade_class(toy, "toy", isolation="none", hands=hands):
        told.append(result.student)
        assert result.score == (5.0 if int(result.student[1:]) % 3 else 2.0)
        if len(told) == 500:
            os.kill(site.workers[0].pid, signal.SIGKILL)
    assert sorted(told) == [f"s{number:04}" for number in range(1000)]
    with open_gradebook(toy) as gradebook:
        rows = gradebook.find_assignment("toy").submissions
        scores = {row.student.id: row.score for row in rows}
    assert scores == {f"s{n:04}": 5.0 if n % 3 else 2.0 for n in range(1000)}


def test_real_submissions_are_graded_on_workers_as_they_are_here(site, toy, pupil, here):
    right, wrong = "return 2 * x", "import time; time.sleep(0.2); return x"
    for number in range(8):
        answers = {"double": wrong if number % 2 else right, "triple": "return 3 * x"}
        pupil().answers(**answers).hand_in(f"s{number}")
    site.add_worker()
    site.add_worker()
    results = {}
    for result in grade_class(toy, "toy", isolation="none", cluster=site.address):
        results[result.student] = result.as_json()
        if len(results) == 2:
            os.kill(site.workers[0].pid, signal.SIGKILL)
    pages = {path: path.read_bytes() for path in toy.autograded.rglob("*.ipynb")}
    again = grade_class(toy, "toy", isolation="none", again=True, hands=here())
    assert {result.student: result.as_json() for result in again} == results
    assert {path: path.read_bytes() for path in toy.autograded.rglob("*.ipynb")} == pages
    assert {entry["score"] for entry in results.values()} == {5.0, 2.0}


def test_a_scheduler_that_dies_ends_the_run_and_the_next_one_finishes_it(
    site, toy, pupil, here, stand_in
):
    hand_in_many(pupil, toy, 40)
    site.add_worker()
    hands = Cluster(site.address, work=stand_in.judge)
    told = []
    begin = time.monotonic()
    with pytest.raises(CannotRun, match=r"scheduler.*went away.*run the same command again"):
        for result in grade_class(toy, "toy", isolation="none", hands=hands):
            told.append(result.student)
            if len(told) == 10:
                site.programs[0].kill()
                site.workers[0].kill()
    assert time.monotonic() - begin < 120
    asked = []

    def work(task):
        asked.append(task.student)
        return stand_in.judge(task)

    results = list(grade_class(toy, "toy", isolation="none", hands=here(work)))
    assert len(results) == 40
    assert not set(asked) & set(told)


def test_a_scheduler_without_workers_is_waited_for_then_named(site, stand_in, monkeypatch, parcel):
    monkeypatch.setattr(cluster, "WORKER_SECONDS", 1.0)
    with closing(Cluster(site.address, work=stand_in.judge)) as hands:
        hands.begin(parcel("ada"))
        with pytest.raises(CannotRun, match="the scheduler has had no worker for 1 s"):
            hands.wait()
