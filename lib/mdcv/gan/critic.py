"""The Wasserstein critic: what it minimizes, and two ways to keep its slope in check."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mdcv.errors import check_number, check_same_kind
from mdcv.gan.adversarial import check_scores


def critic_loss(
    real_scores: Float[Tensor, "*real"], fake_scores: Float[Tensor, "*fake"]
) -> Float[Tensor, ""]:
    """What the critic minimizes, one scalar.

    loss = mean f(fake) − mean f(real)

    For a critic that is 1-Lipschitz, −loss is a lower bound of W₁ between the two samples, and
    equals it for the best such critic.

    Args:
        real_scores, fake_scores: the critic's values, of any shapes; their numbers may differ.

    Returns:
        In the unit of the scores and in their dtype.

    Raises:
        ValueError: no scores, not floating-point, or of different dtype or device.

    Source: Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, algorithm 1, which ascends the
    negative of it.

    >>> critic_loss(torch.tensor([3.0, 5.0]), torch.tensor([1.0]))
    tensor(-3.)
    """
    check_scores("real_scores", real_scores)
    check_scores("fake_scores", fake_scores)
    check_same_kind("fake_scores", fake_scores, "real_scores", real_scores)
    return fake_scores.mean() - real_scores.mean()


def critic_generator_loss(fake_scores: Float[Tensor, "*fake"]) -> Float[Tensor, ""]:
    """What the generator minimizes against a critic: −mean f(fake), one scalar.

    Raises:
        ValueError: no scores, or not floating-point.

    >>> critic_generator_loss(torch.tensor([1.0, 3.0]))
    tensor(-2.)
    """
    check_scores("fake_scores", fake_scores)
    return -fake_scores.mean()


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Float[Tensor, "b ..."],
    fake: Float[Tensor, "b ..."],
    alpha: Float[Tensor, " b"],
) -> Float[Tensor, ""]:
    """How far the critic's slope is from 1 between the two samples: a mean of squares.

    penalty = mean over i of (‖∇f(x̂_i)‖₂ − 1)²,  x̂_i = α_i · real_i + (1 − α_i) · fake_i

    The norm runs over all entries of one sample: an image has one gradient, not one per pixel. Each
    sample has one α, so that x̂_i lies on the straight line from fake_i to real_i. No weight λ is
    inside: the caller multiplies.

    Args:
        critic: maps (B, ...) to one value per sample, (B,) or (B, 1). Each value must depend on its
            own sample only, so no batch normalization.
        real, fake: the ends of the lines, (B, ...).
        alpha: the share of real in each point, drawn uniformly from [0, 1]; not drawn here.

    Returns:
        A number >= 0, 0 where every slope is 1. Its gradient reaches the critic's parameters
        (unless gradients are off) and neither `real`, nor `fake`, nor `alpha`: they only say where
        to look. A critic that is flat at a point adds 1, and no NaN to the gradient.

    Raises:
        ValueError: shapes, dtypes or devices do not fit, the batch is empty, alpha is not (B,), or
            the critic does not return one value per sample that depends on its input.

    Source: Gulrajani and others 2017, arXiv:1704.00028, equation 3 without λ.

    >>> real, fake = torch.randn(3, 2), torch.randn(3, 2)
    >>> gradient_penalty(lambda x: x @ torch.tensor([0.0, 1.0]), real, fake, torch.rand(3))
    tensor(0.)
    >>> gradient_penalty(lambda x: x @ torch.tensor([3.0, 0.0]), real, fake, torch.rand(3))
    tensor(4.)
    """
    _check_lines(real, fake, alpha)
    with_graph = torch.is_grad_enabled()
    share = alpha.reshape(-1, *[1] * (real.ndim - 1))
    between = (share * real + (1 - share) * fake).detach().requires_grad_()
    with torch.enable_grad():
        scores = critic(between)
        _check_critic(scores, len(real))
        (slope,) = torch.autograd.grad(
            scores.sum(),
            between,
            create_graph=with_graph,
            allow_unused=True,
            materialize_grads=True,
        )
    length = torch.linalg.vector_norm(slope.flatten(start_dim=1), dim=1)
    return (length - 1).square().mean()


def clip_weights(critic: nn.Module, limit: float | int) -> None:
    """Puts every parameter of the critic back into [−limit, limit], in place.

    This bounds the slope from above, by a number that depends on the architecture. It does not make
    it 1, and it takes away most of the functions that a network could be.

    Args:
        critic: weights and biases are clipped; buffers are not.
        limit: above 0; the paper takes 0.01.

    Raises:
        ValueError: the limit is not a finite number above 0.

    Source: Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, algorithm 1.

    >>> critic = torch.nn.Linear(2, 1)
    >>> clip_weights(critic, 0.01)
    >>> bool(critic.weight.abs().max() <= 0.01)
    True
    """
    check_number("limit", limit)
    if limit == 0:
        raise ValueError("limit is 0; expected a number > 0, else the critic is constant")
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.clamp_(-limit, limit)


def _check_lines(real: object, fake: object, alpha: object) -> None:
    for name, value in (("real", real), ("fake", fake), ("alpha", alpha)):
        check_scores(name, value)
    if real.ndim < 2 or fake.shape != real.shape:
        raise ValueError(
            f"real has shape {tuple(real.shape)}, fake {tuple(fake.shape)}; "
            "expected (B, ...) twice, with at least one axis after the batch"
        )
    if alpha.shape != real.shape[:1]:
        raise ValueError(
            f"alpha has shape {tuple(alpha.shape)}; expected ({len(real)},), one weight per sample"
        )
    check_same_kind("fake", fake, "real", real)
    check_same_kind("alpha", alpha, "real", real)


def _check_critic(scores: object, batch: int) -> None:
    if not isinstance(scores, Tensor):
        raise ValueError(f"the critic returned {type(scores).__name__}; expected a tensor")
    if scores.ndim == 0 or scores.shape[0] != batch or scores.numel() != batch:
        raise ValueError(
            f"the critic returned shape {tuple(scores.shape)} for {batch} samples; "
            f"expected one value per sample, ({batch},) or ({batch}, 1)"
        )
    if not scores.requires_grad:
        raise ValueError("the critic's values have no graph; expected them to depend on its input")
