"""The other end of the line: a process that grades one task after another.

It is started as a program of its own, and imports little before it has heard what to do.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import shutil
import sys
import threading
import time
from multiprocessing.connection import Connection

#: A worker that was told to stop has this long to put away what it works on.
GOODBYE_SECONDS = 10.0


def start_quickly() -> None:
    """Leaves out what notebooks never need and what takes a second to import.

    jsonschema compiles a grammar of international addresses; the schema of notebooks has none.
    """
    sys.modules.setdefault("rfc3987_syntax", None)


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
            prepare()

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
