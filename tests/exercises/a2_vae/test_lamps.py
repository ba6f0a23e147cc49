"""The bound on lamps: exact, and out of reach for whoever memorizes or exaggerates."""

from __future__ import annotations

import pytest
import torch

from mdcv.exercises import get, judge
from mdcv.exercises.a2_vae import lamps
from mdcv.exercises.a2_vae.train_vae_variants import Small, trained
from mdcv.exercises.cases import Draw
from mdcv.seeds import generator
from mdcv.vae import VAE, importance_weighted_bound, log_weights


@pytest.fixture(scope="module")
def images():
    return lamps.lamps(Draw(3, "test"))


@pytest.fixture(scope="module")
def model(images):
    return trained(images[0], 2, seed=1)


def test_images_are_black_and_white_and_every_seed_has_its_own(images):
    training, unseen = images
    assert training.shape == (lamps.TRAINING, 49) and unseen.shape == (lamps.UNSEEN, 49)
    assert sorted(training.unique().tolist()) == [0.0, 1.0]
    assert not lamps.lamps(Draw(4, "test"))[0].equal(training)


def test_the_grid_gives_what_draws_give(images, model):
    _, unseen = images
    with torch.no_grad():
        logits, (mu, logvar) = model.decode(lamps.grid()[0]), model.encode(unseen)
        weights = log_weights(model, unseen, 800, generator=generator(0))
    log_p, elbo = lamps.bounds(logits, mu, logvar, unseen)
    assert float((elbo - weights.mean(0)).mean().abs()) < 0.05
    assert float((log_p - importance_weighted_bound(weights)).mean().abs()) < 0.05


def test_no_guess_lifts_the_bound_above_the_likelihood(images, model):
    _, unseen = images
    logits, rng = model.decode(lamps.grid()[0]).detach(), generator(5)
    for spread in (-200.0, -10.0, -1.0, 0.0, 4.0, 60.0):
        mu = 2 * torch.randn(len(unseen), 2, generator=rng)
        log_p, elbo = lamps.bounds(logits, mu, torch.full_like(mu, spread), unseen)
        assert bool((elbo <= log_p + 1e-9).all())


def test_a_guess_beyond_everything_is_worth_nothing(images, model):
    _, unseen = images
    far = torch.full((len(unseen), 2), 1e6)
    _, elbo = lamps.bounds(model.decode(lamps.grid()[0]).detach(), far, -9000 + 0 * far, unseen)
    assert bool((elbo == -torch.inf).all())


class Memory(Small):
    """Remembers what it was last asked to encode, and decodes to it."""

    seen: torch.Tensor | None = None

    def encode(self, x):
        self.seen = x
        return torch.zeros(len(x), 2), torch.zeros(len(x), 2)

    def decode(self, z):
        picture = self.seen if self.seen is not None else torch.full((1, 49), 0.3)
        return 20 * (picture[torch.arange(len(z)) % len(picture)] - 0.5)


def test_a_decoder_that_remembers_what_the_encoder_saw_does_not_win():
    def memorize(images, latent, *, seed=0):
        model = Memory(49, latent)
        model.encode(images)
        return model

    outcome = judge("train_vae", memorize)
    assert not outcome.passed and outcome.score < 0.2


def test_the_library_passes_where_students_do():
    def by_the_library(images, latent, *, seed=0):
        from mdcv.vae import train_vae

        torch.manual_seed(seed)
        vae = VAE(tuple(images.shape[1:]), latent=latent, hidden=(64,))
        train_vae(vae, images, steps=400, learning_rate=5e-3, progress=False)
        return vae

    outcome = judge("train_vae", by_the_library, seed=11)
    assert outcome.passed, outcome.message


def test_every_finding_has_a_sentence():
    exercise = get("train_vae")
    assert exercise.sentence_of("not_finite").startswith("Your trained model")
