"""Finds the named mistake behind wrong answers, by asking every mistake the same questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mdcv.exercises.calling import Answer
from mdcv.exercises.comparing import same, trouble_with_gradient, trouble_with_value
from mdcv.exercises.exercise import Case, Finding, Mistake, Part, Question, Trial
from mdcv.exercises.prepared import Prepared

#: Two fingerprints are alike when they are this many standard errors apart at most.
MAX_Z = 5.0

#: How well a mistake explains the answers: the level, and the number of answers explained.
Rank = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Asked:
    """A question, its answers, and what is wrong with them by themselves."""

    index: int
    part: Part
    question: Question
    answers: tuple[Answer, ...]
    expected: Answer | None
    finding: Finding | None


class Suspects:
    """The mistakes of an exercise, compared with one implementation's answers."""

    def __init__(self, prepared: Prepared, asked: Sequence[Asked]) -> None:
        self.asked = asked
        self._prepared = prepared
        self._mistakes = prepared.exercise.wrong
        self._comparable = [one for one in asked if _is_comparable(one)]
        self._agreements: dict[tuple[str, int], tuple[bool, bool]] = {}
        self._fingerprints: dict[int, tuple[Tensor, Tensor] | None] = {}

    def behind(self, part: Part) -> Mistake | None:
        """The mistake that gives the same answers, at least to every question of this part.

        Three levels, the strongest first: the same answer to every question; the same value to
        every question for the plain value; the same answer to every question of this part. Within
        a level the one that agrees most often wins, and then the one listed first.
        """
        if not any(one.part is part and one.finding is not None for one in self._comparable):
            return None
        best: tuple[Rank, Mistake] | None = None
        for mistake in self._mistakes:
            rank = self._rank(mistake, part)
            if rank is not None and (best is None or rank > best[0]):
                best = (rank, mistake)
        return best[1] if best else None

    def _rank(self, mistake: Mistake, part: Part) -> Rank | None:
        """How well the mistake explains the answers; None when it does not."""
        here = [one for one in self._comparable if one.part is part]
        if not all(self._agreement(mistake, one)[0] for one in here):
            return None
        agreements = [(one, *self._agreement(mistake, one)) for one in self._comparable]
        count = sum(whole for _, _, whole in agreements)
        if count == len(agreements):
            return 3, count
        if part.is_value and all(value for one, value, _ in agreements if one.part.is_value):
            return 2, count
        return (1, count) if all(whole for one, _, whole in agreements if one in here) else None

    def _agreement(self, mistake: Mistake, one: Asked) -> tuple[bool, bool]:
        """Whether the mistake gives the same value, and the same gradient as well."""
        key = (mistake.name, id(one))
        if key not in self._agreements:
            self._agreements[key] = self._compare(mistake, one)
        return self._agreements[key]

    def _compare(self, mistake: Mistake, one: Asked) -> tuple[bool, bool]:
        question = one.question
        if isinstance(question, Trial):
            alike = self._same_fingerprint(mistake, one, question)
            return alike, alike
        assert isinstance(question, Case)
        if one.answers[0].late:
            return False, False
        (theirs,) = self._prepared.answers_of(mistake, one.index)
        value = same(one.answers[0], theirs, question, with_gradient=False)
        if value and one.finding is not None and self._is_right(theirs, one, question):
            return False, False  # nearly the student's answer, but right: it explains nothing
        return value, value and same(one.answers[0], theirs, question)

    def _same_fingerprint(self, mistake: Mistake, one: Asked, trial: Trial) -> bool:
        answers = self._prepared.answers_of(mistake, one.index)
        if any(not a.values for a in one.answers) or _shapes(answers) != _shapes(one.answers):
            return False
        if id(one) not in self._fingerprints:
            self._fingerprints[id(one)] = _fingerprint(trial, one.answers)
        if one.finding is not None and trial.examine(trial.read(answers)) is None:
            return False
        mine, theirs = self._fingerprints[id(one)], _fingerprint(trial, answers)
        if mine is None or theirs is None or mine[0].shape != theirs[0].shape:
            return False
        apart = (mine[0] - theirs[0]).abs()
        return bool((apart <= MAX_Z * torch.hypot(mine[1], theirs[1])).all())

    def _is_right(self, answer: Answer, one: Asked, case: Case) -> bool:
        """Whether an answer of a mistake passes, at a question where the student's does not."""
        exercise, expected = self._prepared.exercise, one.expected
        if expected is None or trouble_with_value(answer, expected, case, exercise) is not None:
            return False
        return case.gradient == "none" or trouble_with_gradient(answer, expected, case) is None


def _shapes(answers: Sequence[Answer]) -> list[list[tuple[int, ...]]]:
    return [[tuple(value.shape) for value in answer.values or ()] for answer in answers]


def _is_comparable(one: Asked) -> bool:
    if isinstance(one.question, Trial):
        return one.question.fingerprint is not None
    return isinstance(one.question, Case)


def _fingerprint(trial: Trial, answers: Sequence[Answer]) -> tuple[Tensor, Tensor] | None:
    if trial.fingerprint is None or any(not answer.values for answer in answers):
        return None
    return trial.fingerprint(trial.read(answers))
