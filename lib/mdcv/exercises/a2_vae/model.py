"""The exercise `VAE`: a class, judged by what its encoder, its decoder and its samples do."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mdcv.exercises.a2_vae.model_right import RIGHT, Reference
from mdcv.exercises.a2_vae.model_wrong import WRONG
from mdcv.exercises.cases import Draw, Made
from mdcv.exercises.exercise import Exercise, Finding, Part, Refusal, Trial
from mdcv.exercises.traits import TRAITS

#: How many images a trial of `sample` asks for.
SAMPLES = 700


def _found(name: str, words: str = "") -> Finding:
    return Finding(" ".join(filter(None, (VAE.sentence_of(name), words))), name)


def _unlike(words: str, values: Sequence[Tensor], shapes: Sequence[tuple[int, ...]]):
    """The finding that belongs to answers of other shapes, or that are not finite."""
    came = [tuple(value.shape) for value in values]
    if len(came) != len(shapes):
        return _found("wrong_number_of_values", f"{words} gave {came}.")
    if came != list(shapes):
        return _found("wrong_shape", f"{words} gave {came}, expected {list(shapes)}.")
    if not all(bool(value.isfinite().all()) for value in values):
        return _found("nan_value", f"Seen with {words}.")
    return None


def _near(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-3, atol=1e-5)


def _encoder(draw: Draw) -> list[Trial]:
    """Shapes, randomness, what depends on what, and that it bends."""
    calls, sizes = [], ((13, 7), (11, 5))
    for pixels, latent in sizes:
        # Three dark images and three bright ones: between them even a small network bends.
        x = 0.2 * draw.uniform(6, pixels, dtype=torch.float32)
        x[3:] = 1 - x[3:]
        flipped = x[:1].repeat(pixels, 1)
        flipped.diagonal().copy_(1 - flipped.diagonal().round())
        asks = [
            ("encode", (images,), {}) for images in (x, x, x[2:3], (x[:3] + x[3:]) / 2, flipped)
        ]
        calls.append((((pixels, latent), asks), {"mode": "eval"}))

    def examine(answers: Sequence[tuple[Tensor, ...]]) -> Finding | None:
        for values, (pixels, latent) in zip(answers, sizes, strict=True):
            words = f"encode, {pixels} pixels and {latent} latent numbers,"
            shapes = [(n, latent) for n in (6, 6, 1, 3, pixels) for _ in range(2)]
            unlike = _unlike(words, values, shapes)
            if unlike is not None:
                return unlike
            mu, logvar, again, _, alone, _, middle, _, flipped, _ = values
            if not _near(mu, again):
                return _found("encoder_is_random")
            if torch.equal(mu, logvar):
                return _found("one_head_for_both")
            if not _near(mu[2:3], alone):
                return _found("images_see_each_other")
            if _near(mu, mu[:1].expand_as(mu)):
                return _found("encoder_ignores_the_image")
            if bool((flipped - mu[:1]).abs().amax(dim=1).le(1e-9).any()):
                return _found("encoder_misses_pixels")
            if float((middle - (mu[:3] + mu[3:]) / 2).abs().max()) < 1e-5 * float(mu.abs().max()):
                return _found("encoder_is_linear")
        if all(bool((values[1] >= 0).all()) for values in answers):
            return _found("logvar_never_negative")
        return None

    return [Trial("two encoders of different sizes", tuple(calls), examine)]


def _decoder(draw: Draw) -> list[Trial]:
    calls, sizes = [], ((13, 7), (11, 5))
    for pixels, latent in sizes:
        z = 2 * draw.tensor(6, latent, dtype=torch.float32)
        moved = z[:1].repeat(latent, 1)
        moved.diagonal().add_(2.0)
        asks = [("decode", (v,), {}) for v in (z, z, z[2:3], (z[:3] + z[3:]) / 2, moved, 30 * z)]
        calls.append((((pixels, latent), asks), {"mode": "eval"}))

    def examine(answers: Sequence[tuple[Tensor, ...]]) -> Finding | None:
        for values, (pixels, latent) in zip(answers, sizes, strict=True):
            words = f"decode, {pixels} pixels and {latent} latent numbers,"
            unlike = _unlike(words, values, [(n, pixels) for n in (6, 6, 1, 3, latent, 6)])
            if unlike is not None:
                return unlike
            logits, again, alone, middle, moved, far = values
            if not _near(logits, again):
                return _found("decoder_is_random")
            if not _near(logits[2:3], alone):
                return _found("images_see_each_other")
            if _near(logits, logits[:1].expand_as(logits)):
                return _found("decoder_ignores_z")
            if bool((moved - logits[:1]).abs().amax(dim=1).le(1e-9).any()):
                return _found("decoder_misses_latents")
            both = torch.cat((logits, far))
            if bool((both >= 0).all()) and bool((both <= 1).all()):
                return _found("probabilities_for_logits")
            if bool((both <= 0).all()):
                return _found("log_probabilities_for_logits")
            bend = (middle - (logits[:3] + logits[3:]) / 2).abs().max()
            if float(bend) < 1e-5 * float(logits.abs().max()):
                return _found("decoder_is_linear")
        return None

    return [Trial("two decoders of different sizes", tuple(calls), examine)]


def _samples(draw: Draw) -> list[Trial]:
    """Range, repetition, and the distribution that the latent numbers were drawn from."""
    pixels, latent = 13, 5
    seeds = [draw.integer(0, 2**31) for _ in range(2)]
    z = draw.tensor(SAMPLES, latent, dtype=torch.float32)
    asks = [
        *[("sample", (7,), {"generator": Made("source", seed=seeds[i])}) for i in (0, 0, 1)],
        ("sample", (SAMPLES,), {"generator": Made("source", seed=seeds[1])}),
        ("sample", (4,), {}),
        ("decode", (z,), {}),
    ]
    call = (((pixels, latent), asks), {"mode": "eval"})

    def examine(answers: Sequence[tuple[Tensor, ...]]) -> Finding | None:
        values = answers[0]
        shapes = [(n, pixels) for n in (7, 7, 7, SAMPLES, 4, SAMPLES)]
        unlike = _unlike("sample, 13 pixels and 5 latent numbers,", values, shapes)
        if unlike is not None:
            return unlike
        first, again, other, many, _, logits = values
        if bool((many < 0).any()) or bool((many > 1).any()):
            return _found("samples_are_logits")
        if bool(((many == 0) | (many == 1)).all()):
            return _found("coins_thrown")
        if _near(many, many[:1].expand_as(many)):
            return _found("one_image_many_times")
        if not _near(first, again) or torch.equal(first, other):
            return _found("ignores_the_generator")
        return _unlike_the_prior(many.clamp(1e-6, 1 - 1e-6).logit(), logits)

    return [Trial("samples, and the decoder at normal noise", (call,), examine)]


def _unlike_the_prior(sampled: Tensor, decoded: Tensor) -> Finding | None:
    """Compares mean and spread of logits from `sample` with those of z ~ N(0, I), by z-scores."""
    a, b = sampled.double(), decoded.double()
    means = (a.mean(0) - b.mean(0)) / ((a.var(0) + b.var(0)) / SAMPLES).sqrt().clamp(min=1e-9)
    squares = [(v - v.mean(0)).square() for v in (a, b)]
    error = ((squares[0].var(0) + squares[1].var(0)) / SAMPLES).sqrt().clamp(min=1e-12)
    spreads = (squares[0].mean(0) - squares[1].mean(0)) / error
    apart = max(float(means.abs().max()), float(spreads.abs().max()))
    return _found("not_from_the_prior") if apart > 6 else None


def _refusals(draw: Draw) -> list[Refusal]:
    x, z = draw.uniform(3, 11, dtype=torch.float32), draw.tensor(3, 5, dtype=torch.float32)
    bad = (
        ("encode of 11 pixels where 13 were announced", "encode", x),
        ("encode of one image without a batch axis", "encode", draw.uniform(13).float()),
        ("decode of 5 latent numbers where 7 were announced", "decode", z),
        ("sample of 0 images", "sample", 0),
        ("sample of −3 images", "sample", -3),
    )
    names = {"encode": "accepts_other_sizes", "decode": "accepts_other_sizes"}
    return [
        Refusal(kind, ((13, 7), [(ask, (thing,), {})]), names.get(ask, "accepts_no_image"))
        for kind, ask, thing in bad
    ]


VAE = Exercise(
    name="VAE",
    contract=(
        "VAE(pixels, latent) is a torch.nn.Module with encode(x) -> (mu, logvar) for images "
        "(B, pixels), both (B, latent); decode(z) -> logits (B, pixels); and sample(n, *, "
        "generator=None) -> the probabilities (n, pixels) of images decoded from z ~ N(0, I). "
        "Encoder and decoder have a hidden layer. Sizes other than announced, n < 1: ValueError."
    ),
    reference=Reference,
    parts=(
        Part("encoder", 0.3, _encoder, is_value=True),
        Part("decoder", 0.3, _decoder, is_value=True),
        Part("samples", 0.25, _samples),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    through="then_ask",
    traits={name: TRAITS[name] for name in ("wrong_shape", "wrong_number_of_values", "nan_value")},
    points=8,
)
