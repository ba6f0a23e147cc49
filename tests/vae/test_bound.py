"""The bounds: known values, the identity behind them, and their order."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from mdcv.seeds import generator
from mdcv.vae import VAE, elbo, importance_weighted_bound, log_weights


def batch(device="cpu", dtype=torch.float64):
    rng = generator(4)
    logits = 2 * torch.randn(5, 1, 3, 4, dtype=dtype, generator=rng)
    x = torch.rand(5, 1, 3, 4, dtype=dtype, generator=rng)
    mu, logvar = torch.randn(2, 5, 7, dtype=dtype, generator=rng)
    return tuple(t.to(device) for t in (logits, x, mu, logvar))


def test_elbo_is_likelihood_minus_divergence(device):
    logits, x, mu, logvar = batch(device)
    x = x.round()
    likelihood = Bernoulli(logits=logits).log_prob(x).sum((1, 2, 3))
    divergence = kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(0 * mu, 1 + 0 * mu)).sum(1)
    torch.testing.assert_close(elbo(logits, x, mu, logvar), likelihood - divergence)


def test_a_sure_decoder_and_the_prior_cost_nothing():
    x = torch.eye(3)
    value = elbo(1e4 * (2 * x - 1), x, torch.zeros(3, 2), torch.zeros(3, 2))
    assert value.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_variances_and_logits_keep_value_and_gradient_finite(dtype):
    logits = torch.tensor([[1e4, -1e4], [-1e4, 1e4]], dtype=dtype, requires_grad=True)
    mu = torch.tensor([[50.0], [-50.0]], dtype=dtype, requires_grad=True)
    logvar = torch.tensor([[50.0], [-50.0]], dtype=dtype, requires_grad=True)
    value = elbo(logits, torch.ones(2, 2, dtype=dtype), mu, logvar)
    assert value.dtype == dtype
    exact = [-1e4 - 0.5 * (math.exp(v) + 2500 - v - 1) for v in (50.0, -50.0)]
    torch.testing.assert_close(value.double(), torch.tensor(exact, dtype=torch.float64))
    value.sum().backward()
    assert all(bool(t.grad.isfinite().all()) for t in (logits, mu, logvar))


def test_gradients_are_exact():
    logits, x, mu, logvar = batch()
    inputs = [t.requires_grad_() for t in (logits, mu, logvar)]
    assert torch.autograd.gradcheck(lambda a, b, c: elbo(a, x, b, c), inputs)


def test_elbo_refuses_what_does_not_fit(at_the_door):
    logits, x, mu, logvar = batch()
    with pytest.raises(ValueError, match=r"mu has shape \(1, 7\); axis B should be 5"):
        elbo(logits, x, mu[:1], logvar[:1])
    with pytest.raises(ValueError, match=r"logvar has shape \(5, 1\); expected \(5, 7\)"):
        elbo(logits, x, mu, logvar[:, :1])
    with pytest.raises(ValueError, match=r"x has shape \(1, 1, 3, 4\)"):
        elbo(logits, x[:1], mu, logvar)
    with pytest.raises(ValueError, match=r"expected pixels in \[0, 1\]"):
        elbo(logits, 2 * x + 1, mu, logvar)


def test_the_bound_is_the_logarithm_of_the_mean_weight(device):
    weights = torch.rand(7, 4, dtype=torch.float64, generator=generator(0)).to(device)
    value = importance_weighted_bound(weights.log())
    torch.testing.assert_close(value, weights.mean(0).log())


def test_one_weight_is_its_own_bound_and_equal_ones_change_nothing():
    w = torch.tensor([[-700.0, 3.0, -1e4]])
    assert importance_weighted_bound(w).equal(w[0])
    torch.testing.assert_close(importance_weighted_bound(w.expand(9, 3)), w[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_huge_and_tiny_weights_neither_overflow_nor_vanish(dtype):
    log_w = torch.tensor([[1e4, -1e4], [1e4, -1e4 - 2]], dtype=dtype, requires_grad=True)
    value = importance_weighted_bound(log_w)
    assert value.dtype == dtype
    assert value.tolist() == pytest.approx([1e4, -1e4 + math.log((1 + math.exp(-2)) / 2)], rel=1e-7)
    value.sum().backward()
    torch.testing.assert_close(log_w.grad.sum(0), torch.ones(2, dtype=dtype))


def test_impossible_draws_count_as_zero():
    log_w = torch.tensor([[-torch.inf, -torch.inf], [0.0, -torch.inf]])
    assert importance_weighted_bound(log_w).tolist() == [pytest.approx(-math.log(2)), -math.inf]


def test_the_bound_refuses_what_does_not_fit(at_the_door):
    with pytest.raises(ValueError, match=r"log_weights has shape \(3,\); expected \(K, B\)"):
        importance_weighted_bound(torch.zeros(3))
    with pytest.raises(ValueError, match=r"shape \(0, 3\); expected K >= 1"):
        importance_weighted_bound(torch.zeros(0, 3))


def small_vae(device="cpu"):
    torch.manual_seed(0)
    return VAE((1, 2, 3), latent=2, hidden=(8,)).double().to(device)


def test_the_mean_log_weight_is_the_elbo(device):
    vae, rng = small_vae(device), generator(0, device)
    x = torch.rand(2, 1, 2, 3, dtype=torch.float64, device=device, generator=rng).round()
    with torch.no_grad():
        weights = log_weights(vae, x, 4000, generator=rng)
        many = x.repeat(2000, 1, 1, 1)
        bounds = elbo(*(vae(many, generator=rng)[:1]), many, *vae.encode(many)).view(2000, 2)
    assert weights.shape == (4000, 2)
    error = (weights.var(0) / 4000 + bounds.var(0) / 2000).sqrt()
    assert bool(((weights.mean(0) - bounds.mean(0)).abs() < 5 * error).all())


def test_many_draws_reach_the_integral(device):
    """log p(x) by quadrature over the two latent numbers."""
    vae, rng = small_vae(device), generator(1, device)
    x = torch.rand(3, 1, 2, 3, dtype=torch.float64, device=device, generator=rng).round()
    axis = torch.linspace(-7, 7, 201, dtype=torch.float64, device=device)
    z = torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        prior = Normal(0.0, 1.0).log_prob(z).sum(1) + 2 * math.log(14 / 200)
        likelihood = Bernoulli(logits=vae.decode(z)[:, None]).log_prob(x).sum((2, 3, 4))
        log_p = (prior[:, None] + likelihood).logsumexp(0)
        weights = log_weights(vae, x, 20_000, generator=rng)
    bound = importance_weighted_bound(weights)
    relative = (weights - weights.logsumexp(0)).exp() * 20_000
    error = relative.std(0) / 20_000**0.5
    assert bool(((bound - log_p).abs() < 5 * error + 1e-6).all())


def test_weights_stay_right_where_the_posterior_is_a_spike():
    class Spike:
        def encode(self, x):
            return torch.full((len(x), 2), 3.0), torch.full((len(x), 2), -50.0)

        def decode(self, z):
            return torch.zeros(len(z), 4)

    weights = log_weights(Spike(), torch.ones(3, 4), 5, generator=generator(0))
    # log q is largest at its mean, where it is −log 2π + 50; draws lower it by half a χ² each.
    log_q = -4 * math.log(2) - math.log(2 * math.pi) - 9.0 - weights
    assert bool((log_q <= 50 - math.log(2 * math.pi) + 1e-3).all())
    assert bool((log_q > 50 - math.log(2 * math.pi) - 20).all())


def test_no_draw_is_refused():
    with pytest.raises(ValueError, match="k is 0; expected an integer >= 1"):
        log_weights(small_vae(), torch.zeros(1, 1, 2, 3).double(), 0)
