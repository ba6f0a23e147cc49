"""The processes that were forked from this one, at whatever distance, and their end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
from pathlib import Path
from time import monotonic, sleep

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def become_reaper() -> None:
    """From now on orphans below this process become its children."""
    _set(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """From now on this process is killed when the one that forked it ends."""
    _set(_PR_SET_PDEATHSIG, signal.SIGKILL)


def threads() -> int:
    """How many threads this process has, as the system counts; 0 where it does not tell."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def end_all(*, patience: float = 0.0) -> list[int]:
    """Kills everything that was forked from here, at whatever distance, and waits for its end.

    Orphans become children of this process, so that it is enough to go on until there are none.

    Args:
        patience: seconds in which they may end by themselves, and say with which code.

    Returns:
        The exit codes, as `subprocess` gives them.
    """
    end, codes = monotonic() + patience, []
    while True:
        if monotonic() >= end:
            for pid in children():
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return codes
        if ended:
            codes.append(os.waitstatus_to_exitcode(status))
        else:
            sleep(0.001)


def children() -> list[int]:
    """The process ids of the children of this process."""
    try:
        return [int(pid) for pid in Path("/proc/thread-self/children").read_text().split()]
    except OSError:
        import psutil

        return [child.pid for child in psutil.Process().children()]


def _set(option: int, value: int) -> None:
    """prctl, where the system has it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
