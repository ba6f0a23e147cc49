"""Keeps a call apart: a thread of its own, a time limit, and global state put back afterwards.

Each call runs in a fresh daemon thread, which also keeps thread-local switches (gradient mode,
inference mode, default device) from leaking into the next call. What is global (random states,
default dtype, determinism) is put back after each call. A call that does not return is told to
stop and left behind.

This guards against accidents, not against attacks: code that ends the process, or that never
gives the interpreter back, needs the walls of the grading room.
"""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import torch


class Stopped(BaseException):
    """Raised inside a call that did not return in time."""


def run_in_thread(work: Callable[[], None], limit: float) -> bool:
    """Runs the work in a daemon thread; False when it did not end in time and was left behind.

    A thread that got little of a busy machine has twice the time.
    """
    ended = threading.Event()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            with contextlib.suppress(BaseException):
                context.run(work)
            ended.set()
        except BaseException:
            ended.set()

    worker = threading.Thread(target=run, daemon=True, name="mdcv-answer")
    worker.start()
    try:
        in_time = ended.wait(limit)
        if not in_time and _seconds_of_work(worker) < 0.5 * limit:
            in_time = ended.wait(limit)
    except BaseException:  # the user interrupts: the call must end as well
        _stop(worker)
        raise
    if not in_time:
        _stop(worker)
    return in_time


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


def seed_global_state(seed: int) -> None:
    """Sets the global generators of PyTorch, NumPy and Python."""
    torch.default_generator.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)


@contextlib.contextmanager
def global_state_kept() -> Iterator[None]:
    """Puts back what a call may have changed for everyone: random states, dtype, switches."""
    torch_state = torch.get_rng_state()
    numpy_state, python_state = np.random.get_state(), random.getstate()
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    anomaly, anomaly_nan = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
    precision, recursion = torch.get_float32_matmul_precision(), sys.getrecursionlimit()
    try:
        yield
    finally:
        torch.set_rng_state(torch_state)
        np.random.set_state(numpy_state)
        random.setstate(python_state)
        torch.set_default_dtype(dtype)
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        torch.autograd.set_detect_anomaly(anomaly, anomaly_nan)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        if torch.get_float32_matmul_precision() != precision:
            torch.set_float32_matmul_precision(precision)
        sys.setrecursionlimit(recursion)
        warnings.simplefilter("ignore")


@contextlib.contextmanager
def neutral_ground() -> Iterator[None]:
    """Judging does not depend on where it happens.

    Whatever the caller has set (gradients off, another default dtype or device, warnings as
    errors), the questions are drawn and asked under PyTorch's defaults. A warning costs nothing.
    """
    dtype = torch.get_default_dtype()
    with (
        warnings.catch_warnings(),
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.device("cpu"),
        global_state_kept(),
    ):
        warnings.simplefilter("ignore")
        torch.set_default_dtype(torch.float32)
        seed_global_state(0)
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
