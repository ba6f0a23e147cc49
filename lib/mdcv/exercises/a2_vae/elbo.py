"""The exercise `elbo`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.nn import functional

from mdcv.exercises.a2_vae.elbo_wrong import WRONG
from mdcv.exercises.a2_vae.guards import of_images
from mdcv.exercises.cases import Constant, Draw, transposed_layout
from mdcv.exercises.exercise import Case, Exercise, Part, Refusal, Right
from mdcv.vae import elbo

Question = tuple[Tensor, Tensor, Tensor, Tensor]

# Right, written differently


def _by_cross_entropy(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    if logits.shape != x.shape or mu.shape != logvar.shape or mu.shape[0] != x.shape[0]:
        raise ValueError("shapes do not fit")
    if not ((x >= 0) & (x <= 1)).all():
        raise ValueError("pixels must lie in [0, 1]")
    loss = functional.binary_cross_entropy_with_logits(logits, x, reduction="none")
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1)
    return -loss.reshape(len(x), -1).sum(dim=1) - kl


def _by_softplus(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    per_pixel = x * logits - functional.softplus(logits)
    likelihood = per_pixel.flatten(start_dim=1).sum(-1)
    return likelihood - (mu * mu + torch.expm1(logvar) - logvar).sum(-1) / 2


def _by_distributions(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    pixels = Bernoulli(logits=logits, validate_args=False).log_prob(x)
    q = Normal(mu, torch.exp(logvar / 2))
    prior = Normal(torch.zeros_like(mu), torch.ones_like(mu))
    return pixels.sum(dim=tuple(range(1, x.ndim))) - kl_divergence(q, prior).sum(dim=-1)


def _by_loops(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    bounds = []
    for i in range(x.shape[0]):
        pixels, ink = logits[i].reshape(-1), x[i].reshape(-1)
        total = x.new_zeros(())
        for p, t in zip(pixels, ink, strict=True):
            total = total + t * functional.logsigmoid(p) + (1 - t) * functional.logsigmoid(-p)
        for m, v in zip(mu[i], logvar[i], strict=True):
            total = total - 0.5 * (m**2 + v.exp() - 1 - v)
        bounds.append(total)
    return torch.stack(bounds)


# What is asked


def _question(draw: Draw, shape: tuple[int, ...], latent: int) -> Question:
    logits, x = 2.0 * draw.tensor(*shape), draw.uniform(*shape)
    return logits, x, draw.tensor(shape[0], latent), draw.tensor(shape[0], latent) - 0.3


def _values(draw: Draw) -> list[Case]:
    gray = _question(draw, (4, 1, 3, 5), 7)
    logits, x, mu, logvar = _question(draw, (5, 2, 3, 2), 3)
    return [
        Case("4 gray images of 3 by 5 pixels, 7 latent numbers", gray),
        Case(
            "5 black and white images of 2 channels, 3 latent numbers",
            (logits, (x < 0.4).to(x), mu, logvar),
        ),
        Case("3 images in one row of 11 pixels, 4 latent numbers", _question(draw, (3, 11), 4)),
    ]


def _hard(draw: Draw) -> list[Case]:
    sign = torch.tensor([1.0, -1.0, 1.0, -1.0, -1.0, 1.0, 1.0]).double()
    logits, x, mu, logvar = _question(draw, (5, 7), 3)
    huge = sign * (5000 + 5000 * draw.uniform(5, 7))
    sure = sign * (100 + 50 * draw.uniform(5, 7))
    black_and_white = (x < 0.5).to(x)
    wide = torch.tensor([1.0, -1.0, 1.0]).double() * (20 + 30 * draw.uniform(5, 3))
    u, v, w, z = _question(draw, (4, 5, 3), 7)
    odd = (transposed_layout(u), transposed_layout(v), transposed_layout(w), z)
    return [
        Case("logits between 5,000 and 10,000", (huge, black_and_white, mu, logvar)),
        Case("gray pixels and logits between 5,000 and 10,000", (huge, x, mu, logvar)),
        Case("logits between 100 and 150", (sure, black_and_white, mu, logvar)),
        Case(
            "logits between 100 and 150, float32",
            (sure.float(), black_and_white.float(), mu.float(), logvar.float()),
        ),
        Case("log-variances between 20 and 50", (logits, x, mu, wide)),
        Case("log-variances between −50 and −20", (logits, x, mu, -wide.abs())),
        Case("pixels that are all 0 or all 1", (logits, x.round()[:1].expand(5, 7), mu, logvar)),
        Case("one sample", _question(draw, (1, 2, 5), 3)),
        Case("one latent number", _question(draw, (5, 7), 1)),
        Case("as many samples as pixels and latent numbers", _question(draw, (6, 6), 6)),
        Case("float32", tuple(t.float() for t in _question(draw, (3, 5, 4), 2))),
        Case("inputs that are not contiguous", odd, suspicion="needs_contiguous_input"),
    ]


def _gradients(draw: Draw) -> list[Case]:
    cases = []
    for shape, latent in (((4, 1, 3, 5), 7), ((3, 11), 4)):
        logits, x, mu, logvar = _question(draw, shape, latent)
        kind = f"the gradient, {shape[0]} images and {latent} latent numbers"
        cases.append(Case(kind, (logits, Constant(x), mu, logvar), gradient="value"))
    logits, x, mu, logvar = _question(draw, (5, 7), 3)
    sign = torch.where(x < 0.5, -1.0, 1.0)
    huge = sign * (5000 + 5000 * draw.uniform(5, 7))
    question = (huge, Constant(1 - x.round()), mu, 15 * logvar)
    return [*cases, Case("the gradient at huge logits", question, gradient="value")]


def _refusals(draw: Draw) -> list[Refusal]:
    logits, x, mu, logvar = _question(draw, (4, 3, 5), 7)
    bright, negative, nan = x.clone(), x.clone(), x.clone()
    bright[2, 1, 3], negative[1, 0, 4], nan[3, 2, 2] = 1.5, -0.2, torch.nan
    return [
        Refusal("pixels from 0 to 255", (logits, 255 * x, mu, logvar), "accepts_other_pixels"),
        Refusal("one pixel of 1.5", (logits, bright, mu, logvar), "accepts_other_pixels"),
        Refusal("one negative pixel", (logits, negative, mu, logvar), "accepts_other_pixels"),
        Refusal("one image for 4 samples", (logits, x[:1], mu, logvar), "broadcasts_images"),
        Refusal("one row of pixels for 3", (logits, x[:, :1], mu, logvar), "broadcasts_images"),
        Refusal("one guess for 4 images", (logits, x, mu[:1], logvar[:1]), "broadcasts_guesses"),
        Refusal(
            "one log-variance for 7 latent numbers",
            (logits, x, mu, logvar[:, :1]),
            "broadcasts_guesses",
        ),
        Refusal("a pixel that holds NaN", (logits, nan, mu, logvar), "hides_nan", or_any_sign=True),
    ]


ELBO = Exercise(
    name="elbo",
    contract=(
        "elbo(logits, x, mu, logvar) returns one bound for each sample, shape (B,): the Bernoulli "
        "log-likelihood of x under the logits, summed over everything but the batch, minus the KL "
        "divergence of N(mu, exp(logvar)) from N(0, I), summed over the latent numbers; in nats. "
        "Shapes that differ, pixels outside [0, 1]: ValueError."
    ),
    reference=elbo,
    parts=(
        Part("values", 0.45, _values, is_value=True),
        Part("hard places", 0.2, _hard),
        Part("gradient", 0.15, _gradients),
        Part("bad input", 0.15, _refusals),
    ),
    right=(
        Right("by cross-entropy", _by_cross_entropy),
        Right("by softplus", of_images(_by_softplus)),
        Right("by torch.distributions", of_images(_by_distributions)),
        Right("by loops", of_images(_by_loops)),
    ),
    wrong=WRONG,
    points=7,
)
