"""The exercises of assignment 3: adversarial losses, the steps of both players, a critic, FID."""

from __future__ import annotations

from mdcv.exercises.a3_gan.critic import CRITIC_LOSS
from mdcv.exercises.a3_gan.discriminator import DISCRIMINATOR_LOSS
from mdcv.exercises.a3_gan.discriminator_step import DISCRIMINATOR_STEP
from mdcv.exercises.a3_gan.frechet import FRECHET_DISTANCE
from mdcv.exercises.a3_gan.generator import GENERATOR_LOSS
from mdcv.exercises.a3_gan.generator_step import GENERATOR_STEP
from mdcv.exercises.a3_gan.penalty import GRADIENT_PENALTY
from mdcv.exercises.a3_gan.training import TRAIN_GAN
from mdcv.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    DISCRIMINATOR_LOSS,
    GENERATOR_LOSS,
    DISCRIMINATOR_STEP,
    GENERATOR_STEP,
    CRITIC_LOSS,
    GRADIENT_PENALTY,
    FRECHET_DISTANCE,
    TRAIN_GAN,
)
