"""The exercise `train_vae`: a trained model is judged by what it does with images it never saw.

One call trains, and the model is asked two things. First its decoder answers to a fixed grid of
latent places, when it has seen nothing but the training images. Then its encoder answers to unseen
images. The bound is put together from these answers here, on the judging side, so that a decoder
cannot look up what the encoder was shown, and whatever is learned has to pass through two numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mdcv.exercises.a2_vae import lamps
from mdcv.exercises.a2_vae.train_vae_variants import (
    RIGHT,
    WRONG,
    trained,
)
from mdcv.exercises.cases import Draw
from mdcv.exercises.exercise import Exercise, Finding, Part, Refusal, Trial

#: Nats an image: how far the bound must lie above the likelihood of independent pixels, and how far
#: below the model's own likelihood it may.
LEVEL, GAP = 2.5, 0.8

#: Seconds to train.
LIMIT = 60.0

#: What an image costs a decoder that knows nothing: every pixel a fair coin.
FAIR_COINS = -lamps.PIXELS * math.log(2)


def _quality(draw: Draw) -> list[Trial]:
    images, unseen = lamps.lamps(draw)
    places, _ = lamps.grid()
    seed = {"seed": draw.integer(1, 1000)}
    both = [("decode", (places,), {}), ("encode", (unseen,), {})]
    first = ((images, lamps.LATENT), both)
    again = ((images, lamps.LATENT), [("decode", (places[::40],), {})])

    def examine(answers: Sequence[tuple[Tensor, ...] | Tensor]) -> Finding | None:
        values = answers[0]
        shapes = [tuple(value.shape) for value in values]
        guess = (len(unseen), lamps.LATENT)
        if shapes != [(len(places), lamps.PIXELS), guess, guess]:
            words = (
                f"{TRAIN_VAE.sentence_of('wrong_shape')} "
                f"decode({tuple(places.shape)}) and encode({tuple(unseen.shape)}) of your model "
                f"gave the shapes {', '.join(map(str, shapes))}."
            )
            return Finding(words, "wrong_shape")
        logits, mu, logvar = values
        if not all(bool(value.isfinite().all()) for value in values):
            return _named("not_finite")
        finding = _judged(logits, mu, logvar, unseen, images)
        if finding is None and not torch.allclose(answers[1], logits[::40], atol=1e-4):
            return _named("ignores_the_seed")
        return finding

    options = {"options": seed, "mode": "eval"}
    calls = ((first, options), (again, options))
    return [Trial("unseen images after training", calls, examine, limit=LIMIT)]


def _judged(
    logits: Tensor, mu: Tensor, logvar: Tensor, unseen: Tensor, images: Tensor
) -> Finding | None:
    """What is wrong with a trained model, read from its bound and from what its guesses carry."""
    log_p, elbo = (bound.mean().item() for bound in lamps.bounds(logits, mu, logvar, unseen))
    coins = lamps.of_independent_pixels(images, unseen).mean().item()
    spread, variance = mu.double().square(), logvar.double().exp()
    nats = 0.5 * (spread + variance - 1 - logvar.double()).sum(dim=1).mean().item()
    wide = logvar.double().mean().item()
    if elbo - coins >= LEVEL and log_p - elbo <= GAP:
        return None
    if bool((logits >= 0).all()) and bool((logits <= 1).all()):
        return _named("probabilities_for_logits")
    if log_p < 2.5 * FAIR_COINS:
        return _named("climbs_the_loss")
    if nats < 0.15 and log_p < FAIR_COINS - 5:
        return _named("sigmoid_twice")
    if abs(elbo - FAIR_COINS) < 2.5:
        return _named("nothing_learned")
    if nats > 7:
        return _named("leaves_the_prior")
    if log_p - elbo > 8 and abs(wide) < 0.3:
        return _named("noise_ignored")
    if nats < 0.15:
        return _named("collapsed")
    return _named("bound_too_low" if elbo - coins < LEVEL else "guess_unlike_the_posterior")


def _named(name: str) -> Finding:
    return Finding(TRAIN_VAE.sentence_of(name), name)


def _refusals(draw: Draw) -> list[Refusal]:
    images = draw.uniform(60, lamps.PIXELS, dtype=torch.float32)
    nan = images.clone()
    nan[:, 5] = torch.nan
    asks = [("decode", (torch.zeros(3, lamps.LATENT),), {})]
    return [
        Refusal("pixels from 0 to 255", ((255 * images, 2), asks), "accepts_other_pixels"),
        Refusal("pixels from −1 to 1", ((2 * images - 1, 2), asks), "accepts_other_pixels"),
        Refusal("a column of NaN", ((nan, 2), asks), "accepts_other_pixels"),
    ]


TRAIN_VAE = Exercise(
    name="train_vae",
    contract=(
        "train_vae(images, latent, *, seed=0) returns a VAE with that many latent numbers, trained "
        "on images (N, P) in [0, 1] within a minute; the same seed gives the same model. On unseen "
        f"images its ELBO must lie {LEVEL} nats an image above the log-likelihood of independent "
        f"pixels, and at most {GAP} below the model's own. Pixels outside [0, 1]: ValueError."
    ),
    reference=trained,
    parts=(
        Part("unseen images", 0.85, _quality, is_value=True),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    through="then_ask",
    traits={
        "not_finite": (
            "Your trained model answers with NaN or infinity: a step was too large, or a logarithm "
            "met a 0."
        ),
    },
    points=8,
)
