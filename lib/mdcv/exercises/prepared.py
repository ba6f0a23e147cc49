"""What does not depend on the student: the questions of one seed, and who answers them how.

Grading a class asks hundreds of students the same questions. What the reference answers, and what
each named mistake answers, is computed when it is first needed, and once.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import torch

from mdcv.exercises.calling import Answer, attempt
from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Case, Exercise, Mistake, Part, Question, Refusal, Trial
from mdcv.exercises.isolation import global_state_kept, seed_global_state
from mdcv.seeds import generator


class Prepared:
    """The questions of one exercise for one seed, with the answers of all but the student.

    `order` is the one in which they are asked, some of them twice; it depends on the seed.
    """

    def __init__(self, exercise: Exercise, seed: int) -> None:
        self.exercise = exercise
        self.questions: list[tuple[Part, Question]] = [
            (part, question)
            for part in exercise.parts
            for question in part.questions(Draw(seed, f"{exercise.name}/{part.name}"))
        ]
        self.order = self._order(seed)
        self._cotangent = seed % 2**31
        self._expected: dict[int, Answer] = {}
        self._mistaken: dict[tuple[str, int], tuple[Answer, ...]] = {}

    def _order(self, seed: int) -> list[int]:
        """Bad input comes last, since some functions hang there, with a few cases among it.

        Asked of bad input alone, a function could count its calls and refuse whatever comes last.
        """
        questions = [question for _, question in self.questions]
        bad = [i for i, question in enumerate(questions) if isinstance(question, Refusal)]
        cases = [i for i, question in enumerate(questions) if isinstance(question, Case)]
        drawn = generator(seed)
        if bad and cases:
            picked = torch.randint(len(cases), (max(2, len(bad) // 2),), generator=drawn)
            bad += [cases[pick] for pick in picked.tolist()]
        shuffled = torch.randperm(len(bad), generator=drawn).tolist()
        good = [i for i, question in enumerate(questions) if not isinstance(question, Refusal)]
        return good + [bad[place] for place in shuffled]

    def cotangent(self, question: Question) -> int | None:
        """The seed of the cotangents for this question; None where no gradient is asked."""
        asks = isinstance(question, Case) and question.gradient != "none"
        return self._cotangent if asks else None

    def expected(self, index: int) -> Answer:
        """The reference's answer to a case."""
        if index not in self._expected:
            case = self.questions[index][1]
            assert isinstance(case, Case)
            answer = self._ask(self.exercise.reference, index, case.arguments, case.options)
            assert answer.values, f"the reference fails with {case.kind}: {answer.text}"
            self._expected[index] = answer
        return self._expected[index]

    def answers_of(self, mistake: Mistake, index: int) -> tuple[Answer, ...]:
        """What a named mistake answers to a case or a trial."""
        key = mistake.name, index
        if key not in self._mistaken:
            question = self.questions[index][1]
            calls = question.calls if isinstance(question, Trial) else [_call_of(question)]
            self._mistaken[key] = tuple(
                self._ask(mistake.function, index, *call, number=number)
                for number, call in enumerate(calls)
            )
        return self._mistaken[key]

    def _ask(
        self,
        function: Any,
        index: int,
        arguments: tuple[Any, ...],
        options: Mapping[str, Any],
        *,
        number: int = 0,
    ) -> Answer:
        """Asks in a global random state that depends on nothing but the question and the call."""
        cotangent = self.cotangent(self.questions[index][1])
        with global_state_kept():
            seed_global_state(1000 * (index + 1) + number)
            return attempt(function, arguments, options, cotangent, self.exercise.through)


def _call_of(question: Any) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    return question.arguments, question.options


@functools.lru_cache(maxsize=32)
def prepared(exercise: Exercise, seed: int) -> Prepared:
    """The questions and answers of one exercise and seed, kept for the next student."""
    return Prepared(exercise, seed)
