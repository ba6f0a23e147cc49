"""KL divergence of diagonal Gaussians."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal

from mdcv.divergence import gaussian_kl
from mdcv.seeds import generator


def parameters(*shape: int, count: int = 4) -> list[torch.Tensor]:
    drawn = torch.randn(count, *shape, generator=generator(0), dtype=torch.float64)
    return list(drawn.unbind())


def test_known_values(device):
    """Three standard deviations away: 9/2. Twice as wide: (4 - 1 - log 4) / 2."""
    mu = torch.tensor([[3.0], [0.0]], device=device)
    logvar = torch.tensor([[0.0], [math.log(4)]], device=device)
    expected = torch.tensor([4.5, (3 - math.log(4)) / 2], device=device)
    torch.testing.assert_close(gaussian_kl(mu, logvar), expected)


def test_agrees_with_torch_distributions(device):
    mu, logvar, m, v = (value.to(device) for value in parameters(2, 3, 5))
    first, second = Normal(mu, (logvar / 2).exp()), Normal(m, (v / 2).exp())
    expected = torch.distributions.kl_divergence(first, second).sum(dim=-1)
    torch.testing.assert_close(gaussian_kl(mu, logvar, m, v), expected)
    standard = Normal(torch.zeros_like(mu), torch.ones_like(mu))
    expected = torch.distributions.kl_divergence(first, standard).sum(dim=-1)
    torch.testing.assert_close(gaussian_kl(mu, logvar), expected)


def test_what_is_not_given_is_standard():
    mu, logvar, m, v = parameters(4, 3)
    zeros = torch.zeros_like(mu)
    torch.testing.assert_close(gaussian_kl(mu, logvar, m), gaussian_kl(mu, logvar, m, zeros))
    alone = gaussian_kl(mu, logvar, prior_logvar=v)
    torch.testing.assert_close(alone, gaussian_kl(mu, logvar, zeros, v))


def test_coordinates_add_up():
    mu, logvar, m, v = parameters(4, 6)
    whole = gaussian_kl(mu, logvar, m, v)
    left = gaussian_kl(mu[:, :2], logvar[:, :2], m[:, :2], v[:, :2])
    right = gaussian_kl(mu[:, 2:], logvar[:, 2:], m[:, 2:], v[:, 2:])
    torch.testing.assert_close(whole, left + right)


def test_a_change_of_unit_changes_nothing():
    mu, logvar, m, v = parameters(4, 3)
    scaled = gaussian_kl(7 * mu + 2, logvar + math.log(49), 7 * m + 2, v + math.log(49))
    torch.testing.assert_close(scaled, gaussian_kl(mu, logvar, m, v))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("logvar", [-50.0, 50.0])
def test_extreme_variances_keep_their_digits(dtype, logvar):
    value = torch.full((1, 1), logvar, dtype=dtype)
    mu = torch.full((1, 1), 0.5, dtype=dtype)
    expected = (math.exp(logvar) + 0.25 - 1 - logvar) / 2
    torch.testing.assert_close(gaussian_kl(mu, value).item(), expected, rtol=1e-5, atol=0)
    torch.testing.assert_close(gaussian_kl(mu, value, mu, value), torch.zeros(1, dtype=dtype))
    against = gaussian_kl(mu, torch.zeros_like(mu), torch.zeros_like(mu), value).item()
    expected = (1.25 * math.exp(-logvar) - 1 + logvar) / 2
    torch.testing.assert_close(against, expected, rtol=1e-5, atol=0)


def test_nearly_equal_variances_keep_their_digits():
    """KL is x²/4 for a small difference x of the logarithms; exp(x) - 1 - x would round to 0."""
    x = torch.tensor([[1e-9]], dtype=torch.float64)
    torch.testing.assert_close(
        gaussian_kl(torch.zeros_like(x), x).item(), 2.5e-19, rtol=1e-6, atol=0
    )


def test_it_is_zero_only_on_itself():
    mu, logvar, m, v = parameters(200, 2)
    assert (gaussian_kl(mu, logvar, m, v) > 0).all()
    assert gaussian_kl(mu, logvar, mu, logvar).eq(0).all()


def test_gradients_are_exact():
    inputs = [value.requires_grad_() for value in parameters(3, 4)]
    assert torch.autograd.gradcheck(gaussian_kl, inputs)
    assert torch.autograd.gradcheck(gaussian_kl, inputs[:2])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_follows_and_nan_stays_in_its_row(dtype):
    mu, logvar = (value.to(dtype) for value in parameters(3, 4, count=2))
    mu[1, 2] = torch.nan
    found = gaussian_kl(mu, logvar)
    assert found.dtype == dtype and found.isnan().tolist() == [False, True, False]


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((torch.zeros(3, 2), torch.zeros(3, 1)), r"logvar has shape \(3, 1\); expected \(3, 2\)"),
        ((torch.zeros(3, 2), torch.zeros(2)), r"logvar has shape \(2,\)"),
        ((torch.zeros(3, 2), torch.zeros(3, 2), torch.zeros(2)), r"prior_mu has shape \(2,\)"),
        (
            (torch.zeros(3, 2), torch.zeros(3, 2), None, torch.zeros(1, 2)),
            r"prior_logvar has shape \(1, 2\)",
        ),
        ((torch.zeros(3, 2), torch.zeros(3, 2).double()), "logvar has dtype torch.float64"),
        ((torch.zeros(3, 2), None), "logvar is NoneType"),
        ((torch.zeros(3, 2).long(), torch.zeros(3, 2)), "mu is torch.int64"),
        (([0.0], torch.zeros(1)), "mu is list"),
        ((torch.zeros(3, 0), torch.zeros(3, 0)), "at least one coordinate"),
        ((torch.tensor(0.0), torch.tensor(0.0)), "at least one coordinate"),
    ],
)
def test_bad_input_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        gaussian_kl(*given)
