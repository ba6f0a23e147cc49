"""Kernels for strangers: each a fork of one warm template, or a fresh process where none may fork.

A template serves one submission at a time. It is kept for the next one, and ends with this
process at the latest, together with everything that was forked from it.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from multiprocessing.util import Finalize
from pathlib import Path
from typing import IO, Any

import mdcv
from mdcv.grading.course import CannotRun
from mdcv.grading.kernel import Kernel
from mdcv.grading.leftovers import RUN_MARK, kill_leftovers
from mdcv.grading.student_view import build_view
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

#: How the folder of a template is called.
PREFIX = "mdcv-kernels-"

#: What of the grader's environment a kernel is told.
KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT")

#: What of this library the template is made of.
_OWN_FILES = (
    LIBRARY / "__init__.py",
    *(
        LIBRARY / "grading" / f"{name}.py"
        for name in (
            "__init__",
            "memory",
            "pictures",
            "shell",
            "student",
            "template",
            "tensors",
            "wire",
        )
    ),
)


class CannotStart(Exception):
    """No kernel came up; the message says why."""


def may_fork() -> bool:
    """Whether kernels are forked here: on Linux, unless it is switched off."""
    return sys.platform == "linux" and os.environ.get(NO_FORK, "") in ("", "0")


class Template:
    """A warm process and its folder: `view` (the student's mdcv) and `scratch`."""

    def __init__(self, isolation: Isolation, *, forks: bool) -> None:
        self.isolation, self.forks = isolation, forks
        remove_forgotten()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        (self.folder / "lock").touch()
        self._lock = _locked(self.folder)
        self.folder.chmod(0o711)  # a kernel may run as another user
        self.view = build_view(self.folder / "view")
        self.settings = _settings(self.folder / "settings")
        self.scratch = self.folder / "scratch"
        self.scratch.mkdir()
        self.run_mark = uuid.uuid4().hex
        self.loaded: set[str] = set()
        self.rehearsed: set[tuple[str, ...]] = set()
        self._process: subprocess.Popen | None = None
        self._control: Channel | None = None
        self._known = 0
        try:
            if forks:
                self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        """Starts the process and waits until it is warm."""
        here, there = Channel.pair()
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
            there.close()
            here.send({"library": str(self.view), "forks": self.forks, "walls": self._walls()})
            ready, _ = here.receive(seconds=WARM_SECONDS)
            self.forks = self.forks and ready["threads"] <= 1
            self._control = here
        except (Closed, Late, Malformed, OSError) as error:
            here.close()
            raise CannotStart("the process that kernels come from did not get ready") from error
        finally:
            there.close()

    def _readable(self) -> list[Path]:
        return [*python_environment(), self.view, self.settings]

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
            "MPLCONFIGDIR": str(self.settings),
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

        Args:
            modules: their names.
            cells: code that the assignment came with, to be run once for practice; never a word
                of a student's.
        """
        missing, fresh = sorted(modules - self.loaded), cells not in self.rehearsed
        self.loaded |= modules
        self.rehearsed.add(cells)
        if (missing or (cells and fresh)) and self.forks:
            order = {"do": "preload", "modules": missing, "cells": cells if fresh else ()}
            self._order(order, seconds=WARM_SECONDS)

    def kernel(self, folder: Path, environment: dict[str, str]) -> Kernel:
        """A fresh kernel with this working directory.

        Raises:
            CannotStart: none came up.
        """
        if not self.forks:
            self.end_all()
            self._start()
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ask_for_sender(here)
        order = {"do": "kernel", "folder": str(folder), "environment": environment}
        try:
            with there:
                if self.forks:
                    self._order(order, handles=[there.fileno()])
                else:
                    self._control.send(order, handles=[there.fileno()])
            pid = sender_of_next(here, HELLO_SECONDS) or self._process.pid
            channel = Channel(here)
            ready, _ = channel.receive(seconds=HELLO_SECONDS)
        except (Closed, Late, Malformed, OSError) as error:
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
        codes: list[int] = []
        if self.forks:
            with contextlib.suppress(CannotStart):
                codes = self._order({"do": "end", "patience": patience})["codes"]
        elif self._process is not None:
            self._stop(patience)
            codes = [self._process.returncode]
            kill_leftovers(self.run_mark)
        return codes

    def _order(
        self,
        message: dict[str, Any],
        handles: tuple | list = (),
        *,
        seconds: float = HELLO_SECONDS,
    ) -> dict[str, Any]:
        try:
            self._control.send(message, handles=handles, seconds=seconds)
            return self._control.receive(seconds=seconds)[0]
        except (Closed, Late, Malformed) as error:
            self._stop()
            raise CannotStart("the process that kernels are forked from has died") from error

    def place(self) -> Path:
        """An empty folder for the next submission."""
        self._known += 1
        folder = self.scratch / str(self._known)
        folder.mkdir()
        return folder

    def _stop(self, patience: float = 0.0) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5 if self.forks else max(0.01, patience))
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Ends the template and whatever came from it, and removes its folder."""
        self._stop()
        kill_leftovers(self.run_mark)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()


def _settings(folder: Path) -> Path:
    """A folder for matplotlib with the list of fonts that it would else make anew, for seconds."""
    folder.mkdir()
    with contextlib.suppress(Exception):
        import matplotlib

        for path in Path(matplotlib.get_cachedir()).glob("fontlist*.json"):
            shutil.copy(path, folder)
    return folder


def _locked(folder: Path) -> IO[bytes] | None:
    """The lock of a template's folder, taken; None when somebody holds it or there is none."""
    lock = None
    try:
        lock = open(folder / "lock", "rb")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lock
    except OSError:
        if lock is not None:
            lock.close()
        return None


def remove_forgotten() -> None:
    """Removes the folders of templates whose grader was killed before it could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        lock = _locked(folder)
        if lock is not None:
            with lock:
                shutil.rmtree(folder, ignore_errors=True)


_idle: list[Template] = []
_lock = threading.Lock()
_owner = os.getpid()


@contextlib.contextmanager
def warm_template(isolation: Isolation) -> Iterator[Template]:
    """A template for one submission: one that is warm already, or a new one.

    Raises:
        CannotStart: none could be started.
    """
    forks = may_fork()
    template = _take(isolation, forks)
    try:
        yield template
    except BaseException:
        template.close()
        raise
    template.end_all()
    if template.alive and template.forks == forks:
        with _lock:
            _idle.append(template)
    else:
        template.close()


def _take(isolation: Isolation, forks: bool) -> Template:
    global _owner
    with _lock:
        if _owner != os.getpid():  # a fork of the grader must not use its parent's
            _idle.clear()
            _owner = os.getpid()
        fitting = [one for one in _idle if (one.isolation, one.forks) == (isolation, forks)]
        for template in fitting[:1]:
            _idle.remove(template)
            if template.alive:
                return template
            template.close()
    return Template(isolation, forks=forks)


@atexit.register
def end_templates() -> None:
    """Ends every template that waits; those at work end with their submission."""
    with _lock:
        if _owner == os.getpid():
            while _idle:
                _idle.pop().close()


# Processes that were started by multiprocessing end without `atexit`.
Finalize(None, end_templates, exitpriority=10)
