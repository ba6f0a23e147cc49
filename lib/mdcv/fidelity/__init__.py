"""How close generated images are to real ones, judged on features."""

from mdcv.fidelity.inception import fid
from mdcv.fidelity.statistics import FeatureStatistics

__all__ = ["FeatureStatistics", "fid"]
