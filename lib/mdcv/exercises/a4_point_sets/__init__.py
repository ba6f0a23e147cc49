"""The exercises of assignment 4: distances between point sets, and ways to sample them."""

from __future__ import annotations

from mdcv.exercises.a4_point_sets.chamfer import CHAMFER_DISTANCE
from mdcv.exercises.a4_point_sets.density import DENSITY_SENSITIVITY
from mdcv.exercises.a4_point_sets.earth_movers import EARTH_MOVERS_DISTANCE
from mdcv.exercises.a4_point_sets.farthest import FARTHEST_POINT_SAMPLE
from mdcv.exercises.a4_point_sets.hausdorff import HAUSDORFF_DISTANCE
from mdcv.exercises.a4_point_sets.pairwise import PAIRWISE_DISTANCES
from mdcv.exercises.a4_point_sets.surface import SAMPLE_SURFACE
from mdcv.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    PAIRWISE_DISTANCES,
    HAUSDORFF_DISTANCE,
    CHAMFER_DISTANCE,
    EARTH_MOVERS_DISTANCE,
    FARTHEST_POINT_SAMPLE,
    SAMPLE_SURFACE,
    DENSITY_SENSITIVITY,
)
