"""Point sets and the distances between them: x is (B, N, D), y is (B, M, D)."""

from __future__ import annotations

from mdcv.points.balls import ball_query
from mdcv.points.chamfer import chamfer_distance
from mdcv.points.distances import pairwise_distances
from mdcv.points.earth_movers import (
    Assignment,
    earth_movers_assignment,
    earth_movers_distance,
)
from mdcv.points.farthest import farthest_point_sample
from mdcv.points.hausdorff import hausdorff_distance
from mdcv.points.neighbors import Neighbors, nearest_neighbors
from mdcv.points.surface import sample_surface

__all__ = [
    "Assignment",
    "Neighbors",
    "ball_query",
    "chamfer_distance",
    "earth_movers_assignment",
    "earth_movers_distance",
    "farthest_point_sample",
    "hausdorff_distance",
    "nearest_neighbors",
    "pairwise_distances",
    "sample_surface",
]
