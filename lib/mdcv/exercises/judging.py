"""Judges an implementation: asks every question of an exercise and says what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from mdcv.errors import check_integer
from mdcv.exercises.calling import Answer, Caller, attempt
from mdcv.exercises.cases import Draw
from mdcv.exercises.comparing import (
    trouble_with_call,
    trouble_with_digits,
    trouble_with_gradient,
    trouble_with_manners,
    trouble_with_value,
)
from mdcv.exercises.diagnosis import diagnose
from mdcv.exercises.exercise import Case, Exercise, Finding, Part, Question, Refusal, Trial
from mdcv.exercises.isolation import neutral_ground
from mdcv.exercises.registry import get
from mdcv.exercises.suspects import Asked, Suspects, cotangent_seed
from mdcv.exercises.traits import TRAITS

MANNERS = "inputs and dtype kept"


@dataclass(frozen=True)
class PartVerdict:
    """The verdict on one part: its share of the score, and how much of it was earned (0 to 1)."""

    name: str
    share: float
    earned: float
    message: str
    misconception: str | None


@dataclass(frozen=True)
class Row:
    """One line of the table that `check` shows: a question, your answer, the expected one."""

    kind: str
    yours: str
    expected: str


@dataclass(frozen=True)
class Outcome:
    """What came of judging an implementation.

    Args:
        exercise: the name of the exercise.
        passed: every part is earned.
        score: from 0 to 1; exactly 1.0 when passed, exactly 0.0 for a stub.
        message: what a student reads. Holds no expected value, so it is fit for hidden cases.
        misconception: the name of the mistake, when it has one.
        parts: the verdict on every part.
        rows: the failed questions with both answers; only `check` shows them.
        not_yet: the function is still a stub.
    """

    exercise: str
    passed: bool
    score: float
    message: str
    misconception: str | None
    parts: tuple[PartVerdict, ...] = ()
    rows: tuple[Row, ...] = field(default=(), repr=False)
    not_yet: bool = False


def judge(name: str, implementation: Any, *, seed: int = 0) -> Outcome:
    """The verdict on an implementation of the named exercise.

    Never raises for a wrong, crashing, slow or odd implementation, and never waits for one that
    does not return. The same seed gives the same verdict in the same words. Whatever the
    implementation does to random states, gradient mode, default dtype or warnings is undone.

    Args:
        name: one of `names()`.
        implementation: anything; a right one is a function that keeps the exercise's contract.
        seed: which questions are asked, from 0 to 2^63 - 1. `check` asks those of seed 0.

    Raises:
        ValueError: there is no exercise of that name, or the seed is out of range. These are
            mistakes of the caller, not of the implementation.

    >>> judge("chamfer_distance", lambda x, y: None).misconception
    'returns_nothing'
    """
    exercise = get(name)
    check_integer("seed", seed, low=0, high=2**63 - 1)
    with neutral_ground():
        try:
            return judge_exercise(exercise, implementation, seed)
        except Exception as error:
            words = f"{name} could not be judged ({type(error).__name__}); it counts as not passed."
            return Outcome(name, False, 0.0, words, None)


def judge_exercise(exercise: Exercise, implementation: Any, seed: int) -> Outcome:
    """Judges one exercise, on neutral ground."""
    if not callable(implementation):
        came = f"What came is of type {type(implementation).__name__}."
        return _nothing(exercise, f"{TRAITS['not_callable']} {came}", "not_callable")
    caller = Caller(implementation)
    asked: list[Asked] = []
    for part in exercise.parts:
        for question in part.questions(Draw(seed, f"{exercise.name}/{part.name}")):
            asked.append(_ask(caller, exercise, part, question, seed))
            if asked[0].answers[0].unwritten:
                return _not_yet(exercise)
    return _sum_up(exercise, asked, caller, seed)


def _nothing(exercise: Exercise, message: str, misconception: str | None) -> Outcome:
    return Outcome(exercise.name, False, 0.0, message, misconception)


def _not_yet(exercise: Exercise) -> Outcome:
    words = f"Not yet: {exercise.name} still raises NotImplementedError."
    return replace(_nothing(exercise, words, None), not_yet=True)


def _ask(caller: Caller, exercise: Exercise, part: Part, question: Question, seed: int) -> Asked:
    """Asks one question and judges the answer by itself."""
    if isinstance(question, Case):
        return _ask_case(caller, exercise, part, question, seed)
    if isinstance(question, Refusal):
        answer = caller.ask(question.arguments, question.options)
        return Asked(part, question, (answer,), None, _refusal_finding(exercise, answer, question))
    answers = tuple(caller.ask(arguments, options) for arguments, options in question.calls)
    return Asked(part, question, answers, None, _trial_finding(answers, question))


def _ask_case(caller: Caller, exercise: Exercise, part: Part, case: Case, seed: int) -> Asked:
    cotangent = None if case.gradient == "none" else cotangent_seed(seed)
    expected = attempt(exercise.reference, case.arguments, case.options, cotangent)
    assert expected.value is not None, f"the reference fails with {case.kind}: {expected.text}"
    answer = caller.ask(case.arguments, case.options, cotangent_seed=cotangent)
    finding = trouble_with_value(answer, expected, case)
    if finding is None and case.gradient != "none":
        finding = trouble_with_gradient(answer, expected, case)
    return Asked(part, case, (answer,), expected, finding)


def _refusal_finding(exercise: Exercise, answer: Answer, refusal: Refusal) -> Finding | None:
    if answer.refused or (refusal.or_any_sign and _gives_a_sign(answer)):
        return None
    wanted = "a ValueError"
    if answer.late:
        trouble = trouble_with_call(answer, refusal.kind)
        assert trouble is not None
        return replace(trouble, expected=wanted)
    if answer.error:
        came = f"{answer.error}: {answer.text}" if answer.text else answer.error
        words = f"{TRAITS['wrong_exception']} With {refusal.kind} came {came}"
        return Finding(words, "wrong_exception", came, wanted)
    words = f"{exercise.sentence_of(refusal.misconception)} Asked with {refusal.kind}."
    return Finding(words, refusal.misconception, answer.returned, wanted)


def _gives_a_sign(answer: Answer) -> bool:
    holds_nan = answer.value is not None and bool(answer.value.isnan().any())
    return holds_nan or (bool(answer.error) and not answer.unwritten)


def _trial_finding(answers: Sequence[Answer], trial: Trial) -> Finding | None:
    for answer in answers:
        trouble = trouble_with_call(answer, trial.kind)
        if trouble is not None:
            return trouble
    return trial.examine([answer.value for answer in answers if answer.value is not None])


def _sum_up(exercise: Exercise, asked: list[Asked], caller: Caller, seed: int) -> Outcome:
    """Adds the parts up, names the mistake, and writes the message."""
    total = sum(part.share for part in exercise.parts) + exercise.manners
    suspects = Suspects(exercise, asked, seed)
    verdicts = []
    for part in exercise.parts:
        mine = [one for one in asked if one.part is part]
        failed = [one for one in mine if one.finding is not None]
        finding = diagnose(exercise, suspects, part, caller, seed) if failed else None
        verdicts.append(_verdict(part.name, part.share / total, mine, failed, finding))
    verdicts.append(_manners(exercise.manners / total, asked))
    passed = all(verdict.earned == 1.0 for verdict in verdicts)
    values = {part.name for part in exercise.parts if part.is_value}
    any_value = any(verdict.earned == 1.0 for verdict in verdicts if verdict.name in values)
    score = sum(verdict.share * verdict.earned for verdict in verdicts) if any_value else 0.0
    first = next((verdict for verdict in verdicts if verdict.earned < 1.0), None)
    return Outcome(
        exercise=exercise.name,
        passed=passed,
        score=1.0 if passed else min(score, 0.999),
        message=_message(exercise, verdicts, first, any_value),
        misconception=first.misconception if first else None,
        parts=tuple(verdicts),
        rows=_rows(asked),
    )


def _verdict(
    name: str, share: float, mine: list[Asked], failed: list[Asked], finding: Finding | None
) -> PartVerdict:
    if finding is None:
        return PartVerdict(name, share, 1.0, "right", None)
    refusals = all(isinstance(one.question, Refusal) for one in mine)
    earned = 1.0 - len(failed) / len(mine) if refusals else 0.0
    return PartVerdict(name, share, earned, finding.sentence, finding.misconception)


def _manners(share: float, asked: list[Asked]) -> PartVerdict:
    finding = next((finding for _, finding in _ill_manners(asked)), None)
    if finding is None:
        return PartVerdict(MANNERS, share, 1.0, "right", None)
    return PartVerdict(MANNERS, share, 0.0, finding.sentence, finding.misconception)


def _ill_manners(asked: list[Asked]) -> Iterator[tuple[str, Finding]]:
    """Every answer with a changed input, another dtype or device, or too few digits."""
    for one in asked:
        kind, dtype = one.question.kind, getattr(one.question, "dtype", None)
        if one.expected is not None and one.expected.value is not None:
            dtype = one.expected.value.dtype
        for answer in one.answers:
            finding = trouble_with_manners(answer, dtype, kind)
            if finding is not None:
                yield kind, finding
    finding = trouble_with_digits(*_digits(asked))
    if finding is not None:
        yield "all float64 inputs", finding


def _digits(asked: list[Asked]) -> tuple[list[Tensor], int]:
    """The float64 answers that pass, and how many of their numbers need more than float32."""
    yours, telling = [], 0
    for one in asked:
        if one.finding is not None or isinstance(one.question, Refusal):
            continue
        for answer in one.answers:
            right = answer if one.expected is None else one.expected
            dtype = getattr(one.question, "dtype", None) if one.expected is None else None
            wide = (dtype or right.value.dtype) == torch.float64
            if wide and answer.value.dtype == torch.float64:
                yours.append(answer.value)
                random = one.expected is None
                telling += answer.value.numel() if random else _long_numbers(right.value)
    return yours, telling


def _long_numbers(values: Tensor) -> int:
    return int((values != values.float()).sum())


def _message(
    exercise: Exercise,
    verdicts: list[PartVerdict],
    first: PartVerdict | None,
    any_value: bool,
) -> str:
    if first is None:
        return f"{exercise.name}: all {len(verdicts)} parts are right."
    words = f"{exercise.name}, {first.name}: {first.message}"
    right = [verdict.name for verdict in verdicts if verdict.earned == 1.0]
    still = [v.name for v in verdicts if v.earned < 1.0 and v is not first]
    if any_value and right:
        words += f" Right: {', '.join(right)}."
        if still:
            words += f" Also open: {', '.join(still)}."
    return words


def _rows(asked: list[Asked]) -> tuple[Row, ...]:
    failed = [(one.question.kind, one.finding) for one in asked if one.finding is not None]
    failed += list(_ill_manners(asked))[:1]
    rows: dict[str, Row] = {}
    for kind, f in failed:
        if f.yours or f.expected:
            rows.setdefault(f.yours, Row(kind, f.yours, f.expected))
    return tuple(rows.values())
