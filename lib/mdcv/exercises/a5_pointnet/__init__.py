"""The exercises of assignment 5: functions of sets, T-Net, PointNet, and its critical points."""

from __future__ import annotations

from mdcv.exercises.a5_pointnet.critical import CRITICAL_POINTS
from mdcv.exercises.a5_pointnet.distinct_count import DISTINCT_COUNT
from mdcv.exercises.a5_pointnet.orthogonality import ORTHOGONALITY_PENALTY
from mdcv.exercises.a5_pointnet.point_net import POINT_NET
from mdcv.exercises.a5_pointnet.segment import SEGMENT_POINTS
from mdcv.exercises.a5_pointnet.set_function import SET_FUNCTION
from mdcv.exercises.a5_pointnet.t_net import T_NET
from mdcv.exercises.a5_pointnet.train_pointnet import TRAIN_POINTNET
from mdcv.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    DISTINCT_COUNT,
    SET_FUNCTION,
    T_NET,
    ORTHOGONALITY_PENALTY,
    POINT_NET,
    CRITICAL_POINTS,
    SEGMENT_POINTS,
    TRAIN_POINTNET,
)
