"""Adversarial learning: a generator against a discriminator, and against a Wasserstein critic."""

from mdcv.gan.adversarial import discriminator_loss, generator_loss, optimal_discriminator
from mdcv.gan.comparison import MixtureResult, compare_on_mixture
from mdcv.gan.coverage import ModeCoverage, mode_coverage
from mdcv.gan.critic import clip_weights, critic_generator_loss, critic_loss, gradient_penalty
from mdcv.gan.game import Game, Rules, train_game
from mdcv.gan.networks import PointDiscriminator, PointGenerator
from mdcv.gan.steps import CriticStep, critic_step, discriminator_step, generator_step

__all__ = [
    "CriticStep",
    "Game",
    "MixtureResult",
    "ModeCoverage",
    "PointDiscriminator",
    "PointGenerator",
    "Rules",
    "clip_weights",
    "compare_on_mixture",
    "critic_generator_loss",
    "critic_loss",
    "critic_step",
    "discriminator_loss",
    "discriminator_step",
    "generator_loss",
    "generator_step",
    "gradient_penalty",
    "mode_coverage",
    "optimal_discriminator",
    "train_game",
]
