"""The variational autoencoder: its bound, its noise, its networks, and a case solved by hand."""

from mdcv.vae.bound import elbo, importance_weighted_bound, log_weights
from mdcv.vae.gaussian import DiagonalGaussian, reparameterize
from mdcv.vae.gradients import pathwise_gradient, score_function_gradient
from mdcv.vae.likelihood import bernoulli_log_likelihood
from mdcv.vae.linear_gaussian import LinearGaussianVAE
from mdcv.vae.network import VAE
from mdcv.vae.training import train_vae

__all__ = [
    "VAE",
    "DiagonalGaussian",
    "LinearGaussianVAE",
    "bernoulli_log_likelihood",
    "elbo",
    "importance_weighted_bound",
    "log_weights",
    "pathwise_gradient",
    "reparameterize",
    "score_function_gradient",
    "train_vae",
]
