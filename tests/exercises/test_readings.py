"""Training steps are judged by what recording stubs saw, beside the value that came back."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from mdcv.exercises import judge
from mdcv.exercises.cases import Argument, Made
from mdcv.exercises.exercise import Case, Exercise, Finding, Mistake, Part, Reading, Trial
from mdcv.exercises.records import events, weights_after


def right(critic, optimizer, x):
    optimizer.zero_grad()
    loss = -critic(x).mean()
    loss.backward()
    optimizer.step()
    return loss.detach()


def no_zero_grad(critic, optimizer, x):
    loss = -critic(x).mean()
    loss.backward()
    optimizer.step()
    return loss.detach()


def two_steps(critic, optimizer, x):
    loss = right(critic, optimizer, x)
    optimizer.step()
    return loss


def by_hand(critic, optimizer, x):
    """Right, in another order and with another way to clear."""
    loss = critic(x).mul(-1).sum() / len(x)
    for parameter in critic.parameters():
        parameter.grad = None
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss


def number_of_steps(records):
    return torch.tensor(len(events(records, "optimizer", "step")))


READINGS = (
    Reading("the number of steps", number_of_steps, "two_steps"),
    Reading("the critic's weights", lambda records: weights_after(records, "critic"), "odd_step"),
)


def _cases(draw):
    layers = [(draw.tensor(4, 3), draw.tensor(4)), (draw.tensor(1, 4), draw.tensor(1))]
    critic = Made("recording_network", who="critic", layers=layers, stale=True)
    step = Made("optimizer", of=Argument(0), lr=0.5)
    return [Case("one step", (critic, step, draw.tensor(5, 3)), readings=READINGS)]


EXERCISE = Exercise(
    name="critic_step",
    contract="critic_step(critic, optimizer, x) makes one step.",
    reference=right,
    parts=(Part("step", 1.0, _cases, is_value=True),),
    right=(),
    wrong=(
        Mistake("no_zero_grad", no_zero_grad, "Your gradient contains an earlier one."),
        Mistake("two_steps", two_steps, "You stepped twice."),
    ),
    traits={"odd_step": "The critic moved elsewhere."},
)


@pytest.fixture
def step(monkeypatch):
    monkeypatch.setattr("mdcv.exercises.judging.get", lambda name: EXERCISE)


@pytest.mark.parametrize(
    ("implementation", "misconception"),
    [
        (right, None),
        (by_hand, None),
        (no_zero_grad, "no_zero_grad"),
        (two_steps, "two_steps"),
        (lambda c, o, x: -c(x).mean().detach(), "two_steps"),
        (lambda c, o, x: right(c, o, x) + 1, None),
    ],
)
def test_steps_are_judged_by_value_and_records(step, implementation, misconception):
    outcome = judge("critic_step", implementation)
    assert outcome.passed == (implementation in (right, by_hand)), outcome.message
    if misconception:
        assert outcome.misconception == misconception, outcome.message


def test_a_reading_without_a_match_tells_its_own_sentence(step):
    def halved(critic, optimizer, x):
        loss = right(critic, optimizer, x)
        with torch.no_grad():
            for parameter in critic.parameters():
                parameter /= 2
        return loss

    outcome = judge("critic_step", halved)
    assert outcome.misconception == "odd_step"
    assert "The critic moved elsewhere." in outcome.message
    assert any("the critic's weights" in row.yours for row in outcome.rows)


def test_a_trial_may_read_whole_answers_and_have_time_of_its_own(monkeypatch):
    def examine(answers):
        ordered = [len(answer.records) for answer in answers]
        return None if ordered == [4] else Finding(f"{ordered} records.", "odd_step")

    def questions(draw):
        (case,) = _cases(draw)
        call = (case.arguments, {})
        return [Trial("one step", (call,), examine, whole=True, limit=20.0)]

    exercise = dataclasses.replace(EXERCISE, parts=(Part("step", 1.0, questions, is_value=True),))
    monkeypatch.setattr("mdcv.exercises.judging.get", lambda name: exercise)
    monkeypatch.setattr("mdcv.exercises.calling.CALL_LIMIT", 0.0)
    assert judge("critic_step", right).passed
    assert judge("critic_step", two_steps).misconception == "odd_step"
