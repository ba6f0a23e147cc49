"""Exercises by name."""

from __future__ import annotations

import pytest

from mdcv.exercises import get, names
from mdcv.exercises.judging import PartVerdict

ASSIGNMENT_4 = (
    "pairwise_distances",
    "hausdorff_distance",
    "chamfer_distance",
    "earth_movers_distance",
    "farthest_point_sample",
    "sample_surface",
    "density_sensitivity",
)


def test_assignment_4_is_complete_and_in_order():
    assert [name for name in names() if name in ASSIGNMENT_4] == list(ASSIGNMENT_4)


@pytest.mark.parametrize("name", names())
def test_every_exercise_describes_itself(name):
    exercise = get(name)
    assert exercise.name == name
    assert exercise.contract.startswith(f"{name}(")
    assert any(part.is_value for part in exercise.parts)
    assert any(part.name == "bad input" for part in exercise.parts)
    assert exercise.points > 0
    assert len({part.name for part in exercise.parts}) == len(exercise.parts)


@pytest.mark.parametrize("name", ["hausdorf", "", None, 3])
def test_unknown_names_are_refused(name):
    with pytest.raises(ValueError, match=r"expected one of .*pairwise_distances"):
        get(name)


def test_verdicts_compare_by_value():
    assert PartVerdict("a", 0.5, 1.0, "right", None) == PartVerdict("a", 0.5, 1.0, "right", None)
