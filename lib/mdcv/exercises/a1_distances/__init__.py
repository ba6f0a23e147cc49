"""The exercises of assignment 1: divergences, transport on a line, and losses on embeddings."""

from __future__ import annotations

from mdcv.exercises.a1_distances.contrastive import CONTRASTIVE_LOSS
from mdcv.exercises.a1_distances.cross_entropy import CROSS_ENTROPY
from mdcv.exercises.a1_distances.gaussian_kl import GAUSSIAN_KL
from mdcv.exercises.a1_distances.kl_divergence import KL_DIVERGENCE
from mdcv.exercises.a1_distances.triplet import TRIPLET_LOSS
from mdcv.exercises.a1_distances.wasserstein import WASSERSTEIN_1D
from mdcv.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    CROSS_ENTROPY,
    KL_DIVERGENCE,
    GAUSSIAN_KL,
    WASSERSTEIN_1D,
    CONTRASTIVE_LOSS,
    TRIPLET_LOSS,
)
