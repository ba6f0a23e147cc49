"""The small networks of the planar experiments."""

from __future__ import annotations

import pytest
import torch

from mdcv.gan import PointDiscriminator, PointGenerator
from mdcv.seeds import generator


def test_one_seed_gives_one_network_and_one_sample():
    first, second = (PointGenerator(3, rng=generator(5)) for _ in range(2))
    x = first.sample(6, generator=generator(1))
    assert x.shape == (6, 2) and not x.requires_grad
    assert x.equal(second.sample(6, generator=generator(1)))
    assert not x.equal(PointGenerator(3, rng=generator(6)).sample(6, generator=generator(1)))


def test_the_initial_weights_are_drawn_as_pytorch_draws_them():
    weight = PointDiscriminator(width=400, rng=generator(0)).layers[2].weight.detach()
    bound = 400**-0.5
    assert weight.abs().max() <= bound
    assert float(weight.std()) == pytest.approx(bound / 3**0.5, rel=0.02)


def test_a_network_made_with_a_seed_leaves_the_global_randomness_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    PointGenerator(rng=generator(0)).sample(4, generator=generator(0))
    assert torch.get_rng_state().equal(before)


def test_a_discriminator_gives_each_sample_a_number_of_its_own():
    d = PointDiscriminator(3, width=6, depth=3, rng=generator(0)).double()
    x = torch.randn(5, 3, generator=generator(1), dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(d, x)
    assert d(x).shape == (5,)
    others = ~torch.eye(5, dtype=torch.bool)
    assert (jacobian[others] == 0).all() and (jacobian[~others] != 0).any()
    assert not torch.allclose(d(2 * x) + d(torch.zeros_like(x)), 2 * d(x))  # not an affine map


def test_dtype_and_device_follow_the_weights(device):
    g, d = PointGenerator().to(device).double(), PointDiscriminator().to(device).double()
    made = g.sample(3, generator=generator(0))
    assert made.dtype == torch.float64 and made.device.type == device
    assert d(made).shape == (3,)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: PointGenerator(0), "noise_dim is 0"),
        (lambda: PointGenerator(width=0), "width is 0"),
        (lambda: PointDiscriminator(depth=0), "depth is 0"),
        (lambda: PointGenerator().sample(0), "n is 0"),
    ],
)
def test_bad_sizes_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
