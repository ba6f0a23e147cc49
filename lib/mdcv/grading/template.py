"""The warm process that students' kernels are forked from.

It imports once what every notebook imports, runs a little of it, and then waits: a fork of it is
a kernel that is up in milliseconds. It knows nothing of the course: before it warms up, the
course's own modules are forgotten, and `mdcv` is what students may see of it.

It is started as `python -m mdcv.grading.template <descriptor>` and told the rest over that
connection. When the connection ends it ends, and everything that was forked from it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import io
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from time import monotonic, sleep
from types import ModuleType
from typing import Any

from mdcv.grading.memory import use_large_pages
from mdcv.grading.pictures import draw_once
from mdcv.grading.shell import Shell, make_shell
from mdcv.grading.student import Asker, serve
from mdcv.grading.walls import WallError, WallLimits, confine
from mdcv.grading.wire import Channel, Closed, hello

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36

#: Imported for every notebook; what is not installed is passed over.
ALWAYS = (
    *("torch", "numpy", "scipy", "matplotlib", "matplotlib.pyplot", "matplotlib_inline"),
    *("matplotlib_inline.backend_inline", "PIL.PngImagePlugin", "torch.testing"),
    *("mdcv.seeds", "pexpect"),
)


def main(descriptor: int) -> None:
    """Warms up as the grader says, then forks one kernel after another until it is told to end."""
    channel = Channel(socket.socket(fileno=descriptor))
    plan, _ = channel.receive()
    see_only(plan["library"])
    shell = make_shell()
    preload(ALWAYS)
    draw_once(shell)
    warm_up()
    asker = Asker()
    walls = plan["walls"]
    _set(_PR_SET_CHILD_SUBREAPER, 1)
    _settle()
    for _ in range(100):  # a thread that has done its work may need a moment to be gone
        if threads() > 1:
            sleep(0.01)
    channel.send({"ready": True, "threads": threads()})
    with contextlib.suppress(Closed):
        _obey(channel, shell, asker, walls, forks=plan["forks"])
    end_all()


def _obey(channel: Channel, shell: Shell, asker: Asker, walls: dict, *, forks: bool) -> None:
    while True:
        message, _, handles = channel.receive_with_handles()
        codes: list[int] = []
        if message["do"] == "preload":
            preload(message["modules"])
            rehearse(shell, message["cells"])
            _settle()
        elif message["do"] == "end":
            codes = end_all(patience=message["patience"])
        elif message["do"] == "kernel" and (not forks or os.fork() == 0):
            _become_kernel(channel, handles[0], shell, asker, walls, message, forks=forks)
        for handle in handles:
            os.close(handle)
        channel.send({"done": message["do"], "codes": codes})


def _become_kernel(channel, handle, shell, asker, walls, message, *, forks) -> None:
    """Turns this process into the kernel of one submission; never returns."""
    try:
        channel.close()
        if forks:
            os.setsid()
            _set(_PR_SET_PDEATHSIG, signal.SIGKILL)
        gc.enable()
        connection = socket.socket(fileno=handle)
        os.environ.update(message["environment"])
        shared = [path in _shared() for path in sys.path]
        sys.path.insert((*shared, True).index(True), "")  # the student's own modules
        trouble = _wall_in(walls, message["folder"], handle)
        hello(connection)
        own = Channel(connection)
        own.send({"ready": not trouble, "trouble": trouble})
        if not trouble:
            serve(own, shell, asker, forks=forks)
    except Closed:
        pass
    finally:
        os._exit(0)


def _wall_in(walls: dict, folder: str, handle: int) -> str:
    """Locks this process in; returns why it could not, or nothing. Returns in a child."""
    try:
        confine(
            walls["isolation"],
            scratch=Path(folder),
            limits=WallLimits(**walls["limits"]),
            readable=[Path(path) for path in walls["readable"]],
            keep_fds=[handle],
        )
    except WallError as error:
        return str(error)
    return ""


def see_only(library: str) -> None:
    """From here on `mdcv` is what lies in this folder, and the course's own modules are gone."""
    real = {str(Path(folder).parent) for folder in sys.modules["mdcv"].__path__}
    for name in [name for name in sys.modules if name.partition(".")[0] == "mdcv"]:
        del sys.modules[name]
    sys.path[:] = [library, *(path for path in sys.path if path and path not in real - _shared())]
    os.environ["PYTHONPATH"] = library  # for what the student starts
    # An editable installation may answer for `mdcv` before any folder is searched.
    sys.meta_path[:] = [one for one in sys.meta_path if "editable" not in repr(one)]
    importlib.invalidate_caches()


def _shared() -> set[str]:
    """Folders that hold other packages as well, and so cannot be taken off the path."""
    return {path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")}


def preload(modules: Any) -> None:
    """Imports what will be asked for; what cannot be imported is the notebook's to find out."""
    before = threads()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for name in modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    if threads() > before > 0:
        sys.stderr.write(f"a module of {', '.join(modules)} started a thread\n")


def rehearse(shell: Shell, cells: list[str]) -> None:
    """Runs the cells that an assignment came with, and forgets what they defined.

    What they import, read from disk and draw for the first time is then there for every fork.
    """
    if not cells:
        return
    before = threads()
    for source in cells:
        shell.run_one(source)
    shell.reset(new_session=True)
    if threads() > before > 0:
        sys.stderr.write("a cell of the assignment started a thread\n")


def warm_up() -> None:
    """Runs once what is slow for the first time: a backward pass, a comparison, a figure."""
    import numpy as np
    import torch

    torch.set_num_threads(1)
    leaf = torch.ones(3, requires_grad=True)
    (leaf * leaf).sum().backward()
    torch.testing.assert_close(leaf, torch.ones(3, requires_grad=True))
    torch.manual_seed(0)
    np.random.default_rng(0)
    with contextlib.suppress(ImportError):
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots()
        axes.plot([0, 1], [0, 1], label="warm")
        axes.legend()
        axes.set_title("$x^2$")
        figure.savefig(io.BytesIO(), bbox_inches="tight")
        plt.close(figure)


def _settle() -> None:
    """Everything that is here now stays; forks share it and the collector leaves it alone."""
    gc.collect()
    gc.freeze()
    use_large_pages()


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
        _LIBC.prctl(option, value, 0, 0, 0)


_LIBC: Any = ctypes.CDLL(None) if sys.platform == "linux" else ModuleType("none")

if __name__ == "__main__":
    main(int(sys.argv[1]))
