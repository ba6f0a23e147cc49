"""Two ways to differentiate an expectation by its own distribution."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.vae.gaussian import DiagonalGaussian, reparameterize

#: One value for each draw: (K, D) to (K,).
Value = Callable[[Tensor], Tensor]


def pathwise_gradient(
    f: Value, mu: Float[Tensor, " d"], logvar: Float[Tensor, " d"], eps: Float[Tensor, "k d"]
) -> Float[Tensor, "k 2 d"]:
    """Of every draw, an unbiased estimate of the gradient of E f(z), z ~ N(μ, σ²).

    ∇ f(μ + σ ⊙ ε): move the draw, and see how f changes. Needs the slope of f.

    Returns:
        For every draw the estimates by μ (first row) and by log σ² (second row).

    Source: Kingma and Welling 2014, arXiv:1312.6114, section 2.4.

    >>> zero, eps = torch.zeros(1), torch.tensor([[1.0], [-1.0]])
    >>> pathwise_gradient(lambda z: z.square().sum(1), zero, zero, eps)[:, 0]
    tensor([[ 2.],
            [-2.]])
    """
    # A copy of the parameters for every draw, so that every draw has a gradient of its own.
    mus, logvars = (p.detach().expand_as(eps).clone().requires_grad_() for p in (mu, logvar))
    value = f(reparameterize(mus, logvars, eps))
    return torch.stack(torch.autograd.grad(value.sum(), (mus, logvars)), dim=1)


def score_function_gradient(
    f: Value, mu: Float[Tensor, " d"], logvar: Float[Tensor, " d"], eps: Float[Tensor, "k d"]
) -> Float[Tensor, "k 2 d"]:
    """Of every draw, an unbiased estimate of the gradient of E f(z), z ~ N(μ, σ²).

    f(z) ∇ log q(z): make good draws more probable. Needs only the value of f, so it also serves
    where f has no slope or z is discrete; its variance is what one pays.

    Returns:
        For every draw the estimates by μ (first row) and by log σ² (second row).

    Source: Williams 1992, Simple statistical gradient-following algorithms for connectionist
    reinforcement learning (REINFORCE).

    >>> zero, eps = torch.zeros(1), torch.tensor([[1.0], [-1.0]])
    >>> score_function_gradient(lambda z: z.square().sum(1), zero, zero, eps)[:, 0]
    tensor([[ 1.],
            [-1.]])
    """
    mus, logvars = (p.detach().expand_as(eps).clone().requires_grad_() for p in (mu, logvar))
    z = reparameterize(mus, logvars, eps).detach()
    log_q = DiagonalGaussian(mus, logvars).log_prob(z)
    score = torch.stack(torch.autograd.grad(log_q.sum(), (mus, logvars)), dim=1)
    return f(z)[:, None, None] * score
