"""The other end of the line: a process that grades one task after another.

It is started as a program of its own, and imports little before it has heard what to do.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import queue
import shutil
import sys
import threading
import time
from multiprocessing.connection import Connection
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mdcv.grading.walls import Isolation
    from mdcv.grading.work import Graded, Task

#: A worker that was told to stop has this long to put away what it works on.
GOODBYE_SECONDS = 10.0

#: What nbgrader imports for Jupyter's server, and with it a server and half of nbgrader.
_SERVER = ("assignment_list", "course_list", "formgrader", "validate_assignment")

#: What the first task would else have to wait for.
_NEEDED = ("mdcv.grading.execution", "mdcv.exercises.judging", "nbgrader.utils")


def start_quickly() -> None:
    """Leaves out what no command of ours needs and what takes a second to import.

    jsonschema compiles a grammar of international addresses; the schema of notebooks has none.
    nbgrader registers pages with a server that is none of ours.
    """
    sys.modules.setdefault("rfc3987_syntax", None)
    if "nbgrader" not in sys.modules:
        for name in _SERVER:
            sys.modules.setdefault(f"nbgrader.server_extensions.{name}", _Nothing(name))


class _Nothing(ModuleType):
    """In the place of a module: whatever is imported from it is None."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


def prepare(isolation: Isolation) -> None:
    """Gets a worker ready while it still waits for its first task; whatever fails is told then.

    While its template warms up, it imports what judging and marking need.
    """
    from mdcv.grading.warm import warm_template

    with contextlib.suppress(Exception), warm_template(isolation):
        for name in _NEEDED:
            importlib.import_module(name)


def grade(task: Task, stop: threading.Event) -> Graded:
    """Grades one task."""
    from mdcv.grading.work import grade_task

    return grade_task(task, stop)


def serve(handle: int, scratch: str) -> None:
    """A worker's life: takes tasks from a line and sends back what came of them.

    Args:
        handle: of the line.
        scratch: the folder for everything temporary; it goes with the worker.
    """
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    stop, tasks = threading.Event(), queue.SimpleQueue()
    with Connection(handle) as line:
        start_quickly()
        work, prepare = line.recv()
        line.send("ready")
        if prepare is not None:
            gc.disable()  # what is imported stays; looking for what does not takes its time
            prepare()
            gc.freeze()
            gc.enable()

        def listen() -> None:
            with contextlib.suppress(EOFError, OSError):
                while True:
                    tasks.put(line.recv())
            stop.set()
            tasks.put(None)
            time.sleep(GOODBYE_SECONDS)
            shutil.rmtree(scratch, ignore_errors=True)
            os._exit(1)  # whatever it works on does not let go

        threading.Thread(target=listen, daemon=True).start()
        while (task := tasks.get()) is not None:
            done = work(task, stop)
            if stop.is_set():
                return
            line.send(done)
