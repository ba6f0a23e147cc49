"""Behind the walls: what works, how it ends, and that nothing is left."""

from __future__ import annotations

import ast
import os
import signal
import time
from pathlib import Path

import pytest

from mdcv.grading.walls import TOO_MUCH_DISK, TOO_MUCH_MEMORY, TOO_MUCH_TIME, WallLimits, confine

from .conftest import LIMITS, Prison, skip_without


def processes_named(text: str) -> list[int]:
    """The processes that have a text in their command line."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if text.encode() in (folder / "cmdline").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                pass
    return found


def daemons(prison) -> list[int]:
    """What is left of a prison's daemons; those that are dying have a moment for it."""
    deadline = time.monotonic() + 3
    while (found := processes_named(prison.world["marker"] + "-daemon")) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.02)
    return found


@pytest.fixture
def full():
    """Full isolation, where it works."""
    return skip_without("full")


@pytest.fixture
def basic():
    """Basic isolation, where it works."""
    return skip_without("basic")


def look_around(prison, wall) -> dict:
    return ast.literal_eval(prison.ask("behavior", "look_around", wall)["evidence"])


def test_students_work_goes_on_as_usual(prison, wall):
    assert prison.ask("behavior", "work_as_students_do", wall)["evidence"] == "'all of it'"


def test_several_processes_work_behind_full_walls(prison, full):
    answer = prison.ask("behavior", "use_several_processes", full)
    assert answer["evidence"] == "[1, 2]"


def test_it_stands_in_an_empty_folder_of_its_own(prison, wall):
    seen = look_around(prison, wall)
    assert Path(seen["folder"]).parent == Path(prison.world["scratch"])
    assert seen["home"] == seen["temporary"] == seen["folder"]
    assert seen["files"] == [] and seen["session"]


def test_only_the_named_file_is_open_and_the_streams_lead_nowhere(prison, wall):
    seen = look_around(prison, wall)
    assert seen["streams"] == ["/dev/null"] * 3
    assert len(seen["open"]) == 4  # with the listing's own, or the pipe's end


def test_root_becomes_a_stranger_and_an_ordinary_user_stays(prison, wall):
    user = look_around(prison, wall)["user"]
    assert user == prison.user if prison.user else user > 60_000


def test_every_process_of_root_is_another_stranger(prison, wall):
    if prison.user:
        pytest.skip("ordinary users have one number only")
    assert look_around(prison, wall)["user"] != look_around(prison, wall)["user"]


def test_the_guard_ends_with_the_code_of_what_is_inside(prison, wall):
    assert prison.ask("behavior", "exit_with_seven", wall)["code"] == 7


def test_the_guard_tells_which_signal_killed(prison, wall):
    assert prison.ask("behavior", "kill_itself", wall)["code"] == 128 + signal.SIGKILL


@pytest.mark.parametrize("delay", ["", "guard.memory_of"], ids=["in time", "late"])
def test_the_guard_tells_that_there_was_too_much_memory(prison, wall, delay):
    # What is taken before a late guard looks must not count as there from the start. New memory
    # can cost a second of computing by itself, which must not end the process first.
    limits = LIMITS | {"cpu_seconds": 30}
    answer = prison.ask("limits", "touch_much_shared_memory", wall, delay=delay, limits=limits)
    assert answer["code"] == TOO_MUCH_MEMORY


def test_memory_that_forks_have_in_common_counts_once(prison, wall):
    answer = prison.ask("behavior", "share_memory_with_many_processes", wall)
    assert answer.get("evidence") == "True", answer


def test_the_guard_tells_that_there_was_too_much_computing(prison, wall):
    assert prison.ask_once("limits", "compute_in_two_processes", wall)["code"] == TOO_MUCH_TIME


def test_the_guard_tells_that_there_was_too_much_on_disk(prison, basic):
    assert prison.ask_once("limits", "write_many_files", basic)["code"] == TOO_MUCH_DISK


def test_a_scratch_folder_in_memory_is_full_at_its_size(prison, full):
    answer = prison.ask_once("limits", "write_many_files", full)
    assert answer["error"].startswith("OSError: [Errno 28] No space left")


def test_an_interrupt_of_the_guard_reaches_the_code_inside(prison, wall):
    answer = prison.ask("behavior", "wait_to_be_interrupted", wall, signal=signal.SIGINT)
    assert answer["evidence"] == "'interrupted'"


def test_what_ignores_interrupts_is_ended_through_its_guard(prison, wall):
    begin = time.monotonic()
    answer = prison.ask("behavior", "ignore_interrupts", wall, signal=signal.SIGTERM)
    assert answer["code"] == 128 + signal.SIGKILL and time.monotonic() - begin < 4


def test_no_daemon_outlives_the_code_that_started_it(prison, wall):
    assert prison.ask("behavior", "leave_daemons_behind", wall)["evidence"] == "'they run'"
    assert daemons(prison) == []


def test_no_daemon_outlives_a_guard_that_is_told_to_end(prison, wall):
    asked = {"signal": signal.SIGTERM}
    prison.ask("behavior", "leave_daemons_behind_and_hang", wall, **asked)
    assert daemons(prison) == []


def test_nothing_outlives_the_process_that_forked(prison, wall):
    doomed = Prison(prison.user, prison.python)
    try:
        doomed.tell("behavior", "leave_daemons_behind_and_hang", wall)
        deadline = time.monotonic() + 5
        while len(processes_named(doomed.world["marker"] + "-daemon")) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        doomed.template.kill()
        assert daemons(doomed) == []
    finally:
        doomed.tear_down()


def test_daemons_would_outlive_it_without_walls(prison):
    prison.ask("behavior", "leave_daemons_behind", "none")
    left = processes_named(prison.world["marker"] + "-daemon")
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert len(left) == 3


@pytest.mark.parametrize(
    "step",
    [
        "namespaces.enter",
        "namespaces.build_view",
        "limits.apply",
        "landlock.restrict",
        "seccomp.install",
        "syscalls.prctl",
    ],
)
def test_a_wall_that_cannot_be_put_up_stops_everything(prison, full, step):
    answer = prison.ask("behavior", "look_around", full, sabotage=step)
    assert "inside" not in answer and "evidence" not in answer
    assert answer.get("error", "WallError").startswith("WallError")


def test_rights_that_cannot_be_given_up_stop_everything(prison, wall):
    step = "namespaces.drop_capabilities" if prison.user else "namespaces.become"
    answer = prison.ask("behavior", "look_around", wall, sabotage=step)
    assert answer["error"] == "WallError: giving up rights failed: [Errno 1] sabotage"


def large_files(prison) -> int:
    """How many large files lie in the scratch folders on disk."""
    return len(list(Path(prison.world["scratch"]).glob("*/large")))


def test_mounts_and_scratch_folders_are_as_before(prison, full):
    before, files = Path("/proc/self/mountinfo").read_text(), large_files(prison)
    answer = prison.ask(
        "limits", "write_a_large_file", full, limits={**LIMITS, "file_bytes": 9 << 20}
    )
    assert answer["evidence"] == str(3 << 20)
    assert Path("/proc/self/mountinfo").read_text() == before
    assert large_files(prison) == files


def test_an_unknown_isolation_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'strong'; expected 'full', 'basic' or 'none'"):
        confine("strong", scratch=tmp_path, limits=WallLimits(), readable=[])


def test_no_isolation_only_changes_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    confine("none", scratch=tmp_path, limits=WallLimits(), readable=[])
    assert Path.cwd() == tmp_path
