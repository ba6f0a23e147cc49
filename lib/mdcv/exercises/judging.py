"""Judges an implementation: asks every question of an exercise and says what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from mdcv.errors import check_integer
from mdcv.exercises.calling import Answer, Caller
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
from mdcv.exercises.prepared import Prepared, prepared
from mdcv.exercises.registry import get
from mdcv.exercises.suspects import Asked, Suspects
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


class Asks(Protocol):
    """Asks one implementation, wherever it runs.

    `mdcv.exercises.calling.Caller` asks here and keeps the time; who asks in another process
    overrides its `answer_within` and inherits the rest, so that verdicts are the same.
    """

    def ask(
        self,
        arguments: tuple[Any, ...],
        options: Mapping[str, Any],
        *,
        cotangent_seed: int | None = None,
        through: str | None = None,
        limit: float | None = None,
    ) -> Answer:
        """The answer to one call; late, wrong or odd, but always an answer."""
        ...


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
    return judge_with(name, Caller(implementation), seed=seed)


def judge_with(name: str, caller: Asks, *, seed: int = 0) -> Outcome:
    """The verdict on whatever answers through this caller, here or in another process.

    Args:
        name: one of `names()`.
        caller: see `Asks`; `mdcv.exercises.calling.Caller` asks here. One caller, one judgment.
        seed: as for `judge`.

    Raises:
        ValueError: as for `judge`.
    """
    exercise = get(name)
    check_integer("seed", seed, low=0, high=2**63 - 1)
    with neutral_ground():
        try:
            return _judge_exercise(exercise, caller, seed)
        except Exception as error:
            words = f"{name} could not be judged ({type(error).__name__}); it counts as not passed."
            return Outcome(name, False, 0.0, words, None)


def _judge_exercise(exercise: Exercise, caller: Asks, seed: int) -> Outcome:
    questions = prepared(exercise, seed)
    asked: dict[int, Asked] = {}
    for index in questions.order:
        one = _ask(caller, questions, index, *questions.questions[index])
        if index not in asked or (one.finding is not None and not one.answers[-1].late):
            asked[index] = one  # who is asked again has to be right again
        first = asked[questions.order[0]].answers[0]
        if first.unwritten:
            return _not_yet(exercise)
        if first.kind == "not callable":
            came = f"What came is {first.returned}."
            return _nothing(exercise, f"{TRAITS['not_callable']} {came}", "not_callable")
    return _sum_up(questions, [asked[index] for index in sorted(asked)], caller, seed)


def _nothing(exercise: Exercise, message: str, misconception: str | None) -> Outcome:
    return Outcome(exercise.name, False, 0.0, message, misconception)


def _not_yet(exercise: Exercise) -> Outcome:
    words = f"Not yet: {exercise.name} still raises NotImplementedError."
    return replace(_nothing(exercise, words, None), not_yet=True)


def _ask(caller: Asks, prepared: Prepared, index: int, part: Part, question: Question) -> Asked:
    """Asks one question and judges the answer by itself."""
    exercise, through = prepared.exercise, prepared.exercise.through
    if isinstance(question, Case):
        return _ask_case(caller, prepared, index, part, question)
    if isinstance(question, Refusal):
        answer = caller.ask(question.arguments, question.options, through=through)
        finding = _refusal_finding(exercise, answer, question)
        return Asked(index, part, question, (answer,), None, finding)
    limit = question.limit
    answers = tuple(caller.ask(*call, through=through, limit=limit) for call in question.calls)
    return Asked(index, part, question, answers, None, _trial_finding(answers, question))


def _ask_case(caller: Asks, prepared: Prepared, index: int, part: Part, case: Case) -> Asked:
    answer = caller.ask(
        case.arguments,
        case.options,
        cotangent_seed=prepared.cotangent(case),
        through=prepared.exercise.through,
        limit=case.limit,
    )
    expected = prepared.expected(index)
    finding = trouble_with_value(answer, expected, case, prepared.exercise)
    if finding is None and case.gradient != "none":
        finding = trouble_with_gradient(answer, expected, case)
    return Asked(index, part, case, (answer,), expected, finding)


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
    holds_nan = any(bool(value.isnan().any()) for value in answer.values or ())
    return holds_nan or (bool(answer.error) and not answer.unwritten)


def _trial_finding(answers: Sequence[Answer], trial: Trial) -> Finding | None:
    for answer in answers:
        trouble = trouble_with_call(answer, trial.kind)
        if trouble is not None:
            return trouble
    try:
        return trial.examine(trial.read(answers))
    except Exception:  # more values, fewer, or others than can be examined: wrong, this part alone
        came = " and ".join(dict.fromkeys(answer.returned for answer in answers))
        return Finding(f"With {trial.kind} came something else than the contract says: {came}.")


def _sum_up(prepared: Prepared, asked: list[Asked], caller: Asks, seed: int) -> Outcome:
    """Adds the parts up, names the mistake, and writes the message."""
    exercise = prepared.exercise
    total = sum(part.share for part in exercise.parts) + exercise.manners
    suspects = Suspects(prepared, asked)
    verdicts = []
    for part in exercise.parts:
        mine = [one for one in asked if one.part is part]
        failed = [one for one in mine if one.finding is not None]
        finding = _diagnosed(exercise, suspects, part, caller, seed) if failed else None
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


def _diagnosed(
    exercise: Exercise, suspects: Suspects, part: Part, caller: Asks, seed: int
) -> Finding | None:
    """What a failed part is told; an answer too odd to be diagnosed costs no other part."""
    try:
        return diagnose(exercise, suspects, part, caller, seed)
    except Exception:
        found = (one.finding for one in suspects.asked if one.part is part)
        return next(finding for finding in found if finding is not None)


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
        for answer in one.answers:
            finding = trouble_with_manners(answer, _dtypes(one, answer), one.question.kind)
            if finding is not None:
                yield one.question.kind, finding
    finding = trouble_with_digits(*_digits(asked))
    if finding is not None:
        yield "all float64 inputs", finding


def _dtypes(one: Asked, answer: Answer) -> list[torch.dtype] | None:
    """The dtypes that the values of an answer should have; None where none is asked."""
    if one.expected is not None:
        return [value.dtype for value in one.expected.values or ()]
    dtype = getattr(one.question, "dtype", None)
    return [dtype] * len(answer.values or ()) if dtype is not None else None


def _digits(asked: list[Asked]) -> tuple[list[Tensor], int]:
    """The float64 answers that pass, and how many of their numbers need more than float32."""
    yours, telling = [], 0
    for one in asked:
        if one.finding is not None or isinstance(one.question, Refusal):
            continue
        for answer in one.answers:
            values = answer.values or ()
            right = one.expected.values or () if one.expected is not None else values
            dtypes = _dtypes(one, answer) or [value.dtype for value in values]
            for value, like, dtype in zip(values, right, dtypes, strict=False):
                if dtype == torch.float64 and value.dtype == torch.float64:
                    yours.append(value)
                    random = one.expected is None
                    telling += value.numel() if random else _long_numbers(like)
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
