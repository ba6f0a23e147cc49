"""The two losses of the original game, from logits, and the discriminator that plays it best."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from mdcv.errors import check_option, check_same_kind


def discriminator_loss(
    real_logits: Float[Tensor, "*real"], fake_logits: Float[Tensor, "*fake"]
) -> Float[Tensor, ""]:
    """What the discriminator minimizes: its cross-entropy on both kinds, one scalar.

    loss = −mean log σ(real) − mean log(1 − σ(fake))

    This is −V(D, G), the game's value with its sign turned, and 2 log 2 for a discriminator that
    cannot tell. log(1 − σ(a)) is computed as log σ(−a): no logit is too large, no digit is lost.

    Args:
        real_logits, fake_logits: log-odds of "real" given to real and to generated samples, of any
            shapes; their numbers may differ.

    Returns:
        In nats, and in the dtype of the logits.

    Raises:
        ValueError: no logits, not floating-point, or of different dtype or device.

    Source: Goodfellow and others 2014, arXiv:1406.2661, algorithm 1.

    >>> discriminator_loss(torch.zeros(3), torch.zeros(5))
    tensor(1.3863)
    """
    check_scores("real_logits", real_logits)
    check_scores("fake_logits", fake_logits)
    check_same_kind("fake_logits", fake_logits, "real_logits", real_logits)
    return -logsigmoid(real_logits).mean() - logsigmoid(-fake_logits).mean()


def generator_loss(
    fake_logits: Float[Tensor, "*fake"], *, saturating: bool = False
) -> Float[Tensor, ""]:
    """What the generator minimizes, one scalar.

    loss = −mean log σ(fake);  saturating: mean log(1 − σ(fake))

    Both fall as the logit a rises and have the same fixed points, but their slopes in a are
    −(1 − D) and −D with D = σ(a). Where the discriminator rejects every sample, D is near 0: there
    the saturating slope vanishes, just when the generator has most to learn.

    Args:
        fake_logits: log-odds of "real" given to generated samples, of any shape.
        saturating: True takes the minimax form, the generator's own part of V(D, G).

    Returns:
        In nats, and in the dtype of the logits.

    Raises:
        ValueError: no logits, not floating-point, or `saturating` is no truth value.

    Source: Goodfellow and others 2014, arXiv:1406.2661, section 3.

    >>> logits = torch.tensor([0.0, 0.0])
    >>> generator_loss(logits), generator_loss(logits, saturating=True)
    (tensor(0.6931), tensor(-0.6931))
    """
    check_scores("fake_logits", fake_logits)
    check_option("saturating", saturating, (True, False))
    return logsigmoid(-fake_logits).mean() if saturating else -logsigmoid(fake_logits).mean()


def optimal_discriminator(
    log_real: Float[Tensor, "*batch"], log_fake: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    """The probability of "real" that no discriminator can better, at points of known densities.

    D*(x) = p(x) / (p(x) + q(x)) = σ(log p(x) − log q(x))

    Args:
        log_real, log_fake: log p and log q at the same points, in nats; −∞ where there is no mass.

    Returns:
        Probabilities in [0, 1]. NaN where neither has mass: there any answer is as good.

    Raises:
        ValueError: shapes, dtypes or devices differ.

    Source: Goodfellow and others 2014, arXiv:1406.2661, proposition 1.

    >>> optimal_discriminator(torch.tensor([0.3, 0.0]).log(), torch.tensor([0.1, 0.5]).log())
    tensor([0.7500, 0.0000])
    """
    check_scores("log_real", log_real)
    check_scores("log_fake", log_fake)
    if log_real.shape != log_fake.shape:
        raise ValueError(
            f"log_fake has shape {tuple(log_fake.shape)}; expected {tuple(log_real.shape)} "
            "as log_real"
        )
    check_same_kind("log_fake", log_fake, "log_real", log_real)
    return torch.sigmoid(log_real - log_fake)


def check_scores(name: str, scores: object) -> None:
    """Refuses anything but at least one floating-point number: the mean of nothing is NaN."""
    if not isinstance(scores, Tensor) or not scores.dtype.is_floating_point:
        kind = scores.dtype if isinstance(scores, Tensor) else type(scores).__name__
        raise ValueError(f"{name} is {kind}; expected a floating-point tensor")
    if scores.numel() == 0:
        raise ValueError(f"{name} has shape {tuple(scores.shape)}; expected at least one value")
