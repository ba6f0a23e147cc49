"""The Kullback-Leibler divergence of diagonal Gaussians, in closed form."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.errors import check_same_kind
from mdcv.kernels.arithmetic import widened


def gaussian_kl(
    mu: Float[Tensor, "*batch d"],
    logvar: Float[Tensor, "*batch d"],
    prior_mu: Float[Tensor, "*batch d"] | None = None,
    prior_logvar: Float[Tensor, "*batch d"] | None = None,
) -> Float[Tensor, "*batch"]:
    """KL(N(mu, exp logvar) ‖ N(prior_mu, exp prior_logvar)), one value per row.

    KL = ½ Σ [ σ²/τ² − 1 − log(σ²/τ²) + (μ − m)²/τ² ],  σ² = exp logvar, τ² = exp prior_logvar

    Independent coordinates add. The part that depends on the variances is computed as
    exp(x) − 1 − x with x = logvar − prior_logvar, which keeps its digits where both are close.

    Args:
        mu, logvar: mean and logarithm of the variance, coordinates along the last axis.
        prior_mu, prior_logvar: the same of the second Gaussian; None stands for zeros, so that
            the default is N(0, I).

    Returns:
        In nats, at least 0.

    Raises:
        ValueError: shapes, dtypes or devices differ, or there is no coordinate.

    Source: Kingma and Welling 2014, arXiv:1312.6114, appendix B, with its sign turned and a
    general second Gaussian.

    >>> mu, logvar = torch.tensor([[3.0, 0.0]]), torch.zeros(1, 2)
    >>> gaussian_kl(mu, logvar), gaussian_kl(mu, logvar, prior_mu=mu)
    (tensor([4.5000]), tensor([0.]))
    """
    given = {"logvar": logvar, "prior_mu": prior_mu, "prior_logvar": prior_logvar}
    _check_parameters(
        mu, {name: v for name, v in given.items() if v is not None or name == "logvar"}
    )
    shift = widened(mu) if prior_mu is None else widened(mu) - widened(prior_mu)
    log_ratio = widened(logvar)
    if prior_logvar is not None:
        log_ratio = log_ratio - widened(prior_logvar)
        shift = shift * torch.exp(-widened(prior_logvar) / 2)
    per_coordinate = torch.expm1(log_ratio) - log_ratio + shift.square()
    return (per_coordinate.sum(dim=-1) / 2).to(mu.dtype)


def _check_parameters(mu: Tensor, others: dict[str, Tensor]) -> None:
    for name, value in {"mu": mu, **others}.items():
        if not isinstance(value, Tensor) or not value.dtype.is_floating_point:
            kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
            raise ValueError(f"{name} is {kind}; expected a floating-point tensor (..., D)")
    if mu.ndim == 0 or mu.shape[-1] == 0:
        raise ValueError(f"mu has shape {tuple(mu.shape)}; expected at least one coordinate")
    for name, value in others.items():
        if value.shape != mu.shape:
            raise ValueError(
                f"{name} has shape {tuple(value.shape)}; expected {tuple(mu.shape)} as mu has"
            )
        check_same_kind(name, value, "mu", mu)
