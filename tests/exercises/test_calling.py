"""Whatever an implementation does, judging ends, says so in words, and leaves no trace."""

from __future__ import annotations

import functools
import os
import random
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mdcv.exercises import judge
from mdcv.exercises.calling import Answer, attempt
from mdcv.exercises.cases import Seeded, strided_layout, transposed_layout

NAME = "hausdorff_distance"


class Liar(Tensor):
    """A tensor that is equal to everything."""

    def __eq__(self, other):
        return torch.ones((), dtype=torch.bool)


class Pretender:
    """Says that it is a tensor of the right shape."""

    __class__ = Tensor
    shape = (2,)
    dtype = torch.float64

    def __eq__(self, other):
        return True


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def raising(error):
    def implementation(x, y):
        raise error

    return implementation


def with_fake_methods(right):
    """Zeros whose methods, set on the instance, hand out the right answer."""

    def implementation(x, y):
        value, truth = torch.zeros(len(x), dtype=x.dtype), right(x, y)
        for method in ("clone", "detach", "to", "double", "flatten"):
            setattr(value, method, lambda *a, **o: truth)
        return value

    return implementation


ODD_ANSWERS = {
    "nothing": (lambda right: lambda x, y: None, "returns_nothing"),
    "ellipsis body": (lambda right: lambda x, y: ..., "odd_return_type"),
    "numpy array": (lambda right: lambda x, y: right(x, y).detach().numpy(), "returns_numpy"),
    "numpy number": (lambda right: lambda x, y: np.float64(0.5), "returns_numpy"),
    "float": (lambda right: lambda x, y: float(right(x, y)[0]), "python_float_returned"),
    "list": (lambda right: lambda x, y: right(x, y).tolist(), "returns_list"),
    "tuple": (lambda right: lambda x, y: (right(x, y),), "returns_list"),
    "string": (lambda right: lambda x, y: "2.0", "odd_return_type"),
    "NotImplemented": (lambda right: lambda x, y: NotImplemented, "odd_return_type"),
    "faked equality": (
        lambda right: lambda x, y: right(x, y).as_subclass(Liar),
        "tensor_subclass_returned",
    ),
    "faked class": (lambda right: lambda x, y: Pretender(), "odd_return_type"),
    "faked methods": (with_fake_methods, "same_answer"),
    "sparse": (lambda right: lambda x, y: right(x, y).to_sparse(), "tensor_subclass_returned"),
    "meta": (lambda right: lambda x, y: right(x, y).to("meta"), "tensor_subclass_returned"),
    "eight bits": (
        lambda right: lambda x, y: right(x, y).to(torch.float8_e4m3fn),
        "tensor_subclass_returned",
    ),
    "seventeen axes": (
        lambda right: lambda x, y: right(x, y).reshape(-1, *17 * (1,)),
        "tensor_subclass_returned",
    ),
    "unsigned": (lambda right: lambda x, y: right(x, y).to(torch.uint64), "wrong_dtype"),
    "complex": (lambda right: lambda x, y: right(x, y) + 0j, "wrong_dtype"),
    "bool": (lambda right: lambda x, y: right(x, y) > 0, "wrong_dtype"),
    "half precision": (lambda right: lambda x, y: right(x, y).half(), "wrong_dtype"),
    "nan": (lambda right: lambda x, y: right(x, y) * float("nan"), "nan_value"),
    "empty tensor": (lambda right: lambda x, y: torch.empty(0), "wrong_shape"),
    "its input": (lambda right: lambda x, y: x, "wrong_shape"),
    "one axis too many": (lambda right: lambda x, y: right(x, y)[:, None], "extra_axis"),
    "one value": (lambda right: lambda x, y: right(x, y).mean(), "one_value_for_the_batch"),
    "no argument": (lambda right: lambda: None, "wrong_signature"),
    "required option": (lambda right: lambda x, y, *, p: right(x, y), "wrong_signature"),
    "a class": (lambda right: Pretender, "wrong_signature"),
    "a number": (lambda right: 5, "not_callable"),
    "None": (lambda right: None, "not_callable"),
    "memory": (lambda right: lambda x, y: torch.empty(10**15), "crashes"),
    "recursion": (lambda right: lambda x, y: recurse(x, y), "crashes"),
}


def recurse(x, y):
    return recurse(x, y)


@pytest.mark.parametrize("kind", ODD_ANSWERS)
def test_odd_answers_are_named(kind, right):
    make, name = ODD_ANSWERS[kind]
    outcome = judge(NAME, make(right))
    assert (outcome.passed, outcome.score) == (False, 0.0)
    assert outcome.misconception == name, outcome.message


@pytest.mark.parametrize(
    "error",
    [
        SystemExit(0),
        KeyboardInterrupt(),
        GeneratorExit(),
        StopIteration(),
        MemoryError(),
        AssertionError(),
        Unprintable(),
        torch.cuda.OutOfMemoryError("cuda"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_any_exception_is_an_answer(error):
    outcome = judge(NAME, raising(error))
    assert (outcome.passed, outcome.score, outcome.misconception) == (False, 0.0, "crashes")
    assert type(error).__name__ in outcome.message


def test_generator_and_coroutine_functions_are_named(right):
    def yields(x, y):
        yield right(x, y)

    async def waits(x, y):
        return right(x, y)

    assert judge(NAME, yields).misconception == "yields_instead_of_returning"
    assert judge(NAME, waits).misconception == "async_function"


def test_a_stub_in_one_option_only_is_not_a_stub():
    def partly(x, y, *, squared=True, reduction="sum", one_sided=False):
        if one_sided:
            raise NotImplementedError
        from mdcv.points import chamfer_distance

        return chamfer_distance(x, y, squared=squared, reduction=reduction)

    outcome = judge("chamfer_distance", partly)
    assert not outcome.not_yet
    assert 0.5 < outcome.score < 1.0
    assert outcome.misconception == "not_written"


class Instance:
    def __init__(self, right):
        self._right = right

    def __call__(self, x, y):
        return self._right(x, y)


class Module(nn.Module):
    def __init__(self, right):
        super().__init__()
        self._right = right

    def forward(self, x, y):
        return self._right(x, y)


def loud(right):
    def implementation(x, y):
        print("working")
        np.log(np.zeros(1))
        return right(x, y)

    return implementation


RIGHT_FORMS = {
    "partial": functools.partial,
    "instance": Instance,
    "module": Module,
    "decorated": lambda right: functools.wraps(right)(lambda *a, **o: right(*a, **o)),
    "extra options": lambda right: lambda x, y, verbose=False, *, eps=0.0: right(x, y),
    "any arguments": lambda right: lambda *a: right(*a),
    "vmap": lambda right: lambda x, y: guarded_vmap(right, x, y),
    "inside a view": lambda right: lambda x, y: right(x, y).expand(2, -1)[1],
}


def guarded_vmap(right, x, y):
    right(x[:, :1], y[:, :1])  # the door
    return torch.func.vmap(lambda a, b: right(a[None], b[None])[0])(x, y)


@pytest.mark.parametrize("form", RIGHT_FORMS)
def test_right_answers_come_in_many_forms(form, right):
    outcome = judge(NAME, RIGHT_FORMS[form](right))
    assert outcome.passed, outcome.message


def test_warnings_and_prints_cost_nothing(right, recwarn):
    def warns(x, y):
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        return loud(right)(x, y)

    assert judge(NAME, warns).passed
    assert len(recwarn) == 0


def state():
    return (
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_rng_state().tolist(),
        random.getstate(),
        np.random.get_state()[1].tolist(),
        sys.getrecursionlimit(),
        torch.empty(0).device,
        len(warnings.filters),
    )


def test_global_state_is_put_back(right):
    def meddles(x, y):
        torch.set_default_dtype(torch.float16)
        torch.set_default_device("meta")
        torch.inference_mode().__enter__()
        torch.set_grad_enabled(False)
        torch.use_deterministic_algorithms(True)
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)
        sys.setrecursionlimit(5000)
        warnings.simplefilter("error")
        return None

    before = state()
    judge(NAME, meddles)
    judge(NAME, right)
    assert state() == before


def test_a_function_for_seeds_that_was_overwritten_is_not_needed(right, monkeypatch):
    monkeypatch.setattr(random, "seed", 42)
    monkeypatch.setattr(np.random, "seed", 42)
    assert judge(NAME, right).passed


@pytest.mark.parametrize(
    "around",
    [
        torch.no_grad(),
        torch.inference_mode(),
        torch.device("meta"),
    ],
    ids=["no_grad", "inference_mode", "device"],
)
def test_the_caller_s_own_state_does_not_matter(around, right):
    expected = judge(NAME, right)
    with around:
        assert judge(NAME, right) == expected


def test_default_dtype_of_the_caller_does_not_matter(right):
    torch.set_default_dtype(torch.float64)
    try:
        assert judge(NAME, right).passed
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_who_draws_from_the_global_generator_is_not_repeatable():
    def noisy(x, y):
        return torch.rand(len(x), dtype=x.dtype)

    first, second = judge(NAME, noisy), judge(NAME, noisy)
    assert first == second
    assert first.misconception == "not_repeatable"


def endless(x, y):
    while True:
        pass


def stubborn_for_a_while(x, y):
    stop = time.monotonic() + 3
    while time.monotonic() < stop:
        try:
            while time.monotonic() < stop:
                pass
        except BaseException:
            pass


@pytest.mark.parametrize(
    "implementation",
    [endless, stubborn_for_a_while, lambda x, y: time.sleep(30)],
    ids=["endless", "stubborn", "asleep"],
)
def test_what_does_not_return_is_left_behind(implementation, monkeypatch):
    monkeypatch.setattr("mdcv.exercises.calling.CALL_LIMIT", 0.4)
    begun = time.monotonic()
    outcome = judge(NAME, implementation)
    assert time.monotonic() - begun < 15.0  # far less than the 30 s asleep, under coverage too
    assert (outcome.passed, outcome.score, outcome.misconception) == (False, 0.0, "too_slow")


def test_a_loop_is_really_stopped(monkeypatch):
    monkeypatch.setattr("mdcv.exercises.calling.CALL_LIMIT", 0.3)
    before = set(threading.enumerate())
    judge(NAME, endless)
    until = time.monotonic() + 5
    while any(t.name == "mdcv-answer" for t in set(threading.enumerate()) - before):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_late_call_costs_its_part_and_not_the_earlier_ones(right, monkeypatch):
    monkeypatch.setattr("mdcv.exercises.calling.CALL_LIMIT", 0.4)
    monkeypatch.setattr("mdcv.exercises.calling.SECOND_CHANCE", 0.2)

    def hangs_on_bad_input(x, y):
        while x.shape[0] != y.shape[0]:
            pass
        return right(x, y)

    outcome = judge(NAME, hangs_on_bad_input)
    assert 0.7 < outcome.score < 1.0
    earned = {part.name: part.earned for part in outcome.parts}
    assert earned["values"] == earned["gradient"] == 1.0
    assert earned["bad input"] < 1.0


@pytest.fixture
def interruptible():
    """Interrupts raise in the main thread, whatever ran in this process before."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    signal.signal(signal.SIGINT, before)


def test_the_user_can_interrupt(interruptible):
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        judge(NAME, endless)
    assert time.monotonic() - begun < 4.0


def test_the_user_can_interrupt_while_the_reference_is_asked():
    with pytest.raises(KeyboardInterrupt):
        attempt(raising(KeyboardInterrupt()), (torch.rand(2), torch.rand(2)), {})


def test_arguments_are_fresh_and_changes_are_seen():
    values = torch.arange(6.0).reshape(1, 3, 2)

    def adds(x):
        x += 1
        return x.sum()

    first, second = attempt(adds, (values,), {}), attempt(adds, (values,), {})
    assert first.changed == "argument 1 (its values)"
    torch.testing.assert_close(first.value, second.value)
    torch.testing.assert_close(values, torch.arange(6.0).reshape(1, 3, 2))


def test_changes_of_layout_and_flags_are_seen():
    values = torch.rand(2, 3)
    assert (
        attempt(lambda x: x.t_().sum(), (values,), {}).changed == "argument 1 (its shape or layout)"
    )
    assert attempt(lambda x: x.requires_grad_(), (values,), {}).changed.endswith("requires_grad)")
    assert attempt(lambda x: x * 2, (values,), {}).changed == ""


@pytest.mark.parametrize("layout", [transposed_layout, strided_layout])
def test_the_layout_of_an_argument_is_kept(layout):
    values = layout(torch.rand(2, 4, 3))
    seen = []
    attempt(lambda x: seen.append((x.stride(), x.clone())), (values,), {})
    assert not values.is_contiguous()
    assert seen[0][0] == values.stride()
    torch.testing.assert_close(seen[0][1], values)


def test_gradients_come_through_a_random_cotangent():
    x = torch.rand(4, dtype=torch.float64)
    answer = attempt(lambda a, b: a * a, (x, x), {}, 3)
    cotangent = torch.randn(4, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    torch.testing.assert_close(answer.gradients[0], 2 * x * cotangent)
    assert answer.gradients[1] is None


def test_a_seeded_argument_becomes_a_fresh_generator():
    draw = lambda generator=None: torch.rand(3, generator=generator)  # noqa: E731
    once, again = (attempt(draw, (), {"generator": Seeded(4)}) for _ in range(2))
    torch.testing.assert_close(once.value, again.value, rtol=0, atol=0)


def test_an_answer_that_was_never_given_is_late():
    assert Answer(late=True).value is None


def test_an_input_that_cannot_be_read_any_more_is_survived(right):
    def empties(x, y):
        value = right(x, y)
        if not x.requires_grad:
            x.data = torch.empty(0)
        return value

    outcome = judge(NAME, empties)
    assert not outcome.passed
    assert outcome.misconception == "changes_its_input"


def test_global_randomness_is_seen_where_a_generator_is_given():
    def seeds(generator=None):
        torch.manual_seed(generator.initial_seed())
        return torch.rand(3)

    given = {"generator": Seeded(4)}
    assert attempt(seeds, (), given).drew_globally
    assert not attempt(
        lambda generator: torch.rand(3, generator=generator), (), given
    ).drew_globally
