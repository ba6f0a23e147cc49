"""How close generated images are to real ones, judged on features."""

from mdcv.fidelity.classifier import SmallClassifier, train_classifier
from mdcv.fidelity.inception import fid
from mdcv.fidelity.inception_network import InceptionNetwork, load_inception
from mdcv.fidelity.kernel_distance import cubic_kernel, kid, kid_of_subsets
from mdcv.fidelity.manifolds import (
    FeatureNeighbors,
    PrecisionRecall,
    in_manifold,
    nearest_references,
    precision_and_recall,
)
from mdcv.fidelity.statistics import FeatureStatistics

__all__ = [
    "FeatureNeighbors",
    "FeatureStatistics",
    "InceptionNetwork",
    "PrecisionRecall",
    "SmallClassifier",
    "cubic_kernel",
    "fid",
    "in_manifold",
    "kid",
    "kid_of_subsets",
    "load_inception",
    "nearest_references",
    "precision_and_recall",
    "train_classifier",
]
