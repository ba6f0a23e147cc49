"""How far apart two distributions are, in closed form or from samples in one dimension."""

from mdcv.divergence.frechet import frechet_distance
from mdcv.divergence.transport import wasserstein_1d

__all__ = ["frechet_distance", "wasserstein_1d"]
