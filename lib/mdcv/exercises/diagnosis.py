"""Names the mistake behind a failed part.

A mistake with a name is found by recomputation: its function is asked the same questions, and
when every answer is the same as the student's, that is the mistake. Without a match there are
clues: a constant ratio, a sign, a square, a permuted batch, a law that is broken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from mdcv.exercises.cases import Draw
from mdcv.exercises.comparing import close, same
from mdcv.exercises.exercise import Case, Exercise, Finding, Part, Refusal
from mdcv.exercises.relations import RELATIONS, constant_ratio
from mdcv.exercises.suspects import Asked, Suspects
from mdcv.exercises.traits import TRAITS


def diagnose(exercise: Exercise, suspects: Suspects, part: Part, caller: Any, seed: int) -> Finding:
    """The finding for a failed part: a named mistake, a trait, or clues."""
    asked = suspects.asked
    failed = [one for one in asked if one.part is part and one.finding is not None]
    refused = [one for one in failed if isinstance(one.question, Refusal)]
    if refused:
        return _not_refused(refused)
    first = failed[0].finding
    assert first is not None
    mistake = suspects.behind(part)
    if mistake is not None:
        words = f"{exercise.sentence_of(mistake.name)} Seen with {failed[0].question.kind}."
        return replace(first, sentence=words, misconception=mistake.name)
    if first.misconception is not None or not isinstance(failed[0].question, Case):
        return first
    return _with_clue(first, exercise, asked, failed, caller, seed)


def _not_refused(failed: Sequence[Asked]) -> Finding:
    """One finding for all bad input that was not refused; what was accepted comes first."""
    findings = [one.finding for one in failed if one.finding is not None]
    leading = next((f for f in findings if f.misconception != "wrong_exception"), findings[0])
    others = [one.question.kind for one in failed if one.finding is not leading]
    more = f" Not refused as asked either: {'; '.join(others)}." if others else ""
    return replace(leading, sentence=leading.sentence + more)


def _with_clue(
    first: Finding,
    exercise: Exercise,
    asked: Sequence[Asked],
    failed: Sequence[Asked],
    caller: Any,
    seed: int,
) -> Finding:
    """The finding with the first clue that fits, and the name of a trait where one is sure."""
    for trait, is_seen in (
        ("not_repeatable", _not_repeatable(asked, caller, exercise)),
        ("same_answer", _same_answer(asked)),
    ):
        if is_seen:
            words = f"{TRAITS[trait]} {first.sentence}"
            return replace(first, sentence=words, misconception=trait)
    pairs = list(_wrong_values(failed))
    words = _relation(pairs)
    if words is not None:
        return replace(first, sentence=f"{words} {first.sentence}")
    for clue in exercise.clues:
        if pairs and all(clue.seen(yours, theirs, case) for yours, theirs, case in pairs):
            words = f"{clue.sentence} {first.sentence}"
            return replace(first, sentence=words, misconception=clue.misconception)
    words = _broken_law(exercise, caller, seed)
    return replace(first, sentence=f"{words} {first.sentence}") if words else first


def _wrong_values(failed: Sequence[Asked]) -> Iterable[tuple[Tensor, Tensor, Case]]:
    """Your value and the right one, for each case that failed with a value of the right shape.

    Of a tuple those values that are wrong.
    """
    for one in failed:
        case, expected = one.question, one.expected
        mine, theirs = one.answers[0].values or (), expected.values or () if expected else ()
        if len(mine) != len(theirs):
            continue
        assert isinstance(case, Case)
        for yours, right in zip(mine, theirs, strict=True):
            if len(mine) > 1 and close(yours, right, case.rtol, case.atol):
                continue
            if yours.shape == right.shape:
                yield yours, right, case


def _not_repeatable(asked: Sequence[Asked], caller: Any, exercise: Exercise) -> bool:
    """Whether the first question gets another answer when it is asked again."""
    first = next((one for one in asked if isinstance(one.question, Case)), None)
    if first is None or first.answers[0].values is None:
        return False
    case = first.question
    assert isinstance(case, Case)
    if case.limit is not None:
        return False  # asking again would take too long
    again = caller.ask(case.arguments, case.options, through=exercise.through).values
    return again is not None and not _equal(again, first.answers[0].values, 1e-9)


def _equal(these: Sequence[Tensor], those: Sequence[Tensor], rtol: float) -> bool:
    pairs = zip(these, those, strict=False)
    return len(these) == len(those) and all(close(a, b, rtol, 1e-12) for a, b in pairs)


def _same_answer(asked: Sequence[Asked]) -> bool:
    """Whether two questions with different right answers got exactly one answer."""
    cases = [one for one in asked if isinstance(one.question, Case) and one.part.is_value]
    for i, a in enumerate(cases):
        for b in cases[:i]:
            mine, other = a.answers[0].values, b.answers[0].values
            if mine is None or other is None or not _equal(mine, other, 1e-12):
                continue
            if not same(a.expected, b.expected, a.question):
                return True
    return False


def _relation(pairs: Sequence[tuple[Tensor, Tensor, Case]]) -> str | None:
    """How all of the student's numbers relate to the right ones, in words."""
    floats = [p for p in pairs if p[0].is_floating_point() and p[1].is_floating_point()]
    if not floats or len(floats) < len(pairs):
        return None
    wide = [(y.double(), t.double(), case) for y, t, case in floats]
    if all(close(yours, theirs, 1e-4, 1e-7) for yours, theirs, _ in wide):
        return None  # almost right as they stand: any relation would be an accident
    for words, relation in RELATIONS:
        sides = [relation(*triple) for triple in wide]
        if all(side is not None and close(*side, 1e-4, 1e-7) for side in sides):
            return words
    return constant_ratio([(yours, theirs) for yours, theirs, _ in wide])


def _broken_law(exercise: Exercise, caller: Any, seed: int) -> str | None:
    """The sentence of the first law that the implementation breaks."""
    for law in exercise.laws:
        calls = law.calls(Draw(seed, f"{exercise.name}/{law.sentence}"))
        answers = [caller.ask(*call, through=exercise.through) for call in calls]
        if any(answer.values is None for answer in answers):
            continue
        values = [a.value if a.kind == "tensor" else a.values for a in answers]
        try:
            holds = law.holds(values)
        except (RuntimeError, IndexError):  # an answer of the wrong shape obeys no law
            holds = True
        if not holds:
            return law.sentence
    return None
