"""Where tasks are graded: in processes of this machine, or by the workers of a Dask scheduler.

For one machine the processes are ours and not Dask's: they start in half the time, listen on no
port, and when one dies it is known which task it was at. `--cluster local` is Dask's.

Both hands know three things: whether there is room for another task, to begin it, and to wait
for the next one that is done. A task whose worker died is run again elsewhere; one that takes
its workers with it again and again comes back as a fault, and the others never notice.
"""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Protocol

from mdcv.grading.course import CannotRun
from mdcv.grading.work import FAULT, Graded, Task, describe, grade_task
from mdcv.grading.worker import GOODBYE_SECONDS

if TYPE_CHECKING:
    from distributed import Client, Future

#: How often a task is begun anew after its worker died.
RETRIES = 2

#: A worker that is silent for this long beyond the limits of its task is taken for dead.
SLACK_SECONDS = 300.0

#: A scheduler answers within this time, and has a worker within the next.
CONNECT_SECONDS = 15.0
WORKER_SECONDS = 300.0

#: So often it is asked whether scheduler and workers are still there.
LOOK_SECONDS = 1.0

#: What Dask knows how to reach; anything else it would look for for half a minute.
ADDRESS = re.compile(r"((tcp|tls|ws|wss|ucx)://)?[^/\s]+:\d+")

RESUME = "What is graded stands; run the same command again to finish"


class Hands(Protocol):
    """What grades tasks, somewhere."""

    def room(self) -> bool:
        """Whether another task may begin now."""

    def begin(self, task: Task) -> None:
        """Sends a task off."""

    def wait(self) -> Graded:
        """The next one that is done, in any order.

        Raises:
            CannotRun: nobody is left who could do any.
        """

    def close(self) -> None:
        """Ends whatever still runs."""


def lost(task: Task, times: int) -> Graded:
    """A task that nobody could bring home."""
    words = f"{FAULT}: the process that graded it died {times} times"
    return Graded(task.student, failure=words)


class Processes:
    """Processes of this machine, one task at a time each.

    They die with this one: a worker whose line to the grader is cut stops what it runs, clears
    up and ends. Nobody else can speak to them, for the line is no port but a pair of sockets.
    """

    def __init__(
        self,
        jobs: int,
        work: Callable[..., Graded] = grade_task,
        prepare: Callable[[], None] | None = None,
    ):
        self._prepare, self._work, self._jobs, self._underway, self._closing = (
            prepare,
            work,
            jobs,
            0,
            False,
        )
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
                    return Graded(task.student, failure=f"{FAULT}: {error}")
        return lost(task, 1 + RETRIES)


class _Worker:
    """A process and the line to it."""

    def __init__(self, work: Callable[..., Graded], prepare: Callable[[], None] | None):
        ours, theirs = socket.socketpair()
        self._scratch = tempfile.mkdtemp(prefix="mdcv-worker-")
        call = f"serve({theirs.fileno()}, {self._scratch!r})"
        one_thread = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", f"from mdcv.grading.worker import serve; {call}"],
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
        seconds = task.limits.total_seconds + SLACK_SECONDS
        if not self._line.poll(seconds):
            raise TimeoutError(f"it was not done after {seconds:g} s")
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


class Cluster:
    """The workers of a Dask scheduler: an existing one, or one of this machine for this run.

    A scheduler that is not ours decides for itself how often a task may lose its worker. Dask
    suspects every task that was on that worker; so a suspect is tried once more, alone, when
    nothing else is underway, and only then given up.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        jobs: int = 1,
        work: Callable[..., Graded] = grade_task,
    ):
        self._work, self._name, self._address = work, uuid.uuid4().hex[:8], address
        self._done: queue.SimpleQueue[tuple[str, Future]] = queue.SimpleQueue()
        self._underway: dict[str, tuple[Task, Future]] = {}
        self._suspects: list[Task] = []
        self._alone, self._count, self._slots = False, 0, 0
        self._seen = time.monotonic()
        self._close = contextlib.ExitStack()
        try:
            self._client = self._connect(address, jobs)
        except (OSError, ValueError, TimeoutError) as error:
            self._close.close()
            raise CannotRun(f"no scheduler answers at {address}: {describe(error)}") from error
        self._look()

    def _connect(self, address: str | None, jobs: int) -> Client:
        try:
            import dask
            from distributed import Client, LocalCluster
        except ImportError as error:
            raise CannotRun(
                f"{error.name} is not installed; pip install -e '.[cluster]' brings it"
            ) from error
        if address is not None and not ADDRESS.fullmatch(address):
            raise ValueError("expected an address such as tcp://host:8786")
        settings = {"distributed.admin.large-graph-warning-threshold": "1GB"}
        if address is None:
            settings |= {
                "distributed.scheduler.allowed-failures": 1,
                "distributed.scheduler.http.routes": [],  # no pages about this run, for nobody
                "distributed.worker.http.routes": [],
            }
        self._close.enter_context(dask.config.set(settings))
        if address is None:
            cluster = LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                memory_limit=0,  # the walls limit memory; Dask would stop at a share of it
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                security=True,  # certificates of this run: nobody else can hand it work
                silence_logs=50,
            )
            self._close.callback(cluster.close, timeout=GOODBYE_SECONDS)
            address = cluster
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        self._close.callback(client.close, timeout=GOODBYE_SECONDS)
        return client

    def room(self) -> bool:
        """Whether a worker would have to wait for its next task."""
        return not self._alone and len(self._underway) < max(2, 2 * self._slots)

    def begin(self, task: Task) -> None:
        """Hands a task to the scheduler."""
        self._count += 1
        key = f"mdcv-{self._name}-{self._count}"
        future = self._client.submit(self._work, task, key=key, pure=False)
        self._underway[key] = (task, future)
        future.add_done_callback(functools.partial(self._note, key))

    def _note(self, key: str, future: Future) -> None:
        self._done.put((key, future))

    def wait(self) -> Graded:
        """The next one that is done."""
        while True:
            if not self._underway and self._suspects:
                self._alone = True
                self.begin(self._suspects.pop())
            if time.monotonic() - self._looked > LOOK_SECONDS:
                self._look()
            try:
                key, future = self._done.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                continue
            task, _ = self._underway.pop(key)
            done = self._outcome(task, future)
            if done is not None:
                self._alone = False
                return done

    def _outcome(self, task: Task, future: Future) -> Graded | None:
        """What came of a task; None when it has to be tried again."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker

        try:
            return future.result(timeout=CONNECT_SECONDS)
        except KilledWorker:
            if self._alone:
                return lost(task, 2)
            self._suspects.append(task)
        except (CancelledError, TimeoutError, OSError):
            # A result lies with the worker until it is fetched, and was lost with it.
            self._look()
            self.begin(task)
        except Exception as error:
            raise CannotRun(f"the workers cannot grade: {describe(error)}. {RESUME}") from error
        return None

    def _look(self) -> None:
        """Whether scheduler and workers are still there, and how many."""
        self._looked = time.monotonic()
        try:
            self._slots = sum(self._client.nthreads().values())
        except Exception as error:
            words = f"the scheduler {self._address or ''} went away: {describe(error)}"
            raise CannotRun(f"{words}. {RESUME}") from error
        if self._slots:
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > WORKER_SECONDS:
            raise CannotRun(f"the scheduler has had no worker for {WORKER_SECONDS:g} s. {RESUME}")

    def close(self) -> None:
        """Leaves an existing cluster; ends one of ours."""
        for _, future in self._underway.values():
            with contextlib.suppress(Exception):
                future.cancel()
        with contextlib.suppress(Exception):
            self._close.close()
