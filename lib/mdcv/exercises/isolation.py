"""Keeps a call apart: a thread of its own, a time limit, and global state put back afterwards.

Each call runs in a daemon thread, which also keeps thread-local switches (gradient mode, inference
mode, default device) from leaking into the next call: a thread in which one of them was left in
another position gets no more work. What is global (default dtype, determinism) is put back after
each call, and random states at the end. A call that does not return is told to stop and left
behind.

This guards against accidents, not against attacks: code that ends the process, or that never
gives the interpreter back, needs the walls of the grading room.
"""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import os
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch


class Stopped(BaseException):
    """Raised inside a call that did not return in time."""


class _Worker:
    """A daemon thread that runs one piece of work after another, each in a context of its own."""

    def __init__(self) -> None:
        self.pid, self.left_behind = os.getpid(), False
        self._work: Callable[[], object] | None = None
        # Taken, until something begins or ends.
        self._begin, self._ended = threading.Lock(), threading.Lock()
        self._begin.acquire()
        self._ended.acquire()
        self.clean = True
        self.thread = threading.Thread(target=self._serve, daemon=True, name="mdcv-answer")
        self.thread.start()

    def begin(self, work: Callable[[], None]) -> None:
        """Lets the work begin."""
        self._work = partial(contextvars.copy_context().run, work)
        self._begin.release()

    def wait(self, limit: float) -> bool:
        """Whether the work ended within so many seconds."""
        return self._ended.acquire(timeout=limit)

    def _serve(self) -> None:
        try:
            switches = _switches()
            while self.clean and not self.left_behind:
                self._begin.acquire()
                with contextlib.suppress(BaseException):
                    self._work()
                self._work = None
                self.clean = _switches() == switches
                self._ended.release()
        except BaseException:
            self.clean = False
            self._ended.release()


def _switches() -> tuple[object, ...]:
    """What can be switched for one thread alone: gradients, modes, devices, threads, tracing."""
    return (
        *(torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_num_threads()),
        *(torch._C._len_torch_function_stack(), torch._C._len_torch_dispatch_stack()),
        torch._C._dispatch_tls_local_include_set().raw_repr(),
        torch._C._dispatch_tls_local_exclude_set().raw_repr(),
        *(sys.gettrace(), sys.getprofile()),
    )


#: Threads that have nothing to do.
_idle: list[_Worker] = []


def _worker() -> _Worker:
    """A thread that waits for work; those of a process that this one was forked from are gone."""
    while _idle:
        worker = _idle.pop()
        if worker.pid == os.getpid() and worker.thread.is_alive():
            return worker
    return _Worker()


def end_idle_threads() -> None:
    """Ends the threads that wait; a process that will be forked has none but its own."""
    while _idle:
        worker = _idle.pop()
        worker.left_behind = True
        worker.begin(lambda: None)
        worker.thread.join()


def run_in_thread(work: Callable[[], None], limit: float) -> bool:
    """Runs the work in a daemon thread; False when it did not end in time and was left behind.

    A thread that got little of a busy machine has twice the time.
    """
    worker = _worker()
    before = _seconds_of_work(worker.thread)
    worker.begin(work)
    try:
        in_time = worker.wait(limit)
        if not in_time and _seconds_of_work(worker.thread) - before < 0.5 * limit:
            in_time = worker.wait(limit)
    except BaseException:  # the user interrupts: the call must end as well
        _leave_behind(worker)
        raise
    if not in_time:
        _leave_behind(worker)
    elif worker.clean:
        _idle.append(worker)
    return in_time


def _leave_behind(worker: _Worker) -> None:
    worker.left_behind = True
    _stop(worker.thread)


def _seconds_of_work(worker: threading.Thread) -> float:
    """Processor time that a thread has used; infinite where the system does not tell."""
    try:
        return time.clock_gettime(time.pthread_getcpuclockid(worker.ident or 0))
    except (AttributeError, OSError):
        return float("inf")


def _stop(worker: threading.Thread) -> None:
    """Raises `Stopped` inside a thread until it ends; gives up on it after a few seconds.

    A thread that does no work (it sleeps, or waits for a lock) cannot take the exception, and is
    not sent one: under a debugger or coverage, Python 3.11 lets every other thread spin while an
    exception waits to be taken.
    """

    def insist() -> None:
        seen = _seconds_of_work(worker)
        worker.join(0.01)
        for _ in range(40):
            if not worker.is_alive():
                return
            used = _seconds_of_work(worker)
            if used > seen or used == float("inf"):
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(worker.ident or 0), ctypes.py_object(Stopped)
                )
            seen = used
            worker.join(0.1)

    threading.Thread(target=insist, daemon=True, name="mdcv-stop").start()
    worker.join(0.2)


#: Kept from the start: a notebook that says `random.seed = 42` has these names no more.
_SEED_ALL = torch.default_generator.manual_seed, np.random.seed, random.seed


def seed_global_state(seed: int) -> None:
    """Sets the global generators of PyTorch, NumPy and Python."""
    for set_seed in _SEED_ALL:
        set_seed(seed)


@contextlib.contextmanager
def global_state_kept() -> Iterator[None]:
    """Puts back what a call may have changed for everyone: random states, dtype, switches."""
    torch_state = torch.get_rng_state()
    numpy_state, python_state = np.random.get_state(), random.getstate()
    try:
        with switches_kept():
            yield
    finally:
        torch.set_rng_state(torch_state)
        np.random.set_state(numpy_state)
        random.setstate(python_state)


@contextlib.contextmanager
def switches_kept() -> Iterator[None]:
    """As `global_state_kept`, without the random states: for calls that are seeded one by one.

    Inside, numbers are float32 where nobody says otherwise, and a warning is no error, whatever
    the notebook around has set: that is how `check` asks, and how the reference is asked.
    """
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    anomaly, anomaly_nan = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
    precision, recursion = torch.get_float32_matmul_precision(), sys.getrecursionlimit()
    if dtype != torch.float32:
        torch.set_default_dtype(torch.float32)
    warnings.simplefilter("ignore")
    try:
        yield
    finally:
        torch.set_default_dtype(dtype)
        now = torch.are_deterministic_algorithms_enabled()
        if (now, torch.is_deterministic_algorithms_warn_only_enabled()) != (
            deterministic,
            warn_only,
        ):
            # Asked only when needed: it imports PyTorch's compiler, which takes half a second.
            torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        torch.autograd.set_detect_anomaly(anomaly, anomaly_nan)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        if torch.get_float32_matmul_precision() != precision:
            torch.set_float32_matmul_precision(precision)
        sys.setrecursionlimit(recursion)


def _on_the_cpu() -> contextlib.AbstractContextManager:
    """Makes tensors on the processor. Where they are made there already, asking is not free."""
    usual = torch._C._len_torch_function_stack() == 0 and torch.get_default_device().type == "cpu"
    return contextlib.nullcontext() if usual else torch.device("cpu")


@contextlib.contextmanager
def neutral_ground() -> Iterator[None]:
    """Judging does not depend on where it happens.

    Whatever the caller has set (gradients off, another default dtype or device, warnings as
    errors), the questions are drawn and asked under PyTorch's defaults. A warning costs nothing.
    """
    with (
        warnings.catch_warnings(),
        torch.inference_mode(False),
        torch.enable_grad(),
        _on_the_cpu(),
        global_state_kept(),
    ):
        seed_global_state(0)
        yield
