"""Exercises: what each graded function must do, judged in one place for every use.

from mdcv.exercises import check
check("chamfer_distance", chamfer_distance)
"""

from __future__ import annotations

from mdcv.exercises.exercise import Exercise
from mdcv.exercises.judging import Outcome, judge
from mdcv.exercises.marking import grade
from mdcv.exercises.registry import get, names
from mdcv.exercises.showing import CheckFailed, check

__all__ = ["CheckFailed", "Exercise", "Outcome", "check", "get", "grade", "judge", "names"]
