"""The reparameterized draw and the encoder's Gaussian, against torch.distributions."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal

from mdcv.seeds import generator
from mdcv.vae import DiagonalGaussian, reparameterize


def parameters(device="cpu"):
    rng = generator(1)
    mu, logvar, eps = (torch.randn(5, 3, dtype=torch.float64, generator=rng) for _ in range(3))
    return mu.to(device), logvar.to(device), eps.to(device)


def test_logvar_is_the_logarithm_of_the_variance(device):
    z = reparameterize(*(torch.tensor([[v]], device=device) for v in (1.0, 4.0, 0.5)))
    torch.testing.assert_close(z, torch.tensor([[1.0 + 2.718281828**2 * 0.5]], device=device))


def test_it_is_the_draw_of_torch_distributions():
    mu, logvar, eps = parameters()
    normal = Normal(mu, (logvar / 2).exp())
    torch.testing.assert_close(normal.cdf(reparameterize(mu, logvar, eps)), Normal(0, 1).cdf(eps))


def test_noise_may_have_axes_in_front():
    mu, logvar, _ = parameters()
    eps = torch.randn(2, 7, 5, 3, dtype=torch.float64, generator=generator(2))
    z = reparameterize(mu, logvar, eps)
    assert z.shape == eps.shape
    torch.testing.assert_close(z[1, 4], reparameterize(mu, logvar, eps[1, 4]))


def test_gradients_reach_mu_and_logvar_and_are_exact(device):
    mu, logvar, eps = parameters(device)
    inputs = (mu.requires_grad_(), logvar.requires_grad_(), eps.requires_grad_())
    assert torch.autograd.gradcheck(reparameterize, inputs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("extreme", [-50.0, 50.0])
def test_extreme_variances_stay_finite_in_their_dtype(dtype, extreme):
    mu, eps = torch.ones(2, 3, dtype=dtype), torch.full((2, 3), -1.5, dtype=dtype)
    logvar = torch.full((2, 3), extreme, dtype=dtype, requires_grad=True)
    z = reparameterize(mu, logvar, eps)
    assert z.dtype == dtype
    torch.testing.assert_close(
        z.double(), 1 - 1.5 * torch.tensor(extreme / 2).double().exp() + 0 * z.double()
    )
    z.sum().backward()
    assert bool(logvar.grad.isfinite().all())


def test_what_does_not_fit_is_refused(at_the_door):
    mu, logvar, eps = parameters()
    for bad in ((mu[:1], logvar, eps), (mu, logvar[:, :1], eps), (mu, logvar, eps[:, :1])):
        with pytest.raises(ValueError, match="expected"):
            reparameterize(*bad)
    with pytest.raises(ValueError, match=r"eps has shape \(1, 3\); expected \(..., 5, 3\)"):
        reparameterize(mu, logvar, eps[:1])
    with pytest.raises(ValueError, match=r"logvar has dtype torch.float32"):
        reparameterize(mu, logvar.float(), eps)
    with pytest.raises(ValueError, match=r"mu has shape \(3,\); expected \(B, D\)"):
        reparameterize(mu[0], logvar[0], eps[0])


def test_a_pair_can_be_unpacked_as_the_contract_says():
    mu, logvar, _ = parameters()
    first, second = DiagonalGaussian(mu, logvar)
    assert first is mu and second is logvar


def test_log_density_is_that_of_torch_distributions(device):
    mu, logvar, z = parameters(device)
    expected = Normal(mu, (logvar / 2).exp()).log_prob(z).sum(1)
    torch.testing.assert_close(DiagonalGaussian(mu, logvar).log_prob(z), expected)
    many = torch.stack([z, z + 1])
    torch.testing.assert_close(DiagonalGaussian(mu, logvar).log_prob(many)[0], expected)


def test_draws_have_the_mean_and_the_variance_and_repeat(device):
    mu, logvar, _ = parameters(device)
    q = DiagonalGaussian(mu, logvar)
    z = q.draw(20_000, generator=generator(0, device))
    assert z.shape == (20_000, 5, 3)
    error = (logvar / 2).exp() / 20_000**0.5
    assert bool(((z.mean(0) - mu).abs() < 5 * error).all())
    # The variance of a sample of a Gaussian has the relative standard error √(2/n).
    assert bool(((z.var(0) / logvar.exp() - 1).abs() < 5 * (2 / 20_000) ** 0.5).all())
    again = q.draw(generator=generator(3, device))
    assert again.shape == mu.shape
    assert again.equal(q.draw(generator=generator(3, device)))
