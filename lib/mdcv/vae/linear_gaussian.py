"""A VAE that can be solved by hand: everything is linear and Gaussian."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.distributions import MultivariateNormal

from mdcv.divergence import gaussian_kl
from mdcv.errors import check_tensor
from mdcv.vae.gaussian import DiagonalGaussian, check_gaussian


@dataclass(frozen=True, eq=False)
class LinearGaussianVAE:
    """p(z) = N(0, I) and p(x|z) = N(W z + b, s² I), with log p(x), the ELBO and the gap exact.

    The marginal is N(b, W Wᵀ + s² I), and the posterior N(m(x), S) with the precision
    S⁻¹ = I + Wᵀ W / s² and the mean m(x) = S Wᵀ (x − b) / s². So what a VAE can only bound is
    a number here, and log p(x) = ELBO(q) + KL(q ‖ posterior) can be read off for any q.

    Args:
        weight: W, how the latent numbers move the observation, (N, D).
        bias: b, the mean of the observations, (N,).
        noise: s, the standard deviation of each coordinate around W z + b.

    Raises:
        ValueError: shapes do not fit, or the noise is not a number above 0.

    Source: Tipping and Bishop 1999, Probabilistic principal component analysis.

    >>> model = LinearGaussianVAE(torch.ones(1, 1), torch.zeros(1), 1.0)
    >>> model.posterior(torch.tensor([[4.0]])).mean
    tensor([[2.]])
    """

    weight: Float[Tensor, "n d"]
    bias: Float[Tensor, " n"]
    noise: float

    def __post_init__(self) -> None:
        check_tensor("weight", self.weight, ndim=2, layout="(N, D)")
        check_tensor("bias", self.bias, ndim=1, layout="(N,)")
        if len(self.bias) != len(self.weight):
            raise ValueError(
                f"bias has shape {tuple(self.bias.shape)}; expected ({len(self.weight)},)"
            )
        if not 0 < self.noise < math.inf:
            raise ValueError(f"noise is {self.noise!r}; expected a number above 0")

    def sample(self, n: int, *, generator: Generator | None = None) -> Float[Tensor, "m n"]:
        """Observations: a latent z, then x around W z + b. Shape (n, N)."""
        size, latent = self.weight.shape
        kind = {"dtype": self.weight.dtype, "device": self.weight.device, "generator": generator}
        z, noise = torch.randn(n, latent, **kind), torch.randn(n, size, **kind)
        return z @ self.weight.T + self.bias + self.noise * noise

    def marginal(self) -> MultivariateNormal:
        """p(x) = N(b, W Wᵀ + s² I)."""
        noise = self.noise**2 * torch.eye(len(self.weight)).to(self.weight)
        return MultivariateNormal(self.bias, self.weight @ self.weight.T + noise)

    def posterior(self, x: Float[Tensor, "b n"]) -> MultivariateNormal:
        """p(z|x) = N(m(x), S); S is the same for every x."""
        precision = self._precision()
        mean = torch.linalg.solve(precision, self.weight.T @ (x - self.bias).T) / self.noise**2
        return MultivariateNormal(mean.T, precision_matrix=precision)

    def log_marginal(self, x: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        """log p(x), in nats."""
        return self.marginal().log_prob(x)

    def elbo(
        self, x: Float[Tensor, "b n"], mu: Float[Tensor, "b d"], logvar: Float[Tensor, "b d"]
    ) -> Float[Tensor, " b"]:
        """E_q log p(x|z) − KL(q ‖ p(z)) for q = N(μ, diag σ²), without drawing anything.

        E_q |x − b − W z|² = |x − b − W μ|² + Σ_j σ_j² |W_j|², W_j the columns of W.
        """
        check_gaussian(mu, logvar)
        miss = (x - self.bias - mu @ self.weight.T).square().sum(dim=1)
        spread = logvar.exp() @ self.weight.square().sum(dim=0)
        normalizer = len(self.weight) * math.log(2 * math.pi * self.noise**2)
        reconstruction = -0.5 * ((miss + spread) / self.noise**2 + normalizer)
        return reconstruction - gaussian_kl(mu, logvar)

    def gap(
        self, x: Float[Tensor, "b n"], mu: Float[Tensor, "b d"], logvar: Float[Tensor, "b d"]
    ) -> Float[Tensor, " b"]:
        """KL(q ‖ p(z|x)) for q = N(μ, diag σ²): what the ELBO leaves out.

        ½ (Σ_j P_jj σ_j² + (μ − m)ᵀ P (μ − m) − D − Σ_j log σ_j² − log det P), P = S⁻¹
        """
        check_gaussian(mu, logvar)
        precision, away = self._precision(), mu - self.posterior(x).mean
        trace = logvar.exp() @ precision.diagonal()
        square = ((away @ precision) * away).sum(dim=1)
        return 0.5 * (trace + square - mu.shape[1] - logvar.sum(dim=1) - precision.logdet())

    def best_diagonal(self, x: Float[Tensor, "b n"]) -> DiagonalGaussian:
        """The q = N(μ, diag σ²) with the largest ELBO: μ = m(x), and σ_j² = 1 / P_jj.

        That is the posterior's variance where nothing is correlated, and less than it elsewhere.
        """
        mu = self.posterior(x).mean
        return DiagonalGaussian(mu, -self._precision().diagonal().log().expand_as(mu))

    def _precision(self) -> Float[Tensor, "d d"]:
        """P = I + Wᵀ W / s²."""
        unit = torch.eye(self.weight.shape[1]).to(self.weight)
        return unit + self.weight.T @ self.weight / self.noise**2
