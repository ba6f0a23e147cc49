"""The solvable VAE: every closed form against another route to the same number."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from mdcv.seeds import generator
from mdcv.vae import LinearGaussianVAE


def model(device="cpu", size=5, latent=3):
    rng = generator(6)
    weight = torch.randn(size, latent, dtype=torch.float64, generator=rng)
    bias = torch.randn(size, dtype=torch.float64, generator=rng)
    return LinearGaussianVAE(weight.to(device), bias.to(device), 0.7)


def question(device="cpu"):
    vae, rng = model(device), generator(7)
    x = torch.randn(4, 5, dtype=torch.float64, generator=rng).to(device)
    mu, logvar = torch.randn(2, 4, 3, dtype=torch.float64, generator=rng).to(device)
    return vae, x, mu, logvar


def test_one_dimension_by_hand():
    """W = 1, b = 0, s = 1: p(x) = N(0, 2), p(z|x) = N(x/2, 1/2)."""
    vae = LinearGaussianVAE(torch.ones(1, 1).double(), torch.zeros(1).double(), 1.0)
    x = torch.tensor([[4.0]], dtype=torch.float64)
    assert float(vae.log_marginal(x)) == pytest.approx(-0.5 * (16 / 2 + math.log(4 * math.pi)))
    assert float(vae.posterior(x).mean) == pytest.approx(2.0)
    assert float(vae.posterior(x).covariance_matrix) == pytest.approx(0.5)


def test_log_p_is_elbo_plus_gap_for_any_q(device):
    vae, x, mu, logvar = question(device)
    together = vae.elbo(x, mu, logvar) + vae.gap(x, mu, logvar)
    torch.testing.assert_close(together, vae.log_marginal(x), rtol=1e-10, atol=1e-10)


def test_the_marginal_is_the_integral():
    vae, x = model(size=2, latent=1), torch.tensor([[0.3, -0.8]], dtype=torch.float64)
    z = torch.linspace(-12, 12, 4001, dtype=torch.float64)[:, None]
    likelihood = Normal(z @ vae.weight.T + vae.bias, vae.noise).log_prob(x).sum(1)
    integral = torch.trapezoid((likelihood + Normal(0.0, 1.0).log_prob(z[:, 0])).exp(), z[:, 0])
    torch.testing.assert_close(vae.log_marginal(x)[0], integral.log())


def test_bayes_holds_at_every_z():
    """log p(x|z) + log p(z) − log p(z|x) is log p(x), whatever z is."""
    vae, x, z, _ = question()
    likelihood = Normal(z @ vae.weight.T + vae.bias, vae.noise).log_prob(x).sum(1)
    prior = Normal(0.0, 1.0).log_prob(z).sum(1)
    torch.testing.assert_close(
        likelihood + prior - vae.posterior(x).log_prob(z), vae.log_marginal(x)
    )


def test_the_gap_is_the_divergence_of_torch_distributions():
    vae, x, mu, logvar = question()
    q = MultivariateNormal(mu, torch.diag_embed(logvar.exp()))
    torch.testing.assert_close(vae.gap(x, mu, logvar), kl_divergence(q, vae.posterior(x)))


def test_the_elbo_is_what_draws_average_to(device):
    vae, x, mu, logvar = question(device)
    q = Independent(Normal(mu, (logvar / 2).exp()), 1)
    eps = torch.randn(
        20_000, 4, 3, dtype=torch.float64, generator=generator(0, device), device=device
    )
    z = mu + (logvar / 2).exp() * eps
    likelihood = Normal(z @ vae.weight.T + vae.bias, vae.noise).log_prob(x).sum(2)
    draws = likelihood + Normal(0.0, 1.0).log_prob(z).sum(2) - q.log_prob(z)
    error = draws.std(0) / 20_000**0.5
    assert bool(((draws.mean(0) - vae.elbo(x, mu, logvar)).abs() < 5 * error).all())


def test_no_diagonal_q_is_better_than_the_best_one():
    vae, x, _, _ = question()
    best = vae.best_diagonal(x)
    top = vae.elbo(x, *best)
    parameters = [p.clone().requires_grad_() for p in best]
    slopes = torch.autograd.grad(vae.elbo(x, *parameters).sum(), parameters)
    for slope in slopes:
        torch.testing.assert_close(slope, torch.zeros_like(slope), rtol=0, atol=1e-10)
    rng = generator(8)
    for _ in range(20):
        step = 0.3 * torch.randn(2, 4, 3, dtype=torch.float64, generator=rng)
        assert bool((vae.elbo(x, best.mu + step[0], best.logvar + step[1]) < top).all())


def test_the_best_diagonal_q_is_the_posterior_where_nothing_is_correlated():
    weight = torch.tensor([[2.0, 0.0], [0.0, 0.5], [0.0, 0.0]], dtype=torch.float64)
    vae = LinearGaussianVAE(weight, torch.zeros(3).double(), 0.3)
    x = torch.randn(4, 3, dtype=torch.float64, generator=generator(1))
    gap = vae.gap(x, *vae.best_diagonal(x))
    torch.testing.assert_close(gap, torch.zeros_like(gap), rtol=0, atol=1e-12)


def test_it_understates_the_variance_where_something_is():
    vae, x, _, _ = question()
    true = vae.posterior(x).covariance_matrix.diagonal(dim1=1, dim2=2)
    assert bool((vae.best_diagonal(x).logvar.exp() < true).all())


def test_samples_have_the_covariance_of_the_marginal(device):
    vae = model(device)
    x = vae.sample(50_000, generator=generator(0, device))
    expected = vae.marginal().covariance_matrix
    assert float((x.T.cov() - expected).abs().max()) < 0.03 * float(expected.abs().max())
    assert float((x.mean(0) - vae.bias).abs().max()) < 0.05


def test_bad_input_is_refused(at_the_door):
    with pytest.raises(ValueError, match=r"bias has shape \(2,\); expected \(3,\)"):
        LinearGaussianVAE(torch.zeros(3, 2), torch.zeros(2), 1.0)
    for noise in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=r"noise is .*expected a number above 0"):
            LinearGaussianVAE(torch.zeros(3, 2), torch.zeros(3), noise)
    vae, x, mu, logvar = question()
    with pytest.raises(ValueError, match=r"logvar has shape \(4, 1\); expected \(4, 3\)"):
        vae.elbo(x, mu, logvar[:, :1])
