"""Threads that answer are used again, unless somebody left a switch in another position."""

from __future__ import annotations

import sys
import threading
import warnings

import pytest
import torch

from mdcv.exercises.calling import Asking, answer_within
from mdcv.exercises.isolation import end_idle_threads, run_in_thread


def thread_of(work=lambda: None) -> threading.Thread:
    seen: list[threading.Thread] = []

    def run() -> None:
        seen.append(threading.current_thread())
        work()

    assert run_in_thread(run, 10.0)
    return seen[0]


held: list[object] = []


def enter(manager) -> None:
    """Enters and never leaves; what is thrown away may leave by itself."""
    held.append(manager)
    manager.__enter__()


@pytest.fixture(autouse=True)
def no_idle_threads():
    end_idle_threads()
    yield
    end_idle_threads()


def test_one_thread_answers_again_and_again_and_ends_when_it_is_told_to():
    first = thread_of()
    assert thread_of() is first and first.is_alive()
    end_idle_threads()
    assert not first.is_alive()
    assert thread_of() is not first


def test_an_error_does_not_cost_the_thread():
    assert thread_of(lambda: 1 / 0) is thread_of()


@pytest.mark.parametrize(
    "leave",
    [
        lambda: torch.set_grad_enabled(False),
        lambda: enter(torch.inference_mode()),
        lambda: enter(torch.device("meta")),
        lambda: enter(torch.autocast("cpu")),
        lambda: torch.set_num_threads(torch.get_num_threads() + 1),
        lambda: sys.settrace(lambda *what: None),
    ],
    ids=["gradients", "inference", "device", "autocast", "threads", "trace"],
)
def test_a_thread_with_a_switch_left_in_another_position_gets_no_more_work(leave):
    threads = torch.get_num_threads()
    spoiled = thread_of(leave)
    after: list[object] = []
    assert run_in_thread(
        lambda: after.extend(
            (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.ones(1).device.type)
        ),
        10.0,
    )
    assert after == [True, False, "cpu"]
    assert thread_of() is not spoiled
    torch.set_num_threads(threads)


def test_work_that_is_late_is_left_behind_and_the_next_does_not_wait_for_it():
    go = threading.Event()
    assert not run_in_thread(go.wait, 0.05)
    assert run_in_thread(lambda: None, 10.0)
    go.set()


def test_a_function_is_asked_in_float32_and_may_warn_whatever_its_notebook_has_set():
    def asked(x):
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        return torch.ones(2, 3) @ x

    asking = Asking((torch.ones(3, 1),))
    torch.set_default_dtype(torch.float64)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            answer = answer_within(asked, asking, 10.0)
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert answer.value is not None and answer.value.dtype == torch.float32, answer.text
