"""Processes of this machine, each grading one task after another."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from mdcv.grading.course import CannotRun
from mdcv.grading.scheduling import RESUME, late, lost, patience
from mdcv.grading.worker import GOODBYE_SECONDS, grade

if TYPE_CHECKING:
    from mdcv.grading.work import Graded, Task

#: How often a task is begun anew after its worker died.
RETRIES = 2


class Processes:
    """Processes of this machine, one task at a time each.

    They die with this one: a worker whose line to the grader is cut stops what it runs, clears
    up and ends. Nobody else can speak to them, for the line is no port but a pair of sockets.
    """

    def __init__(
        self,
        jobs: int,
        work: Callable[..., Graded] = grade,
        prepare: Callable[[], None] | None = None,
    ):
        self._prepare, self._work, self._jobs = prepare, work, jobs
        self._underway, self._closing = 0, False
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Graded | Exception] = queue.SimpleQueue()
        self._workers: list[_Worker] = [_Worker(work, prepare) for _ in range(jobs)]
        self._threads = [
            threading.Thread(target=self._serve, args=(number,), daemon=True)
            for number in range(jobs)
        ]
        for thread in self._threads:
            thread.start()

    def room(self) -> bool:
        """Whether somebody is free, or would have to wait for their next one."""
        return self._underway < 2 * self._jobs

    def begin(self, task: Task) -> None:
        """Puts a task in the queue."""
        self._underway += 1
        self._tasks.put(task)

    def wait(self) -> Graded:
        """The next one that is done."""
        done = self._done.get()
        self._underway -= 1
        if isinstance(done, Exception):
            raise done
        return done

    def close(self) -> None:
        """Cuts the lines, and kills whoever has not ended a moment later."""
        self._closing = True
        for _ in self._threads:
            self._tasks.put(None)
        for worker in self._workers:
            worker.cut()
        end = time.monotonic() + GOODBYE_SECONDS
        for worker in self._workers:
            worker.bury(max(0.0, end - time.monotonic()))
        for thread in self._threads:
            thread.join(timeout=1.0)

    def _serve(self, number: int) -> None:
        """One thread a worker: hands it a task, waits, and replaces it when it dies."""
        while (task := self._tasks.get()) is not None:
            try:
                self._done.put(self._one(number, task))
            except CannotRun as error:
                self._done.put(error)

    def _one(self, number: int, task: Task) -> Graded:
        for attempt in range(1 + RETRIES):
            worker = self._workers[number]
            try:
                return worker.do(task)
            except (EOFError, OSError) as error:
                worker.bury(0.0)
                if self._closing:
                    break
                if not worker.ready and attempt == RETRIES:
                    words = f"the grader's processes do not start: {worker.last_words()}"
                    raise CannotRun(f"{words}. {RESUME}") from None
                self._workers[number] = _Worker(self._work, self._prepare)
                if isinstance(error, TimeoutError):
                    return late(task)
        return lost(task, 1 + RETRIES)


class _Worker:
    """A process and the line to it."""

    def __init__(self, work: Callable[..., Graded], prepare: Callable[[], None] | None):
        ours, theirs = socket.socketpair()
        self._scratch = tempfile.mkdtemp(prefix="mdcv-worker-")
        os.chmod(self._scratch, 0o711)  # a kernel may run as another user, and works in there
        # What is registered first is done last; taking PyTorch apart would take half a second.
        end = "import atexit, os; atexit.register(os._exit, 0)"
        call = f"from mdcv.grading.worker import serve; serve({theirs.fileno()}, {self._scratch!r})"
        one_thread = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", f"{end}; {call}"],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **one_thread, "TMPDIR": self._scratch},
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,  # an interrupt from the keyboard is for the grader alone
            )
        self._line = Connection(ours.detach())
        self._words, self.ready = b"", False
        with contextlib.suppress(OSError):  # who has died by now is found out with the first task
            self._line.send((work, prepare))
        threading.Thread(target=self._listen, daemon=True).start()

    def do(self, task: Task) -> Graded:
        """Waits for the task to be done.

        Raises:
            TimeoutError: it takes longer than its limits allow.
            EOFError, OSError: the process died.
        """
        if not self.ready:
            self._line.recv()  # it has imported what it needs
            self.ready = True
        self._line.send(task)
        if not self._line.poll(patience(task)):
            raise TimeoutError
        return self._line.recv()

    def cut(self) -> None:
        """The process ends as soon as it has put away what it works on."""
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._line.fileno())) as end:
            end.shutdown(socket.SHUT_RDWR)

    def bury(self, seconds: float) -> None:
        """Waits so long for the process to end, then kills it, and clears up after it."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._line.close()
        end = time.monotonic() + GOODBYE_SECONDS
        while os.path.exists(self._scratch) and time.monotonic() < end:
            shutil.rmtree(self._scratch, ignore_errors=True)
            time.sleep(0.01)  # its kernels end in a moment too, and may still write

    def last_words(self) -> str:
        """The last line it wrote to stderr."""
        lines = self._words.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "they say nothing"

    def _listen(self) -> None:
        """Keeps the end of what it says; otherwise its pipe would fill and stop it."""
        with self._process.stderr as words:
            while chunk := words.read1():
                self._words = (self._words + chunk)[-10_000:]
