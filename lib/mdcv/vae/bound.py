"""Lower bounds on log p(x): the evidence lower bound, and tighter ones from several draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from mdcv.divergence import gaussian_kl
from mdcv.errors import check_integer, check_tensor
from mdcv.vae.gaussian import DiagonalGaussian, check_gaussian, reparameterize
from mdcv.vae.likelihood import bernoulli_log_likelihood

if TYPE_CHECKING:
    from mdcv.vae.network import VAE


def elbo(
    logits: Float[Tensor, "b ..."],
    x: Float[Tensor, "b ..."],
    mu: Float[Tensor, "b d"],
    logvar: Float[Tensor, "b d"],
) -> Float[Tensor, " b"]:
    """The evidence lower bound on log p(x) of every sample, estimated with one draw, in nats.

    ELBO = log p(x|z) − KL(N(μ, σ²) ‖ N(0, I))

    Both terms are sums, over pixels and over latent numbers. A mean over either would weigh the
    two against each other by the size of the image. Training minimizes −elbo(...).mean().

    Args:
        logits: the decoder's answer to z = μ + σ ⊙ ε.
        x: pixels in [0, 1].
        mu, logvar: the encoder's answer to x.

    Raises:
        ValueError: as `bernoulli_log_likelihood`, or mu and logvar are not (B, D) of one shape.

    Source: Kingma and Welling 2014, arXiv:1312.6114, equations 3 and 10 with L = 1.

    >>> elbo(torch.zeros(1, 2), torch.ones(1, 2), torch.zeros(1, 3), torch.zeros(1, 3))
    tensor([-1.3863])
    """
    likelihood = bernoulli_log_likelihood(logits, x)
    check_gaussian(mu, logvar)
    if len(mu) != len(x):
        raise ValueError(f"mu has shape {tuple(mu.shape)}; axis B should be {len(x)} as in x")
    return likelihood - gaussian_kl(mu, logvar)


def importance_weighted_bound(log_weights: Float[Tensor, "k b"]) -> Float[Tensor, " b"]:
    """A lower bound on log p(x) of every sample that rises with the number of draws, in nats.

    L_K = log (1/K) Σ_k w_k,  w_k = p(x|z_k) p(z_k) / q(z_k|x)

    The mean stands inside the logarithm. Outside of it, it would be the ELBO again, whatever K is.

    Args:
        log_weights: log w_k, one row for each of the K draws.

    Raises:
        ValueError: not two axes, or no draw.

    Source: Burda, Grosse and Salakhutdinov 2016, arXiv:1509.00519, equation 8.

    >>> importance_weighted_bound(torch.tensor([[0.0], [-1e4]]))
    tensor([-0.6931])
    """
    check_tensor("log_weights", log_weights, ndim=2, layout="(K, B)")
    if len(log_weights) == 0:
        raise ValueError(f"log_weights has shape {tuple(log_weights.shape)}; expected K >= 1")
    # The largest weight is taken out before the exponential, so nothing overflows, and each
    # column's gradient is exact; a column of impossible draws (all −inf) stays −inf.
    highest = log_weights.detach().amax(dim=0).clamp(min=torch.finfo(log_weights.dtype).min)
    return highest + (log_weights - highest).exp().mean(dim=0).log()


def log_weights(
    vae: VAE, x: Float[Tensor, "b ..."], k: int, *, generator: Generator | None = None
) -> Float[Tensor, "k b"]:
    """log p(x|z) + log p(z) − log q(z|x) for K draws z from q(z|x) a sample, in nats.

    Their mean over K estimates the ELBO, `importance_weighted_bound` of them something tighter.

    Args:
        vae: anything with `encode` and `decode` as `VAE` has them.
        x: images, with pixels in [0, 1].
        k: draws for each sample. All of them are decoded at once.

    Raises:
        ValueError: k is below 1, or a pixel is outside [0, 1].
    """
    check_integer("k", k, low=1)
    mu, logvar = vae.encode(x)
    standard = DiagonalGaussian(torch.zeros_like(mu), torch.zeros_like(mu))
    eps = standard.draw(k, generator=generator)
    z = reparameterize(mu, logvar, eps)
    # From ε itself: where σ is tiny, z − μ has lost it to rounding.
    log_q = standard.log_prob(eps) - 0.5 * logvar.sum(dim=1)
    logits = vae.decode(z.flatten(0, 1))
    likelihood = bernoulli_log_likelihood(logits, x.repeat(k, *(1,) * (x.ndim - 1)))
    return likelihood.unflatten(0, (k, len(x))) + standard.log_prob(z) - log_q
