"""What an exercise is: data that says what a graded function must do, and how it goes wrong.

One `Exercise` drives four things: the `check` in a student's notebook, the graded cells, the
library's own tests, and the kill matrix that proves the check against wrong answers it must
catch and right ones it must accept. The engine beside this file reads the data; nothing in it
knows about point sets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from mdcv.exercises.calling import Answer
from mdcv.exercises.cases import Draw
from mdcv.exercises.records import Event
from mdcv.exercises.traits import TRAITS

Implementation = Callable[..., Any]

#: The arguments and the options of one call.
Call = tuple[tuple[Any, ...], Mapping[str, Any]]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: its name where it has one, and the sentence a student reads.

    The sentence never holds the expected answer, so it is fit for hidden cases. `yours` and
    `expected` do, and only `check` shows them.
    """

    sentence: str
    misconception: str | None = None
    yours: str = ""
    expected: str = ""


@dataclass(frozen=True, eq=False)
class Reading:
    """A number, or a tensor, that is read from the records of stubs and compared as values are.

    Args:
        name: what it is, in words a student may read ("the generator's gradients").
        read: takes the records of a call; None where there is nothing to read.
        suspicion: the mistake or the trait that is named when this reading alone is wrong.
    """

    name: str
    read: Callable[[Sequence[Event]], Tensor | None]
    suspicion: str = ""


@dataclass(frozen=True, eq=False)
class Case:
    """A question whose answer is the reference's answer.

    Args:
        kind: what sort of input this is, in words a student may read.
        arguments, options: what the function is called with: data, see `mdcv.exercises.cases`.
        gradient: "value" also compares the gradient through a random cotangent, with respect to
            the tensors among the arguments (but not those inside a `Constant`) and the parameters
            of made networks; "finite" asks only that it is there and holds no NaN or infinity
            (where points coincide, several gradients are right).
        rtol, atol: how far the value may be off, relative and absolute.
        suspicion: the trait, or the mistake, named when the value is wrong and no known mistake
            explains it.
        readings: what is compared besides the value, from the records of stubs.
        limit: seconds for this call, where it trains something; None takes the common limit.
    """

    kind: str
    arguments: tuple[Any, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    gradient: Literal["none", "value", "finite"] = "none"
    rtol: float = 1e-5
    atol: float = 1e-6
    suspicion: str = ""
    readings: tuple[Reading, ...] = ()
    limit: float | None = None


@dataclass(frozen=True, eq=False)
class Refusal:
    """Bad input that must raise ValueError; `misconception` names the trait of not doing so.

    With `or_any_sign` an answer that holds NaN, or any other exception, is right as well: only an
    answer that looks like one hides what came.
    """

    kind: str
    arguments: tuple[Any, ...]
    misconception: str
    options: Mapping[str, Any] = field(default_factory=dict)
    or_any_sign: bool = False


@dataclass(frozen=True, eq=False)
class Trial:
    """Several calls judged together: a law, or the statistics of a random function.

    Args:
        kind: what is asked, in words a student may read.
        calls: the arguments and options of each call.
        examine: what is wrong with what came back, in order; None when nothing is. It gets one
            tensor a call, a tuple of tensors where several came, the whole `Answer` (with its
            records) with `whole`.
        fingerprint: numbers that tell one mistake from another, each with its standard error;
            without it no named mistake is asked, which is right where an answer takes training.
        dtype: of the answers, where it is asked.
        whole: give `examine` and `fingerprint` the answers, not the tensors.
        limit: seconds for each call, where it trains something; None takes the common limit.
    """

    kind: str
    calls: tuple[Call, ...]
    examine: Callable[[Sequence[Any]], Finding | None]
    fingerprint: Callable[[Sequence[Any]], tuple[Tensor, Tensor]] | None = None
    dtype: torch.dtype | None = None
    whole: bool = False
    limit: float | None = None

    def read(self, answers: Sequence[Answer]) -> list[Any]:
        """What `examine` gets: the answers, or what came back; none of an answer without."""
        if self.whole:
            return list(answers)
        return [a.values if a.kind == "tensors" else a.value for a in answers if a.values]


Question = Case | Refusal | Trial


@dataclass(frozen=True)
class Part:
    """One part of the score: its name, its share, and its questions for a seed.

    `is_value` marks the parts that ask for the plain value. When every one of them fails the
    score is 0, whatever else is right. A part of refusals earns the fraction that is refused;
    every other part is earned whole or not at all.
    """

    name: str
    share: float
    questions: Callable[[Draw], Sequence[Question]]
    is_value: bool = False


@dataclass(frozen=True)
class Law:
    """What a right function obeys on any input; a broken law is a clue, never a verdict.

    Args:
        sentence: what a student reads when the law is broken.
        calls: the arguments and options of each call, for a seed.
        holds: whether the tensors that came back obey the law.
    """

    sentence: str
    calls: Callable[[Draw], Sequence[Call]]
    holds: Callable[[Sequence[Tensor]], bool]


@dataclass(frozen=True)
class Clue:
    """What wrong answers may have in common, when no named mistake gives them.

    Args:
        sentence: what a student reads.
        seen: whether it is so for one wrong answer (yours, the right one, the case). It must be
            so for every wrong answer that came.
        misconception: the name, where the clue is sure enough to have one.
    """

    sentence: str
    seen: Callable[[Tensor, Tensor, Case], bool]
    misconception: str | None = None


@dataclass(frozen=True)
class Right:
    """A right implementation, written differently from the reference."""

    name: str
    function: Implementation


@dataclass(frozen=True)
class Mistake:
    """A wrong implementation that has a name, and the sentence that names it to a student.

    Without a sentence it is an instance of a trait that many exercises share (see `traits`).
    """

    name: str
    function: Implementation
    sentence: str = ""


@dataclass(frozen=True, eq=False)
class Exercise:
    """One graded symbol: its contract, its reference, and everything that judges an answer.

    Args:
        name: the name of the function that a student writes.
        contract: one sentence that says what it returns.
        reference: the library's function.
        parts: what is asked, in the order in which it is reported; the shares are relative.
        manners: the share for keeping dtype, device and inputs as they were, over all questions.
        right, wrong: implementations that must be accepted, and caught and named.
        clues, laws: hints for mistakes that have no name.
        points: what the question is worth in its assignment.
        returns: the names of the values, where a tuple comes back: ("mu", "logvar").
        through: the adapter that makes a function of what a student writes; it is applied to the
            reference and to every variant as well.
        traits: sentences of its own, by name, for suspicions and refusals without a variant.
    """

    name: str
    contract: str
    reference: Implementation
    parts: tuple[Part, ...]
    right: tuple[Right, ...]
    wrong: tuple[Mistake, ...]
    clues: tuple[Clue, ...] = ()
    laws: tuple[Law, ...] = ()
    manners: float = 0.05
    points: int = 10
    returns: tuple[str, ...] = ()
    through: str | None = None
    traits: Mapping[str, str] = field(default_factory=dict)

    def sentence_of(self, misconception: str) -> str:
        """What a student reads about a mistake of this exercise, or about a shared trait."""
        own = {mistake.name: mistake.sentence for mistake in self.wrong if mistake.sentence}
        own |= self.traits
        return own.get(misconception) or TRAITS[misconception]
