"""A trial: does a process get behind the walls on this machine?"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mdcv.grading.walls.readable import LIBRARY

_TRIAL = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from mdcv.grading.walls import WallError, WallLimits, confine
child = os.fork()
if child == 0:
    try:
        confine(sys.argv[2], scratch=Path.cwd(), limits=WallLimits(), readable=[], keep_fds=[1])
    except WallError as error:
        os.write(1, str(error).encode())
        os._exit(1)
    os._exit(0)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def attempt(
    isolation: str, *, scratch: Path | None = None, around: Sequence[str] = ()
) -> str | None:
    """What went wrong when a small process was confined, in words; None when nothing did.

    Args:
        isolation: the walls to try.
        scratch: an empty folder to work in; None makes one and removes it.
        around: a command that runs the rest of its command line.
    """
    if scratch is None:
        with tempfile.TemporaryDirectory(prefix="mdcv-") as folder:
            return attempt(isolation, scratch=Path(folder), around=around)
    python = [sys.executable, "-I", "-S", "-c", _TRIAL]
    command = [*around, *python, str(LIBRARY.parent), isolation]
    try:
        done = subprocess.run(
            command, cwd=scratch, stdin=subprocess.DEVNULL, capture_output=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the attempt did not end well: {error}"
    if done.returncode == 0:
        return None
    lines = os.fsdecode(done.stdout or done.stderr).strip().splitlines()
    return lines[-1] if lines else f"the attempt ended with code {done.returncode}"
