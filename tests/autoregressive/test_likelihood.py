"""Log-likelihood of discrete images and bits per dimension."""

from __future__ import annotations

import math

import pytest
import torch

from mdcv.autoregressive import bits_per_dimension, log_likelihood, to_levels
from mdcv.seeds import generator


def example(dtype=torch.float64):
    draw = generator(0)
    logits = 3 * torch.randn(5, 4, 3, 2, 7, generator=draw, dtype=dtype)
    targets = torch.randint(0, 4, (5, 3, 2, 7), generator=draw)
    return logits, targets


def test_a_uniform_image_of_bytes_costs_eight_bits_per_entry():
    logits = torch.zeros(2, 256, 3, 4, 5, dtype=torch.float64)
    cost = log_likelihood(logits, torch.full((2, 3, 4, 5), 200))
    bits = bits_per_dimension(cost, 3 * 4 * 5)
    torch.testing.assert_close(bits, torch.full((2,), 8.0, dtype=torch.float64))


def test_certainty_costs_nothing():
    logits = torch.zeros(1, 2, 1, 1, 1)
    logits[0, 1] = 1e4
    one = torch.ones(1, 1, 1, 1, dtype=torch.long)
    assert log_likelihood(logits, one).item() == 0
    assert log_likelihood(logits, 0 * one).item() == -1e4


def test_agrees_with_torch_distributions(device):
    logits, targets = (part.to(device) for part in example())
    peer = torch.distributions.Categorical(logits=logits.movedim(1, -1))
    expected = peer.log_prob(targets).sum(dim=(1, 2, 3))
    torch.testing.assert_close(log_likelihood(logits, targets), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_and_shape_follow_the_logits(dtype):
    logits, targets = example(dtype)
    found = log_likelihood(logits, targets)
    assert found.dtype == dtype and found.shape == (5,)


def test_gradient_is_exact():
    logits, targets = example()
    small = logits[:2, :, :1, :, :2].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: log_likelihood(z, targets[:2, :1, :, :2]), small)


def test_bits_are_nats_over_dimensions_and_log_two():
    nats = torch.tensor([-3.0, -700.0], dtype=torch.float64)
    torch.testing.assert_close(bits_per_dimension(nats, 64), -nats / 64 / math.log(2))


@pytest.mark.parametrize("levels", [2, 3, 17, 256])
def test_levels_come_back_from_their_values(levels):
    found = torch.arange(levels).view(1, 1, 1, levels)
    for dtype in (torch.float32, torch.float64):
        assert torch.equal(to_levels(found.to(dtype) / (levels - 1), levels), found)


@pytest.mark.usefixtures("at_the_door")
def test_values_between_the_levels_are_refused():
    x = torch.zeros(2, 1, 3, 3)
    for value, shown in ((0.3, "0.3"), (-1.0, "-1"), (2.0, "2"), (math.nan, "nan")):
        x[1, 0, 2, 2] = value
        with pytest.raises(ValueError, match=f"images holds {shown}; expected one of the 2"):
            to_levels(x, 2)
    with pytest.raises(ValueError, match=r"images has shape \(3, 3\)"):
        to_levels(x[0, 0], 2)
    with pytest.raises(ValueError, match="levels is 1"):
        to_levels(x, 1)


@pytest.mark.usefixtures("at_the_door")
def test_targets_that_do_not_fit_are_refused():
    logits, targets = example()
    for wrong, words in [
        (targets[:4], r"targets has shape \(4, 3, 2, 7\)"),
        (targets.float(), "dtype torch.float32; expected"),
        (targets + 1, "targets reach from 1 to 4; expected levels from 0 to 3"),
        (targets - 1, "targets reach from -1"),
    ]:
        with pytest.raises(ValueError, match=words):
            log_likelihood(logits, wrong)
    with pytest.raises(ValueError, match=r"logits has shape \(5, 4, 3, 2\)"):
        log_likelihood(logits[..., 0], targets)
    for dimensions in (0, 1.5):
        with pytest.raises(ValueError, match="dimensions is"):
            bits_per_dimension(torch.zeros(2), dimensions)
