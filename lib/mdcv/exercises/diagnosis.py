"""Names the mistake behind a failed part.

A mistake with a name is found by recomputation: its function is asked the same questions, and
when every answer is the same as the student's, that is the mistake. Without a match there are
clues: a constant ratio, a sign, a square, a permuted batch, a law that is broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mdcv.exercises.calling import Answer, Caller, attempt
from mdcv.exercises.cases import Draw
from mdcv.exercises.comparing import close, same
from mdcv.exercises.exercise import Case, Exercise, Finding, Mistake, Part, Question
from mdcv.exercises.traits import TRAITS


@dataclass(frozen=True, eq=False)
class Asked:
    """A question, its answers, and what is wrong with them by themselves."""

    part: Part
    question: Question
    answers: tuple[Answer, ...]
    expected: Answer | None
    finding: Finding | None


def diagnose(
    exercise: Exercise, asked: Sequence[Asked], part: Part, caller: Caller, seed: int
) -> Finding:
    """The finding for a failed part: a named mistake, a trait, or clues."""
    failed = [one for one in asked if one.part is part and one.finding is not None]
    first = failed[0].finding
    assert first is not None
    mistake = _mistake_behind(exercise, asked, part, seed)
    if mistake is not None:
        sentence = mistake.sentence or TRAITS[mistake.name]
        words = f"{sentence} Seen with {failed[0].question.kind}."
        return replace(first, sentence=words, misconception=mistake.name)
    if first.misconception is not None or not isinstance(failed[0].question, Case):
        return first
    repeated = _same_answer(asked)
    if repeated is not None:
        return replace(first, sentence=f"{first.sentence} {repeated}", misconception="same_answer")
    clue = _clue(failed) or _broken_law(exercise, caller, seed)
    return replace(first, sentence=f"{first.sentence} {clue}") if clue else first


def _mistake_behind(
    exercise: Exercise, asked: Sequence[Asked], part: Part, seed: int
) -> Mistake | None:
    """The mistake that gives the student's answers: to all cases, or to those of this part.

    Three levels, the strongest first: the same in every case; the same in every case that asks
    for the plain value; the same in every case of this part. Within a level the one that agrees
    in most cases wins, and then the one listed first.
    """
    cases = [one for one in asked if isinstance(one.question, Case)]
    if not any(one.part is part and one.finding is not None for one in cases):
        return None
    best: tuple[tuple[int, int], Mistake] | None = None
    for mistake in exercise.wrong:
        rank = _rank(mistake, cases, part, seed)
        if rank is not None and (best is None or rank > best[0]):
            best = (rank, mistake)
    return best[1] if best else None


def _rank(
    mistake: Mistake, cases: Sequence[Asked], part: Part, seed: int
) -> tuple[int, int] | None:
    """How well the mistake explains the answers: level and number of cases; None if it does not."""
    agrees, values_agree = [], []
    for one in cases:
        case, answer = one.question, one.answers[0]
        assert isinstance(case, Case)
        cotangent = None if case.gradient == "none" else seed % 2**31
        theirs = attempt(mistake.function, case.arguments, case.options, cotangent)
        agrees.append(same(answer, theirs, case))
        values_agree.append(same(answer, theirs, case, with_gradient=False))
    count = sum(agrees)
    if all(agrees):
        return 3, count
    here = [i for i, one in enumerate(cases) if one.part is part]
    plain = [i for i, one in enumerate(cases) if one.part.is_value]
    wrong_value = any(cases[i].finding is not None for i in plain)
    if wrong_value and part.is_value and all(values_agree[i] for i in plain):
        return 2, count
    if all(agrees[i] for i in here):
        return 1, count
    return None


def _same_answer(asked: Sequence[Asked]) -> str | None:
    """Words, when two questions with different answers got exactly one answer."""
    cases = [one for one in asked if isinstance(one.question, Case) and one.expected is not None]
    for i, a in enumerate(cases):
        for b in cases[:i]:
            mine, other = a.answers[0].value, b.answers[0].value
            if mine is None or other is None or mine.shape != other.shape:
                continue
            if not bool(mine.any()) or not torch.equal(mine, other):
                continue
            if not _equal(a.expected, b.expected):
                return TRAITS["same_answer"]
    return None


def _equal(a: Answer | None, b: Answer | None) -> bool:
    return a is not None and b is not None and close(a.value, b.value, 1e-9, 1e-12)


def _clue(failed: Sequence[Asked]) -> str | None:
    """How the student's numbers relate to the right ones, when one relation holds in all cases."""
    pairs = []
    for one in failed:
        yours, theirs = one.answers[0].value, one.expected.value if one.expected else None
        if yours is None or theirs is None or yours.shape != theirs.shape:
            return None
        if not theirs.dtype.is_floating_point or yours.dtype.is_complex:
            return None
        pairs.append((yours.to(torch.float64), theirs.to(torch.float64)))
    relations = (
        ("Your value is the right one with the opposite sign.", lambda y, t, c: (y, -t)),
        ("Your value is the square of the right one.", lambda y, t, c: (y, t * t)),
        (
            "Your value is the square root of the right one.",
            lambda y, t, c: (y, t.clamp(min=0).sqrt()),
        ),
        ("The values are right but sit at other batch positions.", _batch_sorted),
        ("Your value is N times the right one (N points of x).", _ratio_of(0, 1, +1)),
        ("Your value is the right one divided by N (the points of x).", _ratio_of(0, 1, -1)),
        ("Your value is M times the right one (M points of y).", _ratio_of(1, 1, +1)),
        ("Your value is the right one divided by M (the points of y).", _ratio_of(1, 1, -1)),
        ("Your value is the right one times the batch size.", _ratio_of(0, 0, +1)),
        ("Your value is the right one divided by the batch size.", _ratio_of(0, 0, -1)),
        ("Your value is the right one times the dimension D.", _ratio_of(0, 2, +1)),
        ("Your value is the right one divided by the dimension D.", _ratio_of(0, 2, -1)),
    )
    for words, relation in relations:
        if all(
            _relation_holds(relation, y, t, one.question)
            for (y, t), one in zip(pairs, failed, strict=True)
        ):
            return words
    return _constant_ratio(pairs)


def _relation_holds(relation, yours: Tensor, theirs: Tensor, case: Question) -> bool:
    sides = relation(yours, theirs, case)
    return sides is not None and close(sides[0], sides[1], 1e-4, 1e-7)


def _batch_sorted(yours: Tensor, theirs: Tensor, case: Question):
    if yours.ndim != 1 or len(yours) < 2:
        return None
    return yours.sort().values, theirs.sort().values


def _ratio_of(argument: int, axis: int, power: int):
    """The relation yours = right × size^power, the size read from the case's arguments."""

    def relation(yours: Tensor, theirs: Tensor, case: Question):
        arguments = [a for a in case.arguments if isinstance(a, Tensor)]  # type: ignore[union-attr]
        if len(arguments) <= argument or arguments[argument].ndim <= axis:
            return None
        return yours, theirs * float(arguments[argument].shape[axis]) ** power

    return relation


def _constant_ratio(pairs: Sequence[tuple[Tensor, Tensor]]) -> str | None:
    yours = torch.cat([y.flatten() for y, _ in pairs])
    theirs = torch.cat([t.flatten() for _, t in pairs])
    keep = theirs.abs() > 1e-6
    if int(keep.sum()) < 3:
        return None
    ratio = yours[keep] / theirs[keep]
    middle = ratio.median()
    if bool(((ratio - middle).abs() < 1e-4 * middle.abs()).all()) and abs(middle - 1) > 1e-3:
        return f"Your value is {middle.item():.4g} times the right one, in every case."
    return None


def _broken_law(exercise: Exercise, caller: Caller, seed: int) -> str | None:
    for law in exercise.laws:
        calls = law.calls(Draw(seed, f"{exercise.name}/{law.sentence}"))
        answers = [caller.ask(arguments, options) for arguments, options in calls]
        values = [answer.value for answer in answers if answer.value is not None]
        if len(values) < len(answers):
            continue
        try:
            holds = law.holds(values)
        except (RuntimeError, IndexError):  # an answer of the wrong shape obeys no law
            holds = True
        if not holds:
            return law.sentence
    return None
