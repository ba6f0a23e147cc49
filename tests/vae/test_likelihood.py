"""The likelihood of an image of coins."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch.distributions import Bernoulli

from mdcv.seeds import generator
from mdcv.vae import bernoulli_log_likelihood


def test_it_is_the_sum_that_torch_distributions_gives(device):
    rng = generator(0)
    logits = 3 * torch.randn(4, 2, 3, 5, dtype=torch.float64, generator=rng)
    x = (torch.rand(4, 2, 3, 5, dtype=torch.float64, generator=rng) < 0.4).double()
    expected = Bernoulli(logits=logits).log_prob(x).sum((1, 2, 3))
    value = bernoulli_log_likelihood(logits.to(device), x.to(device))
    assert value.device.type == device
    torch.testing.assert_close(value.cpu(), expected)


def test_all_binary_images_together_have_probability_one():
    logits = torch.randn(1, 6, dtype=torch.float64, generator=generator(1))
    every = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6)), dtype=torch.float64)
    log_p = bernoulli_log_likelihood(logits.expand(64, 6), every)
    torch.testing.assert_close(log_p.exp().sum(), torch.tensor(1.0, dtype=torch.float64))


def test_gray_is_the_expectation_over_black_and_white():
    logits = torch.tensor([[1.3], [-0.4]], dtype=torch.float64)
    black, white = (bernoulli_log_likelihood(logits, torch.full_like(logits, v)) for v in (0, 1))
    gray = bernoulli_log_likelihood(logits, torch.full_like(logits, 0.3))
    torch.testing.assert_close(gray, 0.7 * black + 0.3 * white)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_large_logits_are_exact_and_have_a_gradient(dtype):
    logits = torch.tensor([[1e4], [1e4], [-1e4], [-1e4]], dtype=dtype, requires_grad=True)
    x = torch.tensor([[1.0], [0.0], [0.0], [0.25]], dtype=dtype)
    value = bernoulli_log_likelihood(logits, x)
    assert value.dtype == dtype and value.tolist() == [0.0, -1e4, 0.0, -2500.0]
    value.sum().backward()
    assert logits.grad.flatten().tolist() == [0.0, -1.0, 0.0, 0.25]


def test_a_sure_guess_keeps_its_small_cost():
    value = bernoulli_log_likelihood(torch.tensor([[30.0]]), torch.ones(1, 1))
    assert float(value) == pytest.approx(-math.log1p(math.exp(-30)), rel=1e-6)


def test_the_gradient_is_x_minus_the_probability():
    logits = torch.randn(3, 5, dtype=torch.float64, generator=generator(2)).requires_grad_()
    x = torch.rand(3, 5, dtype=torch.float64, generator=generator(3))
    (slope,) = torch.autograd.grad(bernoulli_log_likelihood(logits, x).sum(), logits)
    torch.testing.assert_close(slope, x - logits.detach().sigmoid())


def test_one_number_a_sample_and_no_sample_are_fine():
    assert bernoulli_log_likelihood(torch.zeros(3), torch.ones(3)).shape == (3,)
    assert bernoulli_log_likelihood(torch.zeros(0, 2, 2), torch.ones(0, 2, 2)).shape == (0,)


@pytest.mark.parametrize("value", [-0.01, 1.01, 255.0, float("nan"), float("inf")])
def test_a_pixel_outside_zero_to_one_is_refused(value):
    x = torch.full((2, 3), 0.5)
    x[1, 2] = value
    with pytest.raises(ValueError, match=r"x holds .*expected pixels in \[0, 1\]"):
        bernoulli_log_likelihood(torch.zeros(2, 3), x)


def test_shapes_and_dtypes_that_differ_are_refused(at_the_door):
    logits = torch.zeros(2, 3)
    with pytest.raises(ValueError, match=r"x has shape \(2, 1\); expected \(2, 3\)"):
        bernoulli_log_likelihood(logits, torch.zeros(2, 1))
    with pytest.raises(ValueError, match=r"x has dtype torch\.float64"):
        bernoulli_log_likelihood(logits, torch.zeros(2, 3).double())
    with pytest.raises(ValueError, match=r"logits has dtype torch\.int64"):
        bernoulli_log_likelihood(logits.long(), logits.long())
    with pytest.raises(ValueError, match="logits has shape"):
        bernoulli_log_likelihood(torch.tensor(1.0), torch.tensor(1.0))
