"""The workers of a Dask scheduler, on this machine or on many."""

from __future__ import annotations

import contextlib
import functools
import queue
import re
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from mdcv.grading.course import CannotRun
from mdcv.grading.scheduling import RESUME, late, lost, patience
from mdcv.grading.work import Graded, Task, describe, grade_task
from mdcv.grading.worker import GOODBYE_SECONDS

if TYPE_CHECKING:
    from distributed import Client, Future

#: A scheduler answers within this time, and has a worker within the next.
CONNECT_SECONDS = 15.0
WORKER_SECONDS = 300.0

#: So often it is asked whether scheduler and workers are still there.
LOOK_SECONDS = 1.0

#: What Dask knows how to reach; anything else it would look for for half a minute.
ADDRESS = re.compile(r"((tcp|tls|ws|wss|ucx)://)?[^/\s]+:\d+")


class Cluster:
    """The workers of a Dask scheduler: an existing one, or one of this machine for this run.

    A scheduler that is not ours decides for itself how often a task may lose its worker. Dask
    suspects every task that was on that worker; so a suspect is tried once more, alone, when
    nothing else is underway, and only then given up. Nor does Dask stop a task that never ends;
    its worker is left to it, and the run goes on with the others.
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
        #: By key the task, what will come of it, and when that is late.
        self._underway: dict[str, tuple[Task, Future, float]] = {}
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
        # A task may wait for the one before it, at the same worker.
        self._underway[key] = (task, future, time.monotonic() + 2 * patience(task))
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
            if (key := self._overdue()) is not None:
                task, future, _ = self._underway.pop(key)
                future.cancel(force=True)
                self._alone = False
                return late(task)
            try:
                key, future = self._done.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                continue
            if key not in self._underway:  # given up before, and done all the same
                continue
            task, *_ = self._underway.pop(key)
            done = self._outcome(task, future)
            if done is not None:
                self._alone = False
                return done

    def _overdue(self) -> str | None:
        """A task that should have been done long ago."""
        now = time.monotonic()
        return next((key for key, (_, _, end) in self._underway.items() if end < now), None)

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
        for _, future, _ in self._underway.values():
            with contextlib.suppress(Exception):
                future.cancel()
        with contextlib.suppress(Exception):
            self._close.close()
