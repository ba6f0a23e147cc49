"""Classes, training functions and generator functions are asked as functions of tensors."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mdcv.exercises import judge
from mdcv.exercises.calling import attempt
from mdcv.exercises.cases import Seeded
from mdcv.exercises.exercise import Case, Exercise, Finding, Mistake, Part, Refusal, Right, Trial


class Scaler(nn.Module):
    """A student's class: scales by a learned factor."""

    def __init__(self, width, *, bias=0.0):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width, dtype=torch.float64))
        self.bias = bias

    def forward(self, x):
        return x * self.scale + self.bias

    def moments(self, x):
        return x.mean(0), x.std(0)


def ask(implementation, *arguments, **options):
    return attempt(implementation, arguments, options, None, "then_ask")


def test_a_class_is_built_and_asked():
    x = torch.rand(5, 3).double()
    answer = ask(Scaler, (3,), [("", (x,), {})], options={"bias": 1.0})
    torch.testing.assert_close(answer.value, x + 1)
    several = ask(Scaler, (3,), [("", (x,), {}), ("moments", (x,), {}), ("scale", (), {})])
    assert [tuple(v.shape) for v in several.values] == [(5, 3), (3,), (3,), (3,)]


def test_given_weights_are_loaded():
    x, scale = torch.rand(5, 3).double(), torch.rand(3).double()
    answer = ask(Scaler, (3,), [("", (x,), {})], weights={"scale": scale}, mode="eval")
    torch.testing.assert_close(answer.value, x * scale)


def test_one_step_of_descent_moves_the_parameters():
    x = torch.rand(5, 3).double() + 0.5
    asks = [("@step", (x,), {"lr": 0.1}), ("@parameters", (), {})]
    moved = ask(Scaler, (3,), asks).values[0]
    torch.testing.assert_close(moved, 1 - 0.1 * 2 * x.square().mean(0) / 3)


def test_a_training_function_is_run_and_its_model_asked():
    def train(data, *, generator):
        model = Scaler(data.shape[1])
        with torch.no_grad():
            model.scale += torch.rand(1, generator=generator)
        return model, [0.5, 0.25]

    x = torch.rand(5, 3).double()
    asks = [("0.moments", (x,), {})]
    options = {"generator": Seeded(3)}
    answer = ask(train, (x,), asks, options=options)
    assert answer.kind == "tensors"
    assert len(answer.values) == 2


def test_what_is_already_built_is_asked_itself():
    x = torch.rand(5, 3).double()
    torch.testing.assert_close(ask(Scaler(3), None, [("", (x,), {})]).value, x)


def test_a_class_with_other_parameters_cannot_be_called():
    class Narrow(nn.Module):
        def __init__(self):
            super().__init__()

    answer = ask(Narrow, (3,), [("", (torch.rand(2, 3),), {})])
    assert (answer.error, answer.unbound) == ("TypeError", True)


def test_a_type_error_inside_is_a_crash():
    class Broken(Scaler):
        def forward(self, x):
            return x + None

    answer = ask(Broken, (3,), [("", (torch.rand(2, 3),), {})])
    assert (answer.error, answer.unbound) == ("TypeError", False)


def test_odd_things_that_come_are_said():
    assert ask(Scaler, (3,), [("bias", (), {})]).kind == "number"
    assert ask(5, (3,), []).kind == "not callable"
    assert ask(lambda width: None, (3,), [("", (), {})]).kind == "nothing"
    assert ask(lambda width: 5, (3,), [("", (), {})]).text.startswith("what came is a int")


def test_generators_are_collected_up_to_a_limit():
    def count(n):
        for i in range(n):
            yield torch.tensor(float(i))

    assert len(attempt(count, (10, 4), {}, None, "collect").values) == 4
    assert len(attempt(count, (10, 10**9), {}, None, "collect").values) == 11
    assert attempt(lambda n: torch.zeros(n), (5, 3), {}, None, "collect").kind == "tensor"


def test_several_functions_come_together():
    both = {"double": lambda x: 2 * x, "half": lambda x: x / 2}
    x = torch.rand(3)
    torch.testing.assert_close(attempt(both, ("half", x), {}, None, "choose").value, x / 2)
    assert attempt(both, ("third", x), {}, None, "choose").error == "KeyError"


# An exercise about a class that answers with a tuple, judged as a whole


def _cases(draw):
    x = draw.tensor(5, 3)
    return [Case("five rows", ((3,), [("moments", (x,), {})]))]


def _refusals(draw):
    return [Refusal("width 0", ((0,), []), "accepts_no_width")]


def _trial(draw):
    x = draw.tensor(5, 3)

    def examine(answers):
        (values,) = answers
        return None if torch.equal(values, x) else Finding("It moves.", "moves")

    return [Trial("fresh", ((((3,), [("", (x,), {})]), {}),), examine)]


class Guarded(Scaler):
    def __init__(self, width):
        if width < 1:
            raise ValueError("width")
        super().__init__(width)


class Swapped(Guarded):
    def moments(self, x):
        return x.std(0), x.mean(0)


class Biased(Guarded):
    def moments(self, x):
        return x.mean(0), x.std(0, correction=0)


class Listed(Guarded):
    def moments(self, x):
        return [x.mean(0), x.std(0)]


class MeanOnly(Guarded):
    def moments(self, x):
        return x.mean(0)


class Half(Guarded):
    def moments(self, x):
        raise NotImplementedError


EXERCISE = Exercise(
    name="Scaler",
    contract="Scaler(width) scales.",
    reference=Guarded,
    parts=(
        Part("moments", 0.6, _cases, is_value=True),
        Part("fresh", 0.2, _trial),
        Part("bad input", 0.2, _refusals),
    ),
    right=(Right("a list", Listed),),
    wrong=(
        Mistake("biased", Biased, "Your spread divides by N."),
        Mistake("accepts_no_width", Scaler, "Width 0 was accepted."),
    ),
    returns=("mean", "spread"),
    through="then_ask",
)


@pytest.fixture
def scaler(monkeypatch):
    monkeypatch.setattr("mdcv.exercises.judging.get", lambda name: EXERCISE)


@pytest.mark.parametrize(
    ("implementation", "misconception"),
    [
        (Guarded, None),
        (Listed, None),
        (Biased, "biased"),
        (Swapped, "values_exchanged"),
        (MeanOnly, "not_a_tuple"),
        (Scaler, "accepts_no_width"),
    ],
)
def test_a_class_is_judged(scaler, implementation, misconception):
    outcome = judge("Scaler", implementation)
    assert outcome.misconception == misconception, outcome.message
    assert outcome.passed == (misconception is None)


def test_a_stub_anywhere_in_a_class_is_not_yet(scaler):
    assert judge("Scaler", Half).not_yet


def test_the_wrong_value_of_a_tuple_is_named(scaler):
    class Doubled(Guarded):
        def moments(self, x):
            return x.mean(0), 2 * x.std(0) + 1

    outcome = judge("Scaler", Doubled)
    assert "Spread: " in outcome.message
