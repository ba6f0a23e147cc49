"""The process that waits beside a confined one.

It passes interrupts on, ends everything when it is terminated itself or when too much memory, time
or disk is used, collects orphans, and leaves no child behind. It runs no code of a student.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

from mdcv.grading.walls.limits import status

#: Exit codes of a confined process that its guard has ended.
TOO_MUCH_MEMORY, TOO_MUCH_DISK, TOO_MUCH_TIME = 251, 252, 253

_TICKS = os.sysconf("SC_CLK_TCK")

#: The signals that a guard waits for.
EVENTS = (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM)


def block_events() -> set[signal.Signals]:
    """Keeps the signals that a guard waits for, until it asks; returns the mask before.

    Called before the fork, so that none gets lost.
    """
    return signal.pthread_sigmask(signal.SIG_BLOCK, EVENTS)


def wait_for(
    child: int, *, every: float | None = None, overuse: Callable[[], int] = lambda: 0
) -> int:
    """The exit code of the child: its own, 128 + a signal, or why it was ended.

    Args:
        child: the process to wait for. Others that end meanwhile are collected too.
        every: seconds between two looks at what is used; None never looks.
        overuse: returns 0, or the exit code with which the child is to be ended.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, EVENTS)
    while True:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == child:
                    return exit_code(ended[1])
        if every is None:
            event = signal.sigwaitinfo(EVENTS)
        else:
            event = signal.sigtimedwait(EVENTS, every)
            if event is None and (code := overuse()):
                return code
        if event is not None and event.si_signo != signal.SIGCHLD:
            interrupt = event.si_signo == signal.SIGINT
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGINT if interrupt else signal.SIGKILL)


def exit_code(status: int) -> int:
    """A wait status as a shell reports it: 128 + signal for a process that was killed."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def end_descendants() -> None:
    """Kills every process below this one and collects it, however fast they fork.

    This process is the one that orphans come to: without children, it has no descendants.
    """
    while _has_children():
        children = descendants(os.getpid())
        # All are stopped before one dies: a bomb must not use the places that become free.
        for sign in (signal.SIGSTOP, signal.SIGKILL):
            for pid in children:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, sign)
            if sign == signal.SIGSTOP and descendants(os.getpid()) != children:
                break
        else:
            with contextlib.suppress(ChildProcessError):
                while True:
                    os.waitpid(-1, 0)


def _has_children() -> bool:
    """Whether a child is left, once those that have ended are collected."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def descendants(pid: int) -> set[int]:
    """The processes that a process has started, directly or not."""
    parent_of = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parent_of[int(entry.name)] = int(fields[1])
    found, new = set(), {pid}
    while new:
        new = {child for child, parent in parent_of.items() if parent in new} - found
        found |= new
    return found


def memory_of(pids: set[int], *, shared: bool = False) -> int:
    """The bytes that belong to these processes: no files, no libraries.

    Args:
        shared: count what several of them have in common, as forks do, once and not for each of
            them. That takes long, so it is for those who seem to have too much.
    """
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = status(pid)
            own = sum(fields.get(name, 0) for name in ("RssAnon", "RssShmem", "VmSwap"))
            total += min(own, _share_of(pid)) if shared else own
    return total


def _share_of(pid: int) -> float:
    """A process's share of the memory that it uses; infinite where the system does not tell."""
    with contextlib.suppress(OSError):
        fields = status(pid, "smaps_rollup")
        if "Pss_Anon" in fields:
            return sum(fields.get(name, 0) for name in ("Pss_Anon", "Pss_Shmem", "SwapPss"))
    return float("inf")


def seconds_of(pids: set[int]) -> float:
    """The processor time of these processes and of all that they or this process have collected."""
    own = os.times()
    total = own.children_user + own.children_system
    for pid in pids:
        with contextlib.suppress(OSError, IndexError, ValueError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) / _TICKS
    return total


def bytes_below(folder: Path, *, most_files: int) -> float:
    """The bytes on disk below a folder; infinitely many if it holds more than `most_files`."""
    total, files, waiting = 0, 0, [str(folder)]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as scan:
            for entry in scan:
                files += 1
                if files > most_files:
                    return float("inf")
                with contextlib.suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    return total
