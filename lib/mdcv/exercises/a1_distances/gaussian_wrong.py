"""Wrong ways to write `gaussian_kl`, each with its name and its sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Mistake

PerCoordinate = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def _terms(mu: Tensor, logvar: Tensor, m: Tensor, v: Tensor) -> Tensor:
    """What each coordinate adds to the divergence."""
    return (torch.exp(logvar - v) - 1 - (logvar - v) + _square(mu, m, v)) / 2


def _square(mu: Tensor, m: Tensor, v: Tensor) -> Tensor:
    return (mu - m).square() * torch.exp(-v)


def _total(terms: Tensor) -> Tensor:
    return terms.sum(dim=-1)


def _guarded(
    terms: PerCoordinate,
    reduce: Callable[[Tensor], Tensor] = _total,
    *,
    shapes: bool = True,
) -> Callable[..., Tensor]:
    """What the terms of the coordinates add up to, behind a door that compares the shapes."""

    def wrong(mu: Tensor, logvar: Tensor, prior_mu: Any = None, prior_logvar: Any = None) -> Tensor:
        m = torch.zeros_like(mu) if prior_mu is None else prior_mu
        v = torch.zeros_like(mu) if prior_logvar is None else prior_logvar
        for other in (logvar, m, v):
            sizes = zip(other.shape[::-1], mu.shape[::-1], strict=False)
            fits = all(a == b or 1 in (a, b) for a, b in sizes)
            if other.shape != mu.shape and (shapes or not fits):
                raise ValueError(f"{tuple(other.shape)} does not go with {tuple(mu.shape)}")
        return reduce(terms(mu, logvar, m, v))

    return wrong


_right = _guarded(_terms)


def _mistake(
    name: str, terms: PerCoordinate, sentence: str, reduce: Callable[[Tensor], Tensor] = _total
) -> Mistake:
    return Mistake(name, _guarded(terms, reduce), sentence)


def _scaled(factor: float) -> PerCoordinate:
    return lambda mu, logvar, m, v: factor * _terms(mu, logvar, m, v)


def _logvar_as_variance(
    mu: Tensor, logvar: Tensor, prior_mu: Any = None, prior_logvar: Any = None
) -> Tensor:
    m = torch.zeros_like(mu) if prior_mu is None else prior_mu
    variance = torch.ones_like(mu) if prior_logvar is None else prior_logvar
    return _guarded(_terms)(mu, logvar.log(), m, variance.log())


def _one_draw(mu: Tensor, logvar: Tensor, m: Tensor, v: Tensor) -> Tensor:
    """The logarithm of the ratio at one point, a standard deviation above the mean."""
    z = mu + torch.exp(logvar / 2)
    log_p = -(logvar + (z - mu).square() * torch.exp(-logvar)) / 2
    return log_p + (v + (z - m).square() * torch.exp(-v)) / 2


WRONG = (
    _mistake(
        "half_forgotten",
        _scaled(2.0),
        "Your value is twice the Gaussian KL: the ½ in front is missing.",
    ),
    _mistake(
        "half_taken_twice", _scaled(0.5), "Your value is half the Gaussian KL: one ½ is too many."
    ),
    _mistake(
        "opposite_sign",
        _scaled(-1.0),
        "The sign is the opposite, as in the bound of a VAE, where the KL is subtracted; KL itself "
        "is at least 0.",
    ),
    _mistake(
        "directions_exchanged",
        lambda mu, logvar, m, v: _terms(m, v, mu, logvar),
        "Your value is KL(prior‖posterior): the average runs over the Gaussian of mu and logvar.",
    ),
    _mistake(
        "logvar_as_log_sigma",
        lambda mu, logvar, m, v: _terms(mu, 2 * logvar, m, 2 * v),
        "Looks as if logvar were log σ: it is the logarithm of the variance, so σ² = exp(logvar).",
    ),
    _mistake(
        "width_for_variance",
        lambda mu, logvar, m, v: (
            (torch.exp((logvar - v) / 2) - 1 - (logvar - v) + (mu - m).square() * torch.exp(-v / 2))
            / 2
        ),
        "Looks like a standard deviation in the place of a variance: exp(½ logvar) where "
        "exp(logvar) belongs.",
    ),
    Mistake(
        "logvar_as_variance",
        _logvar_as_variance,
        "Looks as if logvar were the variance itself, and a second logarithm went over it.",
    ),
    _mistake(
        "variance_squared",
        lambda mu, logvar, m, v: (
            (torch.exp(2 * (logvar - v)) - 1 - (logvar - v) + _square(mu, m, v)) / 2
        ),
        "The variance enters squared: exp(logvar) is σ² already.",
    ),
    _mistake(
        "log_term_dropped",
        lambda mu, logvar, m, v: (torch.exp(logvar - v) - 1 + _square(mu, m, v)) / 2,
        "Your value is what the KL gives without its logarithm of the variances.",
    ),
    _mistake(
        "log_sign_flipped",
        lambda mu, logvar, m, v: _terms(mu, logvar, m, v) + (logvar - v),
        "Your value is what the KL gives with +logvar in the place of −logvar: a narrow posterior "
        "must cost something.",
    ),
    _mistake(
        "log_term_halved",
        lambda mu, logvar, m, v: _terms(mu, logvar, m, v) + (logvar - v) / 4,
        "Looks as if log σ stood where log σ² belongs: half of the logarithm is missing.",
    ),
    _mistake(
        "one_dropped",
        lambda mu, logvar, m, v: _terms(mu, logvar, m, v) + 0.5,
        "Your value is ½ too large for every coordinate: the −1 is missing, so that a Gaussian is "
        "not at 0 from itself.",
    ),
    _mistake(
        "one_added",
        lambda mu, logvar, m, v: _terms(mu, logvar, m, v) + 1.0,
        "Your value is 1 too large for every coordinate: +1 stands where −1 belongs.",
    ),
    _mistake(
        "normalizer_left",
        lambda mu, logvar, m, v: _terms(mu, logvar, m, v) + 0.9189385332046727,
        "Your value is ½ log 2π too large for every coordinate: the normalizers of the two "
        "densities cancel.",
    ),
    _mistake(
        "mean_not_squared",
        lambda mu, logvar, m, v: (
            (torch.exp(logvar - v) - 1 - (logvar - v) + (mu - m).abs() * torch.exp(-v)) / 2
        ),
        "The difference of the means enters plainly; it enters squared.",
    ),
    _mistake(
        "mean_left_out",
        lambda mu, logvar, m, v: (torch.exp(logvar - v) - 1 - (logvar - v)) / 2 + 0 * (mu - m),
        "The means have no effect on your value.",
    ),
    _mistake(
        "mean_over_dimensions",
        _terms,
        "KL of independent coordinates adds up; yours is divided by the dimension.",
        lambda terms: terms.mean(dim=-1),
    ),
    _mistake(
        "not_summed",
        _terms,
        "One number came for each coordinate: they add up along the last axis.",
        lambda terms: terms,
    ),
    _mistake(
        "summed_over_the_batch",
        _terms,
        "One number came, the sum over all Gaussians: sum over the last axis only.",
        lambda terms: terms.sum(),
    ),
    _mistake(
        "mean_over_the_batch",
        _terms,
        "One number came, the mean over the batch: each Gaussian has a value of its own.",
        lambda terms: terms.sum(dim=-1).mean(),
    ),
    _mistake(
        "sums_over_the_first_axis",
        _terms,
        "Looks like a sum over the first axis: coordinates lie along the last one.",
        lambda terms: terms.sum(dim=0),
    ),
    _mistake(
        "one_draw",
        _one_draw,
        "Looks like the logarithm of the ratio at one point: the closed form averages over all.",
    ),
    _mistake(
        "prior_ignored",
        lambda mu, logvar, m, v: _terms(mu, logvar, 0 * m, 0 * v),
        "Right against N(0, I), but prior_mu and prior_logvar have no effect.",
    ),
    _mistake(
        "prior_mean_ignored",
        lambda mu, logvar, m, v: _terms(mu, logvar, 0 * m, v),
        "Right against N(0, I), but prior_mu has no effect.",
    ),
    _mistake(
        "prior_variance_ignored",
        lambda mu, logvar, m, v: _terms(mu, logvar, m, 0 * v),
        "Right against N(0, I), but prior_logvar has no effect.",
    ),
    _mistake(
        "shift_not_scaled",
        lambda mu, logvar, m, v: (
            _terms(mu, logvar, m, v) + ((mu - m).square() - _square(mu, m, v)) / 2
        ),
        "The squared difference of the means is not divided by the variance of the prior: a wide "
        "prior forgives.",
    ),
    _mistake(
        "shift_scaled_by_the_posterior",
        lambda mu, logvar, m, v: (
            _terms(mu, logvar, m, v) + (_square(mu, m, logvar) - _square(mu, m, v)) / 2
        ),
        "The squared difference of the means is divided by the variance of the first Gaussian; "
        "the prior's belongs there.",
    ),
    _mistake(
        "prior_mean_added",
        lambda mu, logvar, m, v: _terms(mu, logvar, -m, v),
        "Looks as if the means were added: their difference counts.",
    ),
    _mistake(
        "prior_log_sign",
        lambda mu, logvar, m, v: _terms(mu, logvar, m, v) - v,
        "The prior's logvar enters with the wrong sign: the logarithm is that of σ²/τ².",
    ),
    _mistake(
        "logvar_clamped",
        lambda mu, logvar, m, v: _terms(mu, logvar.clamp(-10, 10), m, v.clamp(-10, 10)),
        "Very narrow and very wide Gaussians come out as if logvar were clamped: the formula is "
        "stable as it stands.",
    ),
    _mistake(
        "variance_floored",
        lambda mu, logvar, m, v: _terms(mu, (logvar.exp() + 1e-8).log(), m, (v.exp() + 1e-8).log()),
        "Very narrow Gaussians come out as if something were added to their variance: use logvar "
        "as it is, not the logarithm of exp(logvar).",
    ),
    *blunders(_right),
    Mistake(
        "broadcasts_parameters",
        _guarded(_terms, shapes=False),
        "Parameters of different shapes were accepted, and one of them was repeated. Compare the "
        "shapes and raise a ValueError.",
    ),
)
