"""The network: shapes, what depends on what, and images out of noise."""

from __future__ import annotations

import pytest
import torch

from mdcv.seeds import generator
from mdcv.vae import VAE, DiagonalGaussian


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 5, 7), (11,)])
def test_every_part_has_the_shape_of_the_contract(shape, device):
    vae = VAE(shape, latent=4, hidden=(9, 7)).to(device)
    x = torch.rand(6, *shape, device=device)
    mu, logvar = vae.encode(x)
    assert mu.shape == logvar.shape == (6, 4)
    assert vae.decode(mu).shape == (6, *shape)
    assert vae.decode(torch.zeros(2, 3, 4, device=device)).shape == (2, 3, *shape)
    logits, again, _ = vae(x, generator=generator(0, device))
    assert logits.shape == x.shape and again.equal(mu)
    assert vae.sample(5, generator=generator(0, device)).shape == (5, *shape)


def test_the_encoder_answers_with_a_distribution():
    assert isinstance(VAE().encode(torch.zeros(2, 1, 8, 8)), DiagonalGaussian)


def test_the_forward_pass_draws_from_its_generator():
    vae, x = VAE(), torch.rand(3, 1, 8, 8)
    first, second, third = (vae(x, generator=generator(s))[0] for s in (1, 1, 2))
    assert first.equal(second) and not first.equal(third)


def test_gradients_reach_every_weight_of_encoder_and_decoder():
    vae = VAE(latent=3)
    vae(torch.rand(4, 1, 8, 8))[0].sum().backward()
    assert all(p.grad is not None and bool(p.grad.any()) for p in vae.parameters())


def test_images_of_a_batch_do_not_see_each_other():
    vae, x = VAE(latent=3).double(), torch.rand(4, 1, 8, 8, dtype=torch.float64)
    alone = vae.encode(x[1:2]).mu
    torch.testing.assert_close(vae.encode(x).mu[1:2], alone)


def test_networks_are_not_linear():
    vae = VAE(latent=3).double()
    for part, size in ((vae.encoder, 64), (vae.decoder, 3)):
        a, b = torch.randn(2, 5, size).double()
        zero = torch.zeros(1, size).double()
        bend = part(a + b) - part(a) - part(b) + part(zero)
        assert float(bend.detach().abs().max()) > 1e-4


def test_samples_are_probabilities_that_repeat_with_their_generator():
    vae = VAE()
    images = vae.sample(7, generator=generator(0))
    assert not images.requires_grad
    assert float(images.min()) > 0 and float(images.max()) < 1
    assert images.equal(vae.sample(7, generator=generator(0)))


def test_float64_is_kept():
    vae = VAE(latent=3).double()
    logits, mu, logvar = vae(torch.rand(2, 1, 8, 8, dtype=torch.float64))
    assert {t.dtype for t in (logits, mu, logvar, vae.sample(2))} == {torch.float64}


def test_wrong_sizes_are_refused(at_the_door):
    vae = VAE((1, 8, 8), latent=4)
    with pytest.raises(ValueError, match=r"x has shape \(2, 8, 8\); expected \(B, 1, 8, 8\)"):
        vae.encode(torch.zeros(2, 8, 8))
    with pytest.raises(ValueError, match=r"z has shape \(2, 5\); expected \(..., 4\)"):
        vae.decode(torch.zeros(2, 5))
    with pytest.raises(ValueError, match="n is 0"):
        vae.sample(0)
    with pytest.raises(ValueError, match="latent is 0"):
        VAE(latent=0)
    with pytest.raises(ValueError, match="hidden is 0"):
        VAE(hidden=(0,))
    with pytest.raises(ValueError, match="image_shape is 0"):
        VAE((1, 0))
