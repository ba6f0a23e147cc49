"""The exercise `reparameterize`."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.exercises.a2_vae.guards import of_noise
from mdcv.exercises.blunders import blunders
from mdcv.exercises.cases import Constant, Draw, strided_layout, transposed_layout
from mdcv.exercises.exercise import Case, Exercise, Mistake, Part, Refusal, Right
from mdcv.vae import reparameterize

# Right, written differently


def _by_root(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    if not (mu.shape == logvar.shape and mu.shape == eps.shape):
        raise ValueError("three tensors of one shape, please")
    return mu + torch.sqrt(torch.exp(logvar)) * eps


def _by_addcmul(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    if len({mu.shape, logvar.shape, eps.shape}) > 1:
        raise ValueError(f"{mu.shape}, {logvar.shape}, {eps.shape}")
    return torch.addcmul(mu, eps, logvar.div(2).exp())


def _by_loops(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    if mu.size() != logvar.size() or mu.size() != eps.size():
        raise ValueError("sizes differ")
    rows = []
    for m, v, e in zip(mu, logvar, eps, strict=True):
        numbers = [a + b.exp().pow(0.5) * c for a, b, c in zip(m, v, e, strict=True)]
        rows.append(torch.stack(numbers))
    return torch.stack(rows)


def _by_distribution(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    """The affine transform of torch.distributions, applied to the noise."""
    scale = torch.exp(0.5 * logvar)
    return torch.distributions.AffineTransform(mu, scale)(eps)


# Wrong, each with its name


def _right(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    return mu + (0.5 * logvar).exp() * eps


def _mistake(name: str, function, sentence: str = "") -> Mistake:
    return Mistake(name, of_noise(function), sentence)


BROADCAST = (
    "Tensors of different shape were accepted, and one was repeated along the other: latent "
    "numbers would share their mean, their spread or their noise. Compare the three shapes and "
    "raise a ValueError."
)

WRONG = (
    _mistake(
        "logvar_as_log_sigma",
        lambda mu, lv, e: mu + lv.exp() * e,
        "Your samples have the variance as their standard deviation: exp(logvar) is σ². What is "
        "its root?",
    ),
    _mistake(
        "logvar_as_sigma",
        lambda mu, lv, e: mu + lv * e,
        "logvar itself multiplies your noise: with logvar 0 there would be none at all. It is a "
        "logarithm, not a standard deviation.",
    ),
    _mistake(
        "root_of_logvar",
        lambda mu, lv, e: mu + lv.abs().sqrt() * e,
        "Looks like the root of logvar: first undo the logarithm, then take the root.",
    ),
    _mistake(
        "one_over_sigma",
        lambda mu, lv, e: mu + (-0.5 * lv).exp() * e,
        "The noise is divided by σ where it should be multiplied: a sign in your exponent.",
    ),
    _mistake(
        "squared_variance",
        lambda mu, lv, e: mu + (2 * lv).exp() * e,
        "logvar is doubled in your exponent; a root halves it.",
    ),
    _mistake(
        "half_outside_the_exponent",
        lambda mu, lv, e: mu + 0.5 * lv.exp() * e,
        "The half stands outside of your exponential: half of σ² is not σ.",
    ),
    _mistake(
        "softplus_for_exp",
        lambda mu, lv, e: mu + torch.nn.functional.softplus(lv) * e,
        "Looks like a softplus of logvar: it is positive too, but logvar is the logarithm of a "
        "variance, which an exponential undoes.",
    ),
    _mistake(
        "log_base_2",
        lambda mu, lv, e: mu + torch.exp2(0.5 * lv) * e,
        "Looks like a power of 2: logvar is a natural logarithm.",
    ),
    _mistake(
        "noise_ignored",
        lambda mu, lv, e: mu + 0 * lv * e,
        "Your sample is always μ: the noise has no part in it.",
    ),
    _mistake(
        "mean_ignored",
        lambda mu, lv, e: (0.5 * lv).exp() * e + 0 * mu,
        "Your samples lie around 0: the mean has no part in them.",
    ),
    _mistake(
        "mean_scaled",
        lambda mu, lv, e: (mu + e) * (0.5 * lv).exp(),
        "The mean is multiplied by σ as well: scale the noise first, then move it.",
    ),
    _mistake(
        "mean_added_to_the_exponent",
        lambda mu, lv, e: (mu + 0.5 * lv).exp() * e,
        "The mean stands inside your exponential: that scales the noise and moves nothing.",
    ),
    _mistake(
        "noise_subtracted",
        lambda mu, lv, e: mu - (0.5 * lv).exp() * e,
        "The noise is subtracted. The distribution is the same, but the contract says plus, and "
        "who checks your draw uses the same ε.",
    ),
    # Noise of its own in the place of what came in.
    _mistake("not_repeatable", lambda mu, lv, e: mu + (0.5 * lv).exp() * torch.randn_like(mu)),
    _mistake(
        "one_noise_for_the_batch",
        lambda mu, lv, e: mu + (0.5 * lv).exp() * e[:1],
        "All samples of the batch get the noise of the first one.",
    ),
    _mistake(
        "one_noise_for_all_latents",
        lambda mu, lv, e: mu + (0.5 * lv).exp() * e[:, :1],
        "All latent numbers of a sample get the noise of the first one: they would move together.",
    ),
    _mistake(
        "one_sigma_for_all_latents",
        lambda mu, lv, e: mu + (0.5 * lv.mean(dim=1, keepdim=True)).exp() * e,
        "All latent numbers of a sample get one σ: each has a variance of its own.",
    ),
    _mistake(
        "clamped_logvar",
        lambda mu, lv, e: mu + (0.5 * lv.clamp(-10, 10)).exp() * e,
        "Extreme values of logvar are cut off: exp(½ logvar) is fine up to ±50 and far beyond.",
    ),
    _mistake(
        "mu_cut_off",
        lambda mu, lv, e: mu.detach() + (0.5 * lv).exp() * e,
        "The value is right, but no gradient reaches mu: the encoder's mean would never learn.",
    ),
    _mistake(
        "sigma_cut_off",
        lambda mu, lv, e: mu + (0.5 * lv).exp().detach() * e,
        "The value is right, but no gradient reaches logvar: the encoder's spread would never "
        "learn. Only ε stands outside the graph.",
    ),
    *blunders(of_noise(_right)),
    Mistake("broadcasts", of_noise(_right, shapes=False), BROADCAST),
)

# What is asked


def _latents(draw: Draw, batch: int, size: int, dtype: torch.dtype = torch.float64):
    mu, eps = draw.tensor(batch, size), draw.tensor(batch, size)
    return mu.to(dtype), (1.3 * draw.tensor(batch, size) - 0.4).to(dtype), eps.to(dtype)


def _values(draw: Draw) -> list[Case]:
    sizes = ((5, 3), (3, 7), (4, 9))
    return [Case(f"{b} samples of {d} latent numbers", _latents(draw, b, d)) for b, d in sizes]


def _hard(draw: Draw) -> list[Case]:
    mu, _, eps = _latents(draw, 4, 5)
    sign = torch.tensor([[1.0, -1.0, 1.0, -1.0, 1.0]]).to(mu)
    size = 30 + 20 * draw.uniform(4, 5)
    u, v, w = _latents(draw, 5, 7)
    far = (1e6 + mu, -20 - mu.abs(), eps)
    return [
        Case("log-variances between 30 and 50, of both signs", (mu, sign * size, eps)),
        Case(
            "log-variances between 30 and 50, float32",
            (mu.float(), (sign * size).float(), eps.float()),
        ),
        Case("small variances around 1,000,000", far),
        Case("one sample", _latents(draw, 1, 5)),
        Case("one latent number", _latents(draw, 5, 1)),
        Case("float32", _latents(draw, 3, 5, torch.float32)),
        Case(
            "inputs that are not contiguous",
            (transposed_layout(u), strided_layout(v), transposed_layout(w)),
            suspicion="needs_contiguous_input",
        ),
    ]


def _gradients(draw: Draw) -> list[Case]:
    cases = []
    for batch, size in ((4, 3), (3, 5)):
        mu, logvar, eps = _latents(draw, batch, size)
        kind = f"the gradient, {batch} samples of {size} latent numbers"
        cases.append(Case(kind, (mu, logvar, Constant(eps)), gradient="value"))
    return cases


def _refusals(draw: Draw) -> list[Refusal]:
    mu, logvar, eps = _latents(draw, 3, 5)
    bad = (
        ("one row of noise for 3 samples", (mu, logvar, eps[:1])),
        ("one column of noise for 5 latent numbers", (mu, logvar, eps[:, :1])),
        ("one mean for 3 samples", (mu[:1], logvar, eps)),
        ("one log-variance for 5 latent numbers", (mu, logvar[:, :1], eps)),
        ("means without a batch axis", (mu[0], logvar, eps)),
    )
    return [Refusal(kind, arguments, "broadcasts") for kind, arguments in bad]


REPARAMETERIZE = Exercise(
    name="reparameterize",
    contract=(
        "reparameterize(mu, logvar, eps) returns a sample of N(mu, exp(logvar)) made from the "
        "standard normal noise eps: all four have shape (B, D). Gradients reach mu and logvar. "
        "Shapes that differ: ValueError."
    ),
    reference=reparameterize,
    parts=(
        Part("values", 0.45, _values, is_value=True),
        Part("hard places", 0.15, _hard),
        Part("gradient", 0.25, _gradients),
        Part("bad input", 0.1, _refusals),
    ),
    right=(
        Right("by the root of the variance", _by_root),
        Right("by addcmul", _by_addcmul),
        Right("by loops", _by_loops),
        Right("by torch.distributions", of_noise(_by_distribution)),
    ),
    wrong=WRONG,
    points=4,
)
