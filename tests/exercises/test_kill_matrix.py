"""Every wrong variant is caught and named as itself; every right one is accepted.

This is the proof that the checks talk sense: a mutant that survives, that gets another's name, or
a right answer that is refused, fails here by its name.
"""

from __future__ import annotations

import time

import pytest

from mdcv.exercises import get, judge, names
from mdcv.exercises.traits import TRAITS

RIGHT = [(name, right) for name in names() for right in get(name).right]
WRONG = [(name, mistake) for name in names() for mistake in get(name).wrong]


def ids(pairs):
    return [f"{name}-{variant.name}" for name, variant in pairs]


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
@pytest.mark.parametrize(("name", "right"), RIGHT, ids=ids(RIGHT))
def test_right_variant_is_accepted(name, right, seed):
    outcome = judge(name, right.function, seed=seed)
    assert outcome.passed, outcome.message
    assert outcome.score == 1.0
    assert outcome.misconception is None


@pytest.mark.parametrize("seed", [1, 7])
@pytest.mark.parametrize("name", names())
def test_reference_is_accepted(name, seed):
    outcome = judge(name, get(name).reference, seed=seed)
    assert outcome.passed, outcome.message
    assert outcome.score == 1.0


def assert_named_as_itself(name, mistake, seed):
    outcome = judge(name, mistake.function, seed=seed)
    assert not outcome.passed
    assert 0.0 <= outcome.score < 1.0
    assert outcome.misconception == mistake.name, outcome.message
    sentence = mistake.sentence or TRAITS[mistake.name]
    assert sentence in outcome.message


@pytest.mark.parametrize(("name", "mistake"), WRONG, ids=ids(WRONG))
def test_wrong_variant_is_caught_and_named(name, mistake):
    assert_named_as_itself(name, mistake, 0)


@pytest.mark.parametrize(("name", "mistake"), WRONG[::7], ids=ids(WRONG[::7]))
def test_wrong_variant_is_named_on_hidden_seeds_too(name, mistake):
    assert_named_as_itself(name, mistake, 7)


@pytest.mark.parametrize("name", names())
def test_there_are_enough_variants(name):
    exercise = get(name)
    assert len(exercise.right) >= 3
    assert len(exercise.wrong) >= 8
    assert len({mistake.name for mistake in exercise.wrong}) == len(exercise.wrong)
    assert all(mistake.sentence or mistake.name in TRAITS for mistake in exercise.wrong)


@pytest.mark.parametrize("name", names())
def test_untouched_stub_earns_nothing(name):
    def stub(*arguments, **options):
        raise NotImplementedError

    outcome = judge(name, stub)
    assert (outcome.passed, outcome.score, outcome.not_yet) == (False, 0.0, True)
    assert "Not yet" in outcome.message


@pytest.mark.parametrize("name", names())
def test_a_right_answer_is_judged_at_once_and_a_training_in_seconds(name):
    implementation = get(name).right[0].function
    judge(name, implementation)
    begun = time.process_time()
    judge(name, implementation)
    assert time.process_time() - begun < (10.0 if name.startswith("train_") else 2.0)
