"""Tasks reach somebody who grades them, and come back whatever happens on the way."""

from __future__ import annotations

import os
import signal
import stat
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from mdcv.grading import cluster, processes, scheduling
from mdcv.grading.cluster import Cluster
from mdcv.grading.course import CannotRun
from mdcv.grading.processes import Processes

pytestmark = pytest.mark.grading


def grade_all(hands, tasks) -> dict[str, object]:
    """What comes back for every task, by student."""
    waiting, found, underway = list(tasks), {}, 0
    while waiting or underway:
        while waiting and hands.room():
            hands.begin(waiting.pop(0))
            underway += 1
        graded = hands.wait()
        assert graded.student not in found
        found[graded.student] = graded
        underway -= 1
    return found


@pytest.fixture(params=["processes", "dask"])
def hands(request, stand_in):
    """Two workers of each kind."""
    if request.param == "processes":
        made = Processes(2, stand_in.judge)
    else:
        pytest.importorskip("distributed")
        made = Cluster(jobs=2, work=stand_in.judge)
    with closing(made):
        yield made


def test_every_task_comes_back_once(hands, parcel):
    found = grade_all(hands, [parcel(f"s{number}") for number in range(20)])
    assert sorted(found) == sorted(f"s{number}" for number in range(20))
    assert all(graded.marks["double"].score == 3.0 for graded in found.values())


def test_a_task_whose_worker_died_is_run_again(hands, tmp_path, parcel):
    tasks = [parcel(f"s{number}") for number in range(6)]
    tasks.insert(2, parcel("unlucky", f"return 2 * x  # perish unless {tmp_path / 'flag'}"))
    found = grade_all(hands, tasks)
    assert found["unlucky"].marks["double"].score == 3.0
    assert len(found) == 7


def test_a_task_that_always_kills_its_worker_is_given_up_and_costs_nobody_else(hands, parcel):
    tasks = [parcel(f"s{number}") for number in range(8)]
    tasks.insert(3, parcel("goran", "return 2 * x  # die"))
    found = grade_all(hands, tasks)
    assert "died" in found["goran"].failure and not found["goran"].marks
    assert [s for s, graded in found.items() if graded.failure] == ["goran"]


def test_processes_end_with_the_one_that_hired_them(stand_in, parcel):
    before = set(psutil.Process().children(recursive=True))
    hands = Processes(2, stand_in.judge)
    hands.begin(parcel("slow", "return 2 * x  # sleep 0.2"))
    hands.wait()
    ours = set(psutil.Process().children(recursive=True)) - before
    assert len(ours) == 2
    folders = [Path(worker._scratch) for worker in hands._workers]
    assert all(folder.is_dir() for folder in folders)
    hands.close()
    assert not any(process.is_running() for process in ours)
    assert not any(folder.exists() for folder in folders)


def test_another_user_gets_through_the_folder_of_a_process_but_cannot_list_it(stand_in):
    with closing(Processes(1, stand_in.judge)) as hands:
        assert stat.S_IMODE(os.stat(hands._workers[0]._scratch).st_mode) == 0o711


def test_a_process_whose_grader_was_killed_ends_by_itself(stand_in, parcel):
    hands = Processes(1, stand_in.judge)
    hands.begin(parcel("quick"))
    hands.wait()
    process = psutil.Process(hands._workers[0]._process.pid)
    hands._workers[0].cut()
    process.wait(timeout=10.0)
    assert not Path(hands._workers[0]._scratch).exists()
    hands.close()


def test_a_process_that_never_answers_is_taken_for_dead(stand_in, monkeypatch, parcel):
    monkeypatch.setattr(scheduling, "SLACK_SECONDS", 0.2)
    with closing(Processes(1, stand_in.judge)) as hands:
        hands.begin(parcel("stuck", "# sleep 30", seconds=0.3))
        assert "it was not done after 0.5 s" in hands.wait().failure


def test_a_task_that_never_ends_on_a_cluster_is_given_up_and_costs_nobody_else(
    stand_in, monkeypatch, parcel
):
    pytest.importorskip("distributed")
    monkeypatch.setattr(scheduling, "SLACK_SECONDS", 1.0)
    with closing(Cluster(jobs=2, work=stand_in.judge)) as hands:
        tasks = [parcel(f"s{number}", seconds=60.0) for number in range(4)]
        tasks.insert(1, parcel("stuck", "# sleep 60", seconds=0.5))
        found = grade_all(hands, tasks)
    assert "it was not done after 1.5 s" in found["stuck"].failure
    assert [s for s, graded in found.items() if graded.failure] == ["stuck"]


def test_processes_that_cannot_start_are_no_students_fault(stand_in, monkeypatch, parcel):
    monkeypatch.setattr(processes.sys, "executable", "/bin/false")
    with closing(Processes(1, stand_in.judge)) as hands:
        hands.begin(parcel("ada"))
        with pytest.raises(CannotRun, match=r"processes do not start.*run the same command again"):
            hands.wait()


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    with pytest.raises(CannotRun, match=r"no scheduler answers at tcp://127\.0\.0\.1:1"):
        Cluster("tcp://127.0.0.1:1")


@pytest.mark.parametrize("address", ["", "here", "tcp://host", "carrier://host:1", "tcp://h o:1"])
def test_an_address_that_is_none_is_refused_at_once(address):
    pytest.importorskip("distributed")
    with pytest.raises(CannotRun, match="expected an address such as tcp://host:8786"):
        Cluster(address)


def test_an_interrupt_of_the_keyboard_is_for_the_grader_alone(stand_in, parcel):
    with closing(Processes(1, stand_in.judge)) as hands:
        hands.begin(parcel("ada"))
        hands.wait()
        pid = hands._workers[0]._process.pid
        assert os.getpgid(pid) != os.getpgid(0)


def test_a_dead_worker_is_replaced(stand_in, parcel):
    with closing(Processes(1, stand_in.judge)) as hands:
        hands.begin(parcel("ada"))
        hands.wait()
        os.kill(hands._workers[0]._process.pid, signal.SIGKILL)
        time.sleep(0.1)
        hands.begin(parcel("ben"))
        assert hands.wait().marks["double"].score == 3.0
