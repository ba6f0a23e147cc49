"""Exercises: what each graded function must do, judged in one place for every use.

    from mdcv.exercises import check
    check("chamfer_distance", chamfer_distance)

How to write one is told in `README.md` beside this file. The interface in short:

    what a notebook uses    check(name, f), grade(name, f, points=...), when_written(what)
    what a program uses     names(), get(name), judge(name, f, seed=...),
                            judge_with(name, caller, seed=...) for a function in another process
    an exercise             Exercise: parts of Case, Refusal, Trial; right; wrong; an adapter
    its arguments are data  tensors, numbers, text, None, dtypes, tuples, lists and dicts of them,
                            Seeded(seed), Made(maker, **values), Argument(of), Constant(tensor),
                            Gram(factor)
    what comes back         Answer: values (one tensor or a tuple), gradients, records of stubs

Two halves. Where students' code runs, `calling`, `building`, `cases`, `objects`, `adapters`,
`records`, `isolation`, `packing`, `showing` and `marking` are enough, and they load no answer. The
trusted half (`judging` and all that it loads) knows the references. A question and its answer
travel between them as JSON and dense tensors (`packing`). So this package loads its names when
they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mdcv.exercises.exercise import Exercise
    from mdcv.exercises.judging import Outcome, judge, judge_with
    from mdcv.exercises.marking import grade
    from mdcv.exercises.registry import get, names
    from mdcv.exercises.showing import CheckFailed, check, when_written

_HOME = {
    "CheckFailed": "showing",
    "Exercise": "exercise",
    "Outcome": "judging",
    "check": "showing",
    "get": "registry",
    "grade": "marking",
    "judge": "judging",
    "judge_with": "judging",
    "names": "registry",
    "when_written": "showing",
}

__all__ = [
    "CheckFailed",
    "Exercise",
    "Outcome",
    "check",
    "get",
    "grade",
    "judge",
    "judge_with",
    "names",
    "when_written",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"mdcv.exercises.{_HOME[name]}"), name)
