"""The exercises of assignment 2: the variational autoencoder, piece by piece."""

from __future__ import annotations

from mdcv.exercises.a2_vae.elbo import ELBO
from mdcv.exercises.a2_vae.importance_weighted_bound import IMPORTANCE_WEIGHTED_BOUND
from mdcv.exercises.a2_vae.model import VAE
from mdcv.exercises.a2_vae.reparameterize import REPARAMETERIZE
from mdcv.exercises.a2_vae.train_vae import TRAIN_VAE
from mdcv.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    REPARAMETERIZE,
    ELBO,
    IMPORTANCE_WEIGHTED_BOUND,
    VAE,
    TRAIN_VAE,
)
