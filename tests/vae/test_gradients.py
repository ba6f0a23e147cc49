"""Two estimators of one gradient: both right on average, one of them much quieter."""

from __future__ import annotations

import math

import pytest
import torch

from mdcv.seeds import generator
from mdcv.vae import pathwise_gradient, score_function_gradient

ESTIMATORS = [pathwise_gradient, score_function_gradient]


def square(z):
    return z.square().sum(dim=1)


def noise(k, d, device="cpu"):
    return torch.randn(k, d, dtype=torch.float64, generator=generator(0, device), device=device)


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_both_have_the_exact_gradient_as_their_mean(estimate, device):
    """E Σ z² = Σ μ² + σ², so the gradients are 2 μ and σ²."""
    mu = torch.tensor([0.7, -1.2], dtype=torch.float64, device=device)
    logvar = torch.tensor([0.3, -0.8], dtype=torch.float64, device=device)
    draws = estimate(square, mu, logvar, noise(40_000, 2, device))
    assert draws.shape == (40_000, 2, 2) and draws.device.type == device
    z = (draws.mean(0) - torch.stack([2 * mu, logvar.exp()])) / (draws.std(0) / 200)
    assert float(z.abs().max()) < 5


def test_both_agree_on_a_function_without_a_closed_form():
    mu, logvar = torch.tensor([[0.4], [-0.6]], dtype=torch.float64)

    def f(z):
        return torch.sin(3 * z[:, 0]).exp()

    a, b = (estimate(f, mu, logvar, noise(40_000, 1)) for estimate in ESTIMATORS)
    z = (a.mean(0) - b.mean(0)) / ((a.var(0) + b.var(0)) / 40_000).sqrt()
    assert float(z.abs().max()) < 5


def test_their_variances_are_those_worked_out_by_hand():
    """For f = z²: 4 σ² along the path, μ⁴/σ² + 14 μ² + 15 σ² by the score."""
    mu, sigma = 1.5, 0.5
    parameters = torch.tensor([[mu], [2 * math.log(sigma)]], dtype=torch.float64)
    exact = [4 * sigma**2, mu**4 / sigma**2 + 14 * mu**2 + 15 * sigma**2]
    for estimate, variance in zip(ESTIMATORS, exact, strict=True):
        draws = estimate(square, *parameters, noise(400_000, 1))[:, 0, 0]
        assert float(draws.var()) == pytest.approx(variance, rel=0.03)


def test_the_score_needs_no_slope():
    zero = torch.zeros(1, dtype=torch.float64)

    def step(z):
        return (z[:, 0] > 0).double()

    draws = score_function_gradient(step, zero, zero, noise(40_000, 1))[:, 0, 0]
    # The slope of P(z > 0) by the mean is the normal density at 0.
    assert abs(float(draws.mean()) - 1 / math.sqrt(2 * math.pi)) < 5 * float(draws.std()) / 200


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_the_parameters_are_left_alone(estimate):
    mu = torch.zeros(2, requires_grad=True)
    estimate(square, mu, mu, noise(3, 2).float())
    assert mu.grad is None
