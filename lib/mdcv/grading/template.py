"""The warm process that students' kernels are forked from.

It imports once what every notebook imports, and then waits: a fork of it is a kernel that is up
in milliseconds. It knows nothing of the course: before it warms up, the course's own modules are
forgotten, and `mdcv` is what students may see of it.

It is started as `python -m mdcv.grading.template <descriptor>` and told the rest over that
connection. Each order is answered with the number of its threads, for only a process with one may
fork. When the connection ends it ends, and everything that was forked from it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

from mdcv.grading.memory import use_large_pages
from mdcv.grading.offspring import become_reaper, die_with_parent, end_all, threads
from mdcv.grading.rehearsal import ALWAYS, preload, rehearse, seed, warm_up
from mdcv.grading.walls import WallError, WallLimits, confine
from mdcv.grading.wire import Channel, Closed, hello

if TYPE_CHECKING:
    from collections.abc import Callable

    from mdcv.grading.shell import Shell
    from mdcv.grading.student import Asker


def main(descriptor: int) -> None:
    """Warms up as the grader says, then forks one kernel after another until it is told to end."""
    gc.disable()  # what is imported stays; looking for what does not takes as long as half of it
    import torch

    from mdcv.grading.pictures import draw_once
    from mdcv.grading.shell import make_shell
    from mdcv.grading.student import Asker, serve

    torch.set_num_threads(1)
    channel = Channel(socket.socket(fileno=descriptor))
    plan, _ = channel.receive()
    see_only(plan["library"])
    shell = make_shell()
    preload(ALWAYS)
    draw_once(shell)
    become_reaper()
    origin = Origin(shell, Asker(), serve, plan["walls"], forks=plan["forks"])
    _settle()
    channel.send({"done": "start", "threads": threads()})
    with contextlib.suppress(Closed):
        origin.obey(channel)
    end_all()
    os._exit(0)  # there is nothing to put away, and taking PyTorch apart takes half a second


@dataclass(frozen=True)
class Origin:
    """What every kernel starts with."""

    shell: Shell
    asker: Asker
    serve: Callable[..., None]
    walls: dict[str, Any]
    forks: bool

    def obey(self, channel: Channel) -> None:
        """Does what the grader orders, until it hangs up."""
        while True:
            message, _, handles = channel.receive_with_handles()
            codes: list[int] = []
            if message["do"] == "preload":
                preload(message["modules"])
                rehearse(self.shell, message["cells"])
                _settle()
            elif message["do"] == "warm":
                warm_up()
                _settle()
                use_large_pages()
            elif message["do"] == "end":
                codes = end_all(patience=message["patience"])
            elif message["do"] == "kernel" and (not self.forks or os.fork() == 0):
                self.become_kernel(channel, handles[0], message)
            for handle in handles:
                os.close(handle)
            channel.send({"done": message["do"], "codes": codes, "threads": threads()})

    def become_kernel(self, channel: Channel, handle: int, message: dict) -> None:
        """Turns this process into the kernel of one submission; never returns."""
        try:
            channel.close()
            if self.forks:
                os.setsid()
                die_with_parent()
            gc.enable()
            seed(0)
            connection = socket.socket(fileno=handle)
            os.environ.pop("TORCHINDUCTOR_CACHE_DIR", None)  # an import set it, to a folder of ours
            shared = [path in _shared() for path in sys.path]
            sys.path.insert((*shared, True).index(True), "")  # the student's own modules
            trouble = _wall_in(self.walls, message["folder"], handle)
            hello(connection)
            own = Channel(connection)
            own.send({"ready": not trouble, "trouble": trouble})
            if not trouble:
                self.serve(own, self.shell, self.asker, forks=self.forks)
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


def _settle() -> None:
    """Everything that is here now stays; forks share it and the collector leaves it alone."""
    gc.collect()
    gc.freeze()
    for _ in range(100):  # a thread that has done its work may need a moment to be gone
        if threads() <= 1:
            return
        sleep(0.01)


if __name__ == "__main__":
    main(int(sys.argv[1]))
