"""The distribution that an encoder answers with, and the draw that lets gradients through."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from mdcv.errors import check_same_kind, check_tensor


def reparameterize(
    mu: Float[Tensor, "b d"], logvar: Float[Tensor, "b d"], eps: Float[Tensor, "*k b d"]
) -> Float[Tensor, "*k b d"]:
    """A draw from N(μ, σ²), written so that its gradient reaches μ and σ.

    z = μ + σ ⊙ ε,  σ = exp(½ log σ²),  ε ~ N(0, I)

    The noise comes in as an argument: it depends on nothing, so z is an ordinary differentiable
    function of μ and log σ².

    Args:
        mu, logvar: mean and logarithm of the variance of each latent number.
        eps: standard normal noise; axes in front, (K, B, D), mean K draws for each sample.

    Raises:
        ValueError: the shapes, dtypes or devices do not fit; nothing is broadcast but those axes.

    Source: Kingma and Welling 2014, arXiv:1312.6114, section 2.4.

    >>> reparameterize(torch.tensor([[1.0]]), torch.tensor([[0.0]]), torch.tensor([[2.0]]))
    tensor([[3.]])
    """
    check_gaussian(mu, logvar)
    check_same_kind("eps", eps, "mu", mu)
    if eps.shape[-2:] != mu.shape:
        expected = f"(..., {mu.shape[0]}, {mu.shape[1]}) as mu has"
        raise ValueError(f"eps has shape {tuple(eps.shape)}; expected {expected}")
    return mu + (0.5 * logvar).exp() * eps


class DiagonalGaussian(NamedTuple):
    """q(z|x) = N(μ, diag σ²), one distribution a row: a pair (μ, log σ²) that can be sampled.

    >>> q = DiagonalGaussian(torch.zeros(1, 2), torch.zeros(1, 2))
    >>> q.log_prob(torch.zeros(1, 2))
    tensor([-1.8379])
    """

    mu: Tensor
    logvar: Tensor

    def draw(self, k: int | None = None, *, generator: Generator | None = None) -> Tensor:
        """One z a row, (B, D); with `k` that many a row, (K, B, D). Gradients reach μ and σ."""
        shape = self.mu.shape if k is None else (k, *self.mu.shape)
        noise = torch.randn(shape, generator=generator, dtype=self.mu.dtype, device=self.mu.device)
        return reparameterize(self.mu, self.logvar, noise)

    def log_prob(self, z: Float[Tensor, "*k b d"]) -> Float[Tensor, "*k b"]:
        """log q(z|x) = −½ Σ ((z − μ)²/σ² + log σ² + log 2π), in nats."""
        # Divided before it is squared: at log σ² = −50 the square of a small number is lost.
        standard = (z - self.mu) * (-0.5 * self.logvar).exp()
        return -0.5 * (standard.square() + self.logvar + math.log(2 * math.pi)).sum(dim=-1)


def check_gaussian(mu: Tensor, logvar: Tensor) -> None:
    """Refuses anything but a mean and a log-variance (B, D) of one shape and kind."""
    check_tensor("mu", mu, ndim=2, layout="(B, D)")
    check_tensor("logvar", logvar, ndim=2, layout="(B, D)")
    check_same_kind("logvar", logvar, "mu", mu)
    if mu.shape != logvar.shape:
        raise ValueError(
            f"logvar has shape {tuple(logvar.shape)}; expected {tuple(mu.shape)} as mu has"
        )
