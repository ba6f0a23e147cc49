"""How far apart two distributions are: by surprise, or by the work of carrying one to the other."""

from mdcv.divergence.coupling import Coupling, optimal_coupling
from mdcv.divergence.entropies import cross_entropy, entropy
from mdcv.divergence.frechet import frechet_distance
from mdcv.divergence.gaussian import gaussian_kl
from mdcv.divergence.relative_entropy import js_divergence, kl_divergence
from mdcv.divergence.transport import wasserstein_1d

__all__ = [
    "Coupling",
    "cross_entropy",
    "entropy",
    "frechet_distance",
    "gaussian_kl",
    "js_divergence",
    "kl_divergence",
    "optimal_coupling",
    "wasserstein_1d",
]
