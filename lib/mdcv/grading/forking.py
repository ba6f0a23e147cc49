"""The process that kernels are forked from, as the grader holds it; `template` is its inside.

Orders wait in line: the first may be given while the process still warms up, and what was
ordered in advance is done by the time somebody needs it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any

import mdcv
from mdcv.grading.course import CannotRun
from mdcv.grading.kernel import Kernel
from mdcv.grading.leftovers import RUN_MARK, kill_leftovers
from mdcv.grading.template_folder import TemplateFolder
from mdcv.grading.walls import (
    LIBRARY,
    WALLS,
    Isolation,
    WallLimits,
    launch,
    python_environment,
)
from mdcv.grading.wire import Channel, Closed, Late, Malformed, ask_for_sender, sender_of_next

#: Seconds until a template is warm, and until a kernel says hello, on a busy machine.
WARM_SECONDS, HELLO_SECONDS = 180.0, 60.0

#: Set to 1, kernels are not forked, as on systems where that is not safe.
NO_FORK = "MDCV_NO_FORK"

#: What of the grader's environment a kernel is told.
KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT")

#: The modules of this room that the template is made of.
_OWN = (
    *("__init__", "measuring", "memory", "offspring", "pictures", "rehearsal"),
    *("shell", "student", "template", "tensors", "wire"),
)
_OWN_FILES = (
    LIBRARY / "__init__.py",
    *(LIBRARY / "grading" / f"{name}.py" for name in _OWN),
)

#: This one and every later submission are worth the time that a template needs to warm up fully.
WORTH_IT = 2


class CannotStart(Exception):
    """No kernel came up; the message says why."""


def may_fork() -> bool:
    """Whether kernels are forked here: on Linux, unless it is switched off."""
    return sys.platform == "linux" and os.environ.get(NO_FORK, "") in ("", "0")


class Template:
    """A warm process, and its folder.

    Args:
        isolation: the walls round its kernels.
        forks: whether they are forked; otherwise each is a process of its own. It turns false
            when the process has more than one thread.
    """

    def __init__(self, isolation: Isolation, *, forks: bool) -> None:
        self.isolation, self.forks = isolation, forks
        self.run_mark = uuid.uuid4().hex
        self.loaded: set[str] = set()
        self.rehearsed: set[tuple[str, ...]] = set()
        self._process: subprocess.Popen | None = None
        self._control: Channel | None = None
        self._unanswered = 0
        self._known = 0
        self._place = TemplateFolder()
        self.folder, self.scratch = self._place.path, self._place.scratch
        try:
            if forks:
                self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        """Starts the process; it answers when it is warm."""
        self._control, there = Channel.pair()
        there.socket.setblocking(True)
        try:
            number = there.fileno()
            self._process = launch(
                [sys.executable, "-P", "-m", "mdcv.grading.template", str(number)],
                isolation=self.isolation,
                readable=[*self._readable(), *_OWN_FILES, *WALLS],
                scratch=self.scratch,
                environment=self._environment(),
                pass_fds=[number],
            )
        except OSError as error:
            raise CannotStart("the process that kernels come from does not start") from error
        finally:
            there.close()
        self._unanswered = 0
        library = str(self._place.view)
        self._send({"library": library, "forks": self.forks, "walls": self._walls()})

    def _readable(self) -> list[Path]:
        return [*python_environment(), self._place.view, self._place.settings]

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return {
            **kept,
            RUN_MARK: self.run_mark,
            "PYTHONPATH": str(Path(mdcv.__file__).parents[1]),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(self.scratch),
            "TMPDIR": str(self.scratch),
            "IPYTHONDIR": str(self.scratch / ".ipython"),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "MPLCONFIGDIR": str(self._place.settings),
            "NBGRADER_EXECUTION": "autograde",
            # Several submissions share the machine, one core each, and a process with several
            # threads may not fork.
            **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")},
            "OMP_THREAD_LIMIT": "1",
        }

    def _walls(self) -> dict[str, Any]:
        return {
            "isolation": self.isolation,
            "readable": [str(path) for path in self._readable()],
            "limits": asdict(WallLimits()),
        }

    @property
    def pid(self) -> int:
        """The process that kernels are forked from; 0 before there is one."""
        return self._process.pid if self._process is not None else 0

    @property
    def alive(self) -> bool:
        """Whether another kernel can come from here."""
        return self._process is None or self._process.poll() is None

    def preload(self, modules: set[str], cells: tuple[str, ...] = ()) -> None:
        """Imports what the notebooks of an assignment will ask for, once for all of them.

        It is not waited for: the next kernel comes after it.

        Args:
            modules: their names.
            cells: code that the assignment came with, to be run once for practice; never a word
                of a student's.
        """
        missing, fresh = sorted(modules - self.loaded), cells not in self.rehearsed
        self.loaded |= modules
        self.rehearsed.add(cells)
        if (missing or (cells and fresh)) and self.forks:
            self._send({"do": "preload", "modules": missing, "cells": cells if fresh else ()})

    def kernel(self, folder: Path) -> Kernel:
        """A fresh kernel with this working directory.

        Raises:
            CannotStart: none came up.
        """
        self._answers()
        if not self.forks:
            self.end_all()
            self._start()
            self._answers()
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ask_for_sender(here)
        order = {"do": "kernel", "folder": str(folder)}
        try:
            with there:
                self._send(order, handles=[there.fileno()])
            if self.forks:
                self._answers()
            else:
                self._unanswered = 0  # it has become the kernel, and obeys no more
            pid = sender_of_next(here, HELLO_SECONDS) or self._process.pid
            channel = Channel(here)
            ready, _ = channel.receive(seconds=HELLO_SECONDS)
        except (Closed, Late, Malformed, OSError, CannotStart) as error:
            here.close()
            raise CannotStart(f"a kernel died before it was ready: {error}") from error
        if ready.get("trouble"):
            here.close()
            raise CannotRun(f"the walls round a kernel cannot be put up: {ready['trouble']}")
        return Kernel(channel, pid)

    def end_all(self, *, patience: float = 0.0) -> list[int]:
        """Ends every process that came from here but the template itself.

        Args:
            patience: seconds in which they may end by themselves.

        Returns:
            Exit codes, of the guard that waits beside a kernel for one; see `walls`.
        """
        if self.forks:
            with contextlib.suppress(CannotStart):
                self._send({"do": "end", "patience": patience})
                return self._answers()["codes"]
        elif self._process is not None:
            self._stop(patience)
            kill_leftovers(self.run_mark)
            return [self._process.returncode]
        return []

    def _send(self, order: dict[str, Any], *, handles: tuple | list = ()) -> None:
        """Gives an order; the process gets to it when it has done those before."""
        try:
            self._control.send(order, handles=handles, seconds=WARM_SECONDS)
            self._unanswered += 1
        except (Closed, Late) as error:
            self._stop()
            raise CannotStart("the process that kernels come from has died") from error

    def _answers(self) -> dict[str, Any]:
        """Waits until every order is carried out; returns what was said of the last one."""
        answer: dict[str, Any] = {}
        try:
            while self._unanswered:
                self._unanswered -= 1
                answer, _ = self._control.receive(seconds=WARM_SECONDS)
                self.forks = self.forks and answer["threads"] <= 1
        except (Closed, Late, Malformed) as error:
            self._stop()
            raise CannotStart("the process that kernels come from has died") from error
        return answer

    def place(self) -> Path:
        """An empty folder for the next submission."""
        self._known += 1
        if self._known == WORTH_IT and self.forks:
            self._send({"do": "warm"})
        folder = self.scratch / str(self._known)
        folder.mkdir()
        return folder

    def _stop(self, patience: float = 0.0) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            patience = 5.0 if self.forks and not self._unanswered else max(0.01, patience)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=patience)
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Ends the template and whatever came from it, and removes its folder."""
        self._stop()
        kill_leftovers(self.run_mark)
        self._place.remove()
