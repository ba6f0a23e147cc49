"""The exercise `gaussian_kl`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mdcv.divergence import gaussian_kl
from mdcv.exercises.a1_distances.gaussian_right import RIGHT
from mdcv.exercises.a1_distances.gaussian_wrong import WRONG
from mdcv.exercises.cases import Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Call, Case, Exercise, Law, Part, Refusal


def _parameters(draw: Draw, *shape: int) -> tuple[Tensor, ...]:
    """Means and logarithms of variances of two Gaussians: none standard, none alike."""
    mu, logvar, prior_mu, prior_logvar = draw.tensor(4, *shape)
    return 1.3 * mu, 0.9 * logvar - 0.4, prior_mu + 0.6, 0.7 * prior_logvar + 0.5


def _standard(draw: Draw) -> list[Case]:
    batch, d, other, _ = draw.sizes()
    shapes = [(batch, d), (batch, d), draw.sizes()[:2], (other,), (2, 3, other)]
    return [_case("the prior N(0, I)", *_parameters(draw, *shape)[:2]) for shape in shapes]


def _given(draw: Draw) -> list[Case]:
    batch, d, other, _ = draw.sizes()
    mu, logvar, prior_mu, prior_logvar = _parameters(draw, batch, d)
    return [
        _case("a given prior", mu, logvar, prior_mu, prior_logvar),
        _case("a given prior", *_parameters(draw, batch, d)),
        _case("a given prior", *_parameters(draw, other)),
        _case("prior_mu alone", mu, logvar, prior_mu),
        _case("prior_logvar alone", mu, logvar, None, prior_logvar),
    ]


def _hard(draw: Draw) -> list[Case]:
    mu, logvar, m, v = _parameters(draw, 3, 8)
    narrow, wide = torch.full_like(mu, -50.0), torch.full_like(mu, 50.0)
    far = _parameters(draw, 2, 5)
    single = tuple(value.float() for value in _parameters(draw, 5, 7))
    return [
        _case("logvar = −50 against N(0, I)", mu, narrow, suspicion="extreme_variances"),
        _case("logvar = 50 against N(0, I)", mu, wide, suspicion="extreme_variances"),
        _case("prior_logvar = 50", mu, logvar, m, wide, suspicion="extreme_variances"),
        _case("logvar and prior_logvar = −50, one mean", mu, narrow, mu.clone(), narrow.clone()),
        _case(
            "a prior of logvar −30 that is met exactly", mu, narrow + 20, mu.clone(), narrow + 20
        ),
        _case("both Gaussians alike", mu, logvar, mu.clone(), logvar.clone()),
        _case("N(0, I) itself", torch.zeros_like(mu), torch.zeros_like(mu)),
        _case("means of size 1,000", 1000 * far[0], *far[1:], rtol=1e-6),
        _case("one coordinate", *_parameters(draw, 4, 1)),
        _case("a batch of one", *_parameters(draw, 1, 5)),
        _case("as many rows as coordinates", *_parameters(draw, 6, 6)),
        _case(
            "inputs that are not contiguous",
            transposed_layout(mu),
            strided_layout(logvar),
            transposed_layout(m),
            strided_layout(v),
            suspicion="needs_contiguous_input",
        ),
        _case("float32", *single, atol=1e-5),
    ]


def _gradients(draw: Draw) -> list[Case]:
    batch, d, *_ = draw.sizes()
    everything = _parameters(draw, batch, d)
    return [
        _case("the gradient with the prior N(0, I)", *everything[:2], gradient="value"),
        _case("the gradient with a given prior", *everything, gradient="value"),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    mu, logvar, m, v = _parameters(draw, 3, 5)
    nan = mu.clone()
    nan[1, 2] = torch.nan
    bad: list[tuple[str, tuple[Tensor, ...]]] = [
        ("mu (3, 5) and logvar (1, 5)", (mu, logvar[:1])),
        ("mu (3, 5) and logvar (3, 1)", (mu, logvar[:, :1])),
        ("mu (5,) and logvar (3, 5)", (mu[0], logvar)),
        ("mu (3, 5) and logvar (3, 4)", (mu, logvar[:, :4])),
        ("prior_mu (5,) for mu (3, 5)", (mu, logvar, m[0], v)),
        ("prior_logvar (3, 1) for mu (3, 5)", (mu, logvar, m, v[:, :1])),
    ]
    return [
        *(Refusal(kind, given, "broadcasts_parameters") for kind, given in bad),
        Refusal("a mean that is NaN", (nan, logvar), "hides_nan", or_any_sign=True),
    ]


def _case(kind: str, *parameters: Tensor | None, **more: Any) -> Case:
    *batch, d = parameters[0].shape
    count = "one Gaussian" if not batch else f"{' x '.join(map(str, batch))} Gaussians"
    return Case(f"{kind} ({count} in {d}-D)", parameters, **more)


def _law(sentence: str, change: Any, holds: Any) -> Law:
    def calls(draw: Draw) -> list[Call]:
        parameters = _parameters(draw, 4, 3)
        return [(parameters, {}), (change(*parameters), {})]

    return Law(sentence, calls, holds)


LAWS = (
    _law(
        "A Gaussian is not at 0 from itself.",
        lambda mu, logvar, m, v: (mu, logvar, mu.clone(), logvar.clone()),
        lambda values: bool((values[1].abs() < 1e-5).all()),
    ),
    _law(
        "The value of one row changes with the rest of the batch: rows must not mix.",
        lambda *parameters: tuple(value[:1] for value in parameters),
        lambda values: torch.allclose(values[0][:1], values[1], rtol=1e-5),
    ),
    _law(
        "Your value changes with the unit: scale both Gaussians by 3 (log 9 more in both logvars), "
        "and KL stays as it is.",
        lambda mu, logvar, m, v: (
            3 * mu,
            logvar + 2.1972245773362196,
            3 * m,
            v + 2.1972245773362196,
        ),
        lambda values: torch.allclose(values[0], values[1], rtol=1e-5),
    ),
)

GAUSSIAN_KL = Exercise(
    name="gaussian_kl",
    contract=(
        "gaussian_kl(mu, logvar, prior_mu=None, prior_logvar=None) returns KL(N(mu, exp logvar) ‖ "
        "N(prior_mu, exp prior_logvar)) of diagonal Gaussians, summed over the last axis; None "
        "stands for zeros. Shapes that are not all equal: ValueError."
    ),
    reference=gaussian_kl,
    parts=(
        Part("standard prior", 0.35, _standard, is_value=True),
        Part("given prior", 0.2, _given, is_value=True),
        Part("hard places", 0.15, _hard),
        Part("gradient", 0.15, _gradients),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    laws=LAWS,
    traits={
        "one_value_for_the_batch": (
            "One number came for the whole batch; each Gaussian has a value of its own."
        ),
        "extreme_variances": (
            "Very narrow or very wide Gaussians come out wrong. Clamp nothing, add nothing to a "
            "variance, and take no logarithm of exp(logvar)."
        ),
    },
    points=7,
)
