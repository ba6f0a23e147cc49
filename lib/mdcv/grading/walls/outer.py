"""The outer wall: the process that forks sees no more than its forks, and a little of this library.

It runs no code of a student, so nothing depends on this wall; it is there for the day on which the
inner one has a hole. Bubblewrap builds it where it is installed. Where it is not, the process is
an ordinary one with a clean environment.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from mdcv.grading.walls import view
from mdcv.grading.walls.attempt import attempt
from mdcv.grading.walls.readable import LIBRARY, WALLS, python_environment
from mdcv.grading.walls.wall import Isolation


class Launched(subprocess.Popen):
    """A started process; a signal to it reaches all that it has started and not locked in.

    What is locked in dies with the process that forked it.
    """

    def send_signal(self, sig: int) -> None:
        """Sends a signal to the process group."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, sig)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)


def launch(
    argv: Sequence[str],
    *,
    isolation: Isolation,
    readable: Iterable[Path],
    scratch: Path,
    environment: Mapping[str, str],
    pass_fds: Sequence[int] = (),
) -> Launched:
    """The started process that will fork and `confine`, with bubblewrap around it if there is one.

    Should the grader be killed, nothing tells this process but the end of its control channel: it
    has to end itself when that is closed.

    Args:
        argv: the command line; its first word is a path.
        isolation: "full" asks for the outer wall; the others start it as it is.
        readable: all that it may read. The rest of this library is hidden from it.
        scratch: an existing folder, the only one it may write to and its working directory. The
            scratch folders of its forks belong in there.
        environment: the environment variables, all of them.
        pass_fds: open files that it inherits, under the same numbers.

    Raises:
        OSError: the program is not there, or the system has no room for another process.
    """
    command = list(argv)
    program = bubblewrap() if isolation == "full" else None
    if program is not None:
        command = [program, *bubblewrap_options(readable, scratch), "--", *command]
    return Launched(
        command,
        env=dict(environment),
        cwd=scratch,
        pass_fds=tuple(pass_fds),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def bubblewrap_options(readable: Iterable[Path], scratch: Path) -> list[str]:
    """Bubblewrap's command line for a view of these files, one writable folder and no network."""
    options = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    options += ["--unshare-cgroup-try", "--hostname", "mdcv"]
    # Root's rights inside are what its forks need for namespaces of their own; they give them up.
    options += ["--cap-add", "ALL"] if os.geteuid() == 0 else ["--unshare-user"]
    covers = []
    for step in view.plan(readable=readable, hidden=[LIBRARY]):
        if step.make == "folder":
            options += ["--perms", "0755", "--dir", step.path]
        elif step.make == "link":
            options += ["--symlink", step.target, step.path]
        elif step.make == "show":
            options += ["--ro-bind", step.target or step.path, step.path]
        else:
            options += ["--perms", "0755", "--tmpfs", step.path]
            covers.append(step.path)
    for cover in covers:
        options += ["--remount-ro", cover]
    options += ["--proc", "/proc", "--dev", "/dev"]
    place = os.path.realpath(scratch)
    for parent in [*reversed(Path(place).parents)][1:]:
        options += ["--perms", "0755", "--dir", str(parent)]
    return [*options, "--bind", place, place, "--chdir", place]


def bubblewrap() -> str | None:
    """The path of a bubblewrap behind which the inner walls still go up, or None."""
    return shutil.which("bwrap") if bubblewrap_obstacle() is None else None


@cache
def bubblewrap_obstacle() -> str | None:
    """Why there is no bubblewrap round the process that forks, in words; None when there is."""
    program = shutil.which("bwrap")
    if program is None:
        return "bubblewrap is not installed; on Debian and Ubuntu: sudo apt install bubblewrap"
    with tempfile.TemporaryDirectory(prefix="mdcv-") as folder:
        options = bubblewrap_options([*python_environment(), *WALLS], Path(folder))
        around = [program, *options, "--"]
        return attempt("full", scratch=Path(folder), around=around)
