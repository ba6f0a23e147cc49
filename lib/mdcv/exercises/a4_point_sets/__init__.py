"""The exercises of assignment 4: distances between point sets, and ways to sample them."""

from __future__ import annotations

from mdcv.exercises.a4_point_sets.chamfer import CHAMFER_DISTANCE
from mdcv.exercises.a4_point_sets.hausdorff import HAUSDORFF_DISTANCE
from mdcv.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (HAUSDORFF_DISTANCE, CHAMFER_DISTANCE)
