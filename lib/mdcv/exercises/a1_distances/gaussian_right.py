"""Right ways to write `gaussian_kl`, each written differently."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.exercises.exercise import Right


def _by_formula(
    mu: Tensor, logvar: Tensor, prior_mu: Tensor | None = None, prior_logvar: Tensor | None = None
) -> Tensor:
    prior_mu = torch.zeros_like(mu) if prior_mu is None else prior_mu
    prior_logvar = torch.zeros_like(mu) if prior_logvar is None else prior_logvar
    if len({value.shape for value in (mu, logvar, prior_mu, prior_logvar)}) > 1:
        raise ValueError("the shapes differ")
    ratio = (logvar - prior_logvar).exp()
    shift = (mu - prior_mu) ** 2 / prior_logvar.exp()
    return 0.5 * torch.sum(ratio + shift - 1 - logvar + prior_logvar, dim=-1)


def _by_distributions(mu, logvar, prior_mu=None, prior_logvar=None):
    from torch.distributions import Normal, kl_divergence

    for other in (logvar, prior_mu, prior_logvar):
        if other is not None and other.shape != mu.shape:
            raise ValueError(f"{tuple(other.shape)} for {tuple(mu.shape)}")
    zero = mu.new_zeros(mu.shape)
    m = zero if prior_mu is None else prior_mu
    v = zero if prior_logvar is None else prior_logvar
    first = Normal(mu, (0.5 * logvar).exp(), validate_args=False)
    second = Normal(m, (0.5 * v).exp(), validate_args=False)
    return kl_divergence(first, second).sum(-1)


def _by_widths(mu, logvar, prior_mu=None, prior_logvar=None):
    """As in the one-dimensional formula: log of the widths, coordinate by coordinate."""
    m = 0.0 * mu if prior_mu is None else prior_mu
    v = 0.0 * mu if prior_logvar is None else prior_logvar
    if not mu.shape == logvar.shape == m.shape == v.shape:
        raise ValueError("not one shape")
    total = 0.0
    for i in range(mu.shape[-1]):
        sigma, tau = torch.exp(logvar[..., i] / 2), torch.exp(v[..., i] / 2)
        distance = (mu[..., i] - m[..., i]) / tau
        total = total + (v[..., i] - logvar[..., i]) / 2 + (sigma / tau) ** 2 / 2 - 0.5
        total = total + distance**2 / 2
    return total


def _by_cross_entropy(mu, logvar, prior_mu=None, prior_logvar=None):
    """Cross-entropy minus entropy; the normalizers are written out, and cancel."""
    m = torch.zeros_like(mu) if prior_mu is None else prior_mu
    v = torch.zeros_like(mu) if prior_logvar is None else prior_logvar
    shapes = [tuple(value.shape) for value in (mu, logvar, m, v)]
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError(f"{shapes}")
    normalizer = torch.log(torch.tensor(2 * torch.pi, dtype=mu.dtype))
    spread = torch.exp(logvar - v) + (mu - m).square() * torch.exp(-v)
    cross = 0.5 * (normalizer + v + spread).sum(dim=-1)
    return cross - 0.5 * (normalizer + logvar + 1).sum(dim=-1)


RIGHT = (
    Right("by the formula", _by_formula),
    Right("by torch.distributions", _by_distributions),
    Right("by widths, in a loop", _by_widths),
    Right("by cross-entropy", _by_cross_entropy),
)
