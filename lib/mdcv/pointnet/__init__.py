"""Networks on unordered sets: PointNet, PointNet++, a streaming counter, and outlier rejection."""

from __future__ import annotations

from mdcv.pointnet.abstraction import Abstraction, SetAbstraction
from mdcv.pointnet.counting import DistinctCounter, distinct_count, uniform_hash
from mdcv.pointnet.critical import critical_points, upper_bound_set
from mdcv.pointnet.eight_point import weighted_eight_point
from mdcv.pointnet.epipolar import epipolar_residual, nearest_essential, sampson_distance
from mdcv.pointnet.grouping import Groups, group_points
from mdcv.pointnet.hierarchy import PointNet2Classifier, PointNet2Segmenter
from mdcv.pointnet.network import PointNetClassifier, PointNetSegmenter
from mdcv.pointnet.outliers import (
    OutlierLoss,
    OutlierNet,
    context_normalize,
    match_weights,
    outlier_loss,
)
from mdcv.pointnet.perceptron import PointMLP
from mdcv.pointnet.propagation import FeaturePropagation, interpolate_features
from mdcv.pointnet.ransac import Ransac, ransac_essential, trials_needed
from mdcv.pointnet.symmetric import SetFunction, pool_points
from mdcv.pointnet.training import train_clouds, train_outlier_net
from mdcv.pointnet.transform import TNet, orthogonality_penalty

__all__ = [
    "Abstraction",
    "DistinctCounter",
    "FeaturePropagation",
    "Groups",
    "OutlierLoss",
    "OutlierNet",
    "PointMLP",
    "PointNet2Classifier",
    "PointNet2Segmenter",
    "PointNetClassifier",
    "PointNetSegmenter",
    "Ransac",
    "SetAbstraction",
    "SetFunction",
    "TNet",
    "context_normalize",
    "critical_points",
    "distinct_count",
    "epipolar_residual",
    "group_points",
    "interpolate_features",
    "match_weights",
    "nearest_essential",
    "orthogonality_penalty",
    "outlier_loss",
    "pool_points",
    "ransac_essential",
    "sampson_distance",
    "train_clouds",
    "train_outlier_net",
    "trials_needed",
    "uniform_hash",
    "upper_bound_set",
    "weighted_eight_point",
]
