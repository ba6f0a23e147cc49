"""What the literature leads one to expect of a table, and whether the table shows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from mdcv.errors import check_option
from mdcv.results.measurement import Summary

Relation = Literal["<", "<=", ">", ">="]


class Expectation(NamedTuple):
    """One ordering: on the same data, what one model reaches against another.

    Attributes:
        data: what both were trained on.
        left, right: each a model and a measure.
        relation: how the left mean stands to the right one.
        source: where it is stated.
    """

    data: str
    left: tuple[str, str]
    relation: Relation
    right: tuple[str, str]
    source: str

    def __str__(self) -> str:
        (a, measure), (b, other) = self.left, self.right
        if measure == other:
            return f"{self.data}: {measure} of {a} {self.relation} {b}"
        return f"{self.data}: {measure} of {a} {self.relation} {other} of {b}"


class Reading(NamedTuple):
    """An expectation beside what was measured.

    Attributes:
        expected: the ordering.
        left, right: the means over the seeds.
        verdict: "as expected"; "within the spread" when the means stand the other way round, or
            equal, but closer together than their spreads; "otherwise".
    """

    expected: Expectation
    left: float
    right: float
    verdict: Literal["as expected", "within the spread", "otherwise"]


def read(expected: Expectation, summaries: Iterable[Summary]) -> Reading:
    """Holds one expectation against a table.

    Raises:
        ValueError: the table has no such line, or the relation is unknown.

    >>> means = {"a": 5.0, "b": 8.0}
    >>> lines = [Summary("ring", model, "modes", means[model], 0.5, seeds=3) for model in means]
    >>> read(Expectation("ring", ("b", "modes"), ">", ("a", "modes"), "a paper"), lines).verdict
    'as expected'
    """
    check_option("relation", expected.relation, ("<", "<=", ">", ">="))
    table = {(line.data, line.model, line.measure): line for line in summaries}
    sides = [(expected.data, *side) for side in (expected.left, expected.right)]
    missing = [side for side in sides if side not in table]
    if missing:
        raise ValueError(f"the table has no line {missing[0]}; expected one of {sorted(table)}")
    left, right = (table[side] for side in sides)
    holds = {
        "<": left.mean < right.mean,
        "<=": left.mean <= right.mean,
        ">": left.mean > right.mean,
        ">=": left.mean >= right.mean,
    }[expected.relation]
    spread = (left.spread**2 + right.spread**2) ** 0.5  # NaN for one seed: then nothing excuses
    close = abs(left.mean - right.mean) <= spread
    verdict = "as expected" if holds else "within the spread" if close else "otherwise"
    return Reading(expected, left.mean, right.mean, verdict)
