"""Which walls this machine can put up, found out by putting them up."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

from mdcv.grading.walls.readable import LIBRARY
from mdcv.grading.walls.wall import Isolation

_ATTEMPT = """
import sys, tempfile
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from mdcv.grading.walls import WallError, WallLimits, confine
folder = Path(tempfile.mkdtemp(prefix="mdcv-"))
import os
child = os.fork()
if child == 0:
    try:
        confine(sys.argv[2], scratch=folder, limits=WallLimits(), readable=[], keep_fds=[1])
    except WallError as error:
        os.write(1, str(error).encode())
        os._exit(1)
    os._exit(0)
_, status = os.waitpid(child, 0)
os.rmdir(folder)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@cache
def obstacle(isolation: Isolation) -> str | None:
    """What keeps this machine from the isolation, in words; None when it works.

    >>> obstacle("none")
    """
    if isolation == "none":
        return None
    command = [sys.executable, "-I", "-S", "-c", _ATTEMPT, str(LIBRARY.parent), isolation]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the attempt did not end well: {error}"
    if done.returncode == 0:
        return None
    return done.stdout.strip() or f"the attempt ended with code {done.returncode}"


def best_isolation() -> Isolation:
    """The strongest isolation that works on this machine: "full", "basic" or "none"."""
    if obstacle("full") is None:
        return "full"
    return "basic" if obstacle("basic") is None else "none"
