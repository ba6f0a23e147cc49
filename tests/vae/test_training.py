"""Training: the bound rises on images that were never seen, and a seed repeats it."""

from __future__ import annotations

import pytest
import torch

from mdcv.data import digits
from mdcv.seeds import generator
from mdcv.vae import VAE, elbo, importance_weighted_bound, log_weights, train_vae


def fresh(device="cpu"):
    torch.manual_seed(0)
    return VAE(latent=8, hidden=(64,)).to(device)


def held_out_bound(vae, device="cpu"):
    x = digits(held_out=True)[0].round().to(device)
    with torch.no_grad():
        return float(elbo(*vae(x, generator=generator(0, device))[:1], x, *vae.encode(x)).mean())


def test_the_bound_rises_where_nothing_was_seen(device):
    vae, x = fresh(device), digits()[0].round().to(device)
    before = held_out_bound(vae, device)
    history = train_vae(vae, x, steps=300, progress=False)
    after = held_out_bound(vae, device)
    assert history.shape == (300,)
    assert before == pytest.approx(-45, abs=1.5)  # 64 fair coins cost 64 log 2
    # Coins with each pixel's own frequency, and no latent number at all, cost 25.4 nats.
    assert after > -25.0
    x = digits(held_out=True)[0].round().to(device)
    with torch.no_grad():
        weights = log_weights(vae, x, 50, generator=generator(0, device))
    one, ten, fifty = (float(importance_weighted_bound(weights[:k]).mean()) for k in (1, 10, 50))
    assert one < ten < fifty


def test_a_seed_repeats_the_run():
    x = digits()[0]
    runs = [train_vae(fresh(), x, steps=5, seed=seed, progress=False) for seed in (1, 1, 2)]
    assert runs[0].equal(runs[1]) and not runs[0].equal(runs[2])


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="steps is 0"):
        train_vae(fresh(), torch.zeros(3, 1, 8, 8), steps=0)
    with pytest.raises(ValueError, match=r"expected pixels in \[0, 1\]"):
        train_vae(fresh(), torch.full((3, 1, 8, 8), 255.0), steps=1, progress=False)
