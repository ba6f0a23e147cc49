"""The verdict: its parts, its score, its words, and that it is the same every time."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from mdcv.exercises import Outcome, get, judge, names
from mdcv.exercises.calling import Asking, Caller, attempt
from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Case, Refusal, Trial
from mdcv.exercises.judging import MANNERS, judge_with
from mdcv.exercises.packing import pack_call
from mdcv.exercises.prepared import prepared
from mdcv.points import chamfer_distance

NAME = "hausdorff_distance"


def questions(name, seed):
    exercise = get(name)
    for part in exercise.parts:
        yield from part.questions(Draw(seed, f"{name}/{part.name}"))


def plain_questions(name, seed):
    """Those for the plain value; others ask at extreme places on purpose."""
    exercise = get(name)
    for part in exercise.parts:
        if part.is_value:
            yield from part.questions(Draw(seed, f"{name}/{part.name}"))


def _calls(question):
    if isinstance(question, Trial):
        return question.calls
    return [(question.arguments, question.options)]


def test_unknown_exercise_is_the_caller_s_mistake(right):
    with pytest.raises(ValueError, match=r"no exercise 'hausdorf'; expected one of .*pairwise"):
        judge("hausdorf", right)


@pytest.mark.parametrize("seed", [-1, 2**63, 0.5, True])
def test_seed_out_of_range_is_the_caller_s_mistake(seed, right):
    with pytest.raises(ValueError, match="seed"):
        judge(NAME, right, seed=seed)


def test_outcome_is_frozen_and_hides_its_table():
    outcome = judge(NAME, lambda x, y: x.sum((1, 2)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        outcome.score = 1.0
    assert outcome.rows
    assert "rows" not in repr(outcome)


def test_parts_add_up(right):
    outcome = judge(NAME, right)
    assert sum(part.share for part in outcome.parts) == pytest.approx(1.0)
    assert [part.name for part in outcome.parts][-1] == MANNERS
    assert all(part.earned == 1.0 for part in outcome.parts)


def without_door(x, y):
    """The Hausdorff distance of whatever comes."""
    table = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    return torch.maximum(table.amin(2).amax(1), table.amin(1).amax(1))


def test_refusals_are_a_question_of_their_own(right):
    outcome = judge(NAME, without_door)
    assert not outcome.passed
    earned = {part.name: part.earned for part in outcome.parts}
    assert earned.pop("bad input") < 1.0
    assert set(earned.values()) == {1.0}
    assert outcome.misconception == "broadcasts_batches"
    assert "a point that holds NaN" not in outcome.message


def test_a_part_of_bad_input_earns_the_fraction_refused(right):
    def refuses_all_but_empty_sets(x, y):
        if 0 in x.shape:
            return torch.zeros(len(x), dtype=x.dtype)
        return right(x, y)

    outcome = judge(NAME, refuses_all_but_empty_sets)
    bad_input = next(part for part in outcome.parts if part.name == "bad input")
    assert 0.5 < bad_input.earned < 1.0


def test_no_value_right_means_no_points(right):
    def wrong_but_polite(x, y):
        return right(x, y) + 1.0

    outcome = judge(NAME, wrong_but_polite)
    assert outcome.score == 0.0
    assert next(part for part in outcome.parts if part.name == "bad input").earned == 1.0


def test_one_option_right_earns_its_share():
    def ignores_options(x, y, **options):
        if options.get("reduction", "sum") not in ("sum", "mean"):
            raise ValueError("unknown")
        return chamfer_distance(x, y)

    outcome = judge("chamfer_distance", ignores_options)
    earned = {part.name for part in outcome.parts if part.earned == 1.0}
    assert "squared sums" in earned
    assert "means" not in earned
    assert 0.0 < outcome.score < 0.7


@pytest.mark.parametrize("name", names())
def test_same_seed_same_words(name):
    implementation = get(name).wrong[0].function
    assert judge(name, implementation, seed=5) == judge(name, implementation, seed=5)


@pytest.mark.parametrize("name", names())
def test_different_seeds_ask_different_questions(name):
    def inputs(seed):
        for question in plain_questions(name, seed):
            if not isinstance(question, Refusal):
                for arguments, options in _calls(question):
                    yield pack_call(Asking(arguments, options))

    def equal(these, those):
        (plan, tensors), (other_plan, other_tensors) = these, those
        shapes = [a.shape for a in tensors] == [b.shape for b in other_tensors]
        same = shapes and all(map(torch.equal, tensors, other_tensors))
        return same and plan == other_plan

    for once, again, other in zip(inputs(3), inputs(3), inputs(2**62), strict=True):
        assert equal(once, again)
        assert not equal(once, other)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("seed", [0, 11])
def test_questions_are_not_degenerate(name, seed):
    for question in plain_questions(name, seed):
        if not isinstance(question, Case) or name == "density_sensitivity":
            continue
        tensors = [a for a in question.arguments if isinstance(a, torch.Tensor)]
        floats = [a for a in tensors if a.dtype.is_floating_point]
        assert all(a.dtype in (torch.float32, torch.float64) for a in floats)
        assert all(a.isfinite().all() and (a.ndim == 0 or len(a) >= 1) for a in floats)
        few = ("of one", "one object", "one box", "(1 of them)", "single", "equal")
        if not any(words in question.kind for words in few):
            assert all(len(a) >= 2 for a in floats if a.ndim)
            assert all(not torch.equal(a[0], a[1]) for a in floats if a.ndim)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("seed", [0, 4])
def test_the_reference_refuses_what_is_asked(name, seed):
    refusals = [q for q in questions(name, seed) if isinstance(q, Refusal)]
    assert refusals
    for question in refusals:
        exercise = get(name)
        call = question.arguments, question.options, None, exercise.through
        answer = attempt(exercise.reference, *call)
        gives_nan = any(bool(value.isnan().any()) for value in answer.values or ())
        assert answer.refused or (question.or_any_sign and gives_nan), question.kind


@pytest.mark.parametrize("name", names())
def test_laws_hold_for_the_reference(name):
    for seed in (0, 6):
        for law in get(name).laws:
            calls = law.calls(Draw(seed, law.sentence))
            reference, through = get(name).reference, get(name).through
            answers = [attempt(reference, *call, through=through) for call in calls]
            values = [a.value if a.kind == "tensor" else a.values for a in answers]
            assert law.holds(values), law.sentence


@pytest.mark.parametrize("name", names())
def test_messages_never_hold_an_expected_value(name):
    for mistake in get(name).wrong[::6]:
        outcome = judge(name, mistake.function, seed=8)
        words = " ".join([outcome.message, *(part.message for part in outcome.parts)])
        for row in outcome.rows:
            for number in row.expected.replace(",", " ").split():
                if number.count(".") == 1 and len(number) > 5 and number[0] not in "0":
                    assert number not in words, (mistake.name, number)


def test_a_stateful_cheat_is_caught(right):
    calls = []

    def right_once(x, y):
        calls.append(1)
        return right(x, y) * (1.0 if len(calls) == 1 else 1.01)

    outcome = judge(NAME, right_once)
    assert (outcome.passed, outcome.score) == (False, 0.0)
    assert outcome.misconception == "not_repeatable"


@pytest.mark.parametrize("refuses", ["the same places", "whatever comes last"])
def test_counting_the_calls_earns_nothing(refuses):
    everything = prepared(get(NAME), 0)
    bad = {
        place
        for place, index in enumerate(everything.order)
        if isinstance(everything.questions[index][1], Refusal)
    }
    if refuses == "whatever comes last":
        bad = set(range(min(bad), len(everything.order)))

    def judged(seed):
        calls = iter(range(1000))

        def counts(x, y):
            if next(calls) in bad:  # as it was when `check` asked
                raise ValueError
            return without_door(x, y)

        return judge(NAME, counts, seed=seed).score

    if refuses == "the same places":
        assert judged(0) == 1.0
    for seed in range(1, 7):
        assert judged(seed) < judge(NAME, without_door, seed=seed).score


def test_bad_input_comes_last_with_a_few_cases_among_it():
    for name in names():
        everything = prepared(get(name), 3)
        kinds = [type(everything.questions[index][1]) for index in everything.order]
        if Refusal in kinds:
            tail = kinds[kinds.index(Refusal) :]
            assert Trial not in tail
            assert Case not in kinds or Case in kinds[-len(tail) - 2 :]
        assert set(everything.order) == set(range(len(everything.questions)))


def test_a_memory_of_shapes_is_caught(right):
    seen = {}

    def remembers(x, y):
        return seen.setdefault((x.shape, y.shape), right(x, y))

    outcome = judge(NAME, remembers)
    assert (outcome.passed, outcome.misconception) == (False, "same_answer")


def test_judging_fails_closed_when_an_exercise_is_broken(right, monkeypatch):
    broken = dataclasses.replace(get(NAME), reference=lambda x, y: None)
    monkeypatch.setattr("mdcv.exercises.judging.get", lambda name: broken)
    outcome = judge(NAME, right)
    assert isinstance(outcome, Outcome)
    assert (outcome.passed, outcome.score) == (False, 0.0)
    assert "could not be judged" in outcome.message


@pytest.mark.parametrize(
    ("name", "part", "odd"),
    [
        ("cross_entropy", "zeros", lambda value: (value, value)),
        ("cross_entropy", "zeros", lambda value: value + 0j),
        ("TNet", "what it learns from", lambda value: value.bool()),
        ("TNet", "what it learns from", lambda value: value.flatten()[:1]),
        ("TNet", "what it learns from", lambda value: value + 0j),
        ("sample_surface", "shares of the triangles", lambda value: (value, value)),
    ],
)
def test_odd_answers_to_several_calls_cost_that_part_and_no_other(name, part, odd):
    """What an examination did not foresee is wrong; it neither passes nor ends the judgment."""

    class Odd(Caller):
        def ask(self, arguments, options, **more):
            answer = super().ask(arguments, options, **more)
            if not any(arguments is call[0] for call in calls) or answer.values is None:
                return answer
            values = [odd(value) for value in answer.values]
            flat = [v for one in values for v in (one if isinstance(one, tuple) else (one,))]
            kind = "tensor" if len(flat) == 1 else "tensors"
            return dataclasses.replace(answer, values=tuple(flat), kind=kind)

    questions = prepared(get(name), 3).questions
    trials = [q for p, q in questions if p.name == part and isinstance(q, Trial)]
    calls = [call for trial in trials for call in trial.calls]
    assert calls
    outcome = judge_with(name, Odd(get(name).reference), seed=3)
    still_open = {verdict.name for verdict in outcome.parts if verdict.earned < 1.0}
    assert {part} <= still_open <= {part, MANNERS}, outcome.message
