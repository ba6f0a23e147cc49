"""One update of each player: who moves, who is looked at only, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from mdcv.errors import check_number
from mdcv.gan.adversarial import discriminator_loss, generator_loss
from mdcv.gan.critic import clip_weights, critic_loss, gradient_penalty

Network = Callable[[Tensor], Tensor]


class CriticStep(NamedTuple):
    """What `critic_step` returns, both measured before the weights moved."""

    loss: Float[Tensor, ""]
    penalty: Float[Tensor, ""]


def discriminator_step(
    discriminator: Network,
    generator: Network,
    optimizer: Optimizer,
    real: Float[Tensor, "b ..."],
    noise: Float[Tensor, "m ..."],
) -> Float[Tensor, ""]:
    """The discriminator's loss on this batch, after which it has moved once and nobody else has.

    The fakes are made without a graph, so no gradient reaches the generator. Real and generated
    samples go through the discriminator in two calls: a layer that mixes samples would otherwise
    see both kinds at once.

    Args:
        optimizer: over the discriminator's parameters; its old gradients are thrown away.
        real: samples of the data.
        noise: what the generator makes the fakes from.

    Source: Goodfellow and others 2014, arXiv:1406.2661, algorithm 1, the inner loop.

    >>> from mdcv.gan.networks import PointDiscriminator, PointGenerator
    >>> G, D = PointGenerator(), PointDiscriminator()
    >>> optimizer = torch.optim.SGD(D.parameters(), lr=0.1)
    >>> loss = discriminator_step(D, G, optimizer, torch.ones(4, 2), G.noise(4))
    >>> loss.requires_grad, any(p.grad is not None for p in G.parameters())
    (False, False)
    """
    with torch.no_grad():
        fake = generator(noise)
    optimizer.zero_grad()
    loss = discriminator_loss(discriminator(real), discriminator(fake))
    loss.backward()
    optimizer.step()
    return loss.detach()


def generator_step(
    generator: nn.Module,
    opponent: Network,
    optimizer: Optimizer,
    noise: Float[Tensor, "m ..."],
    *,
    loss: Callable[[Tensor], Tensor] = generator_loss,
) -> Float[Tensor, ""]:
    """The generator's loss on this noise, after which it has moved once and nobody else has.

    The gradient passes *through* the opponent and is kept for the generator only, so the opponent's
    next step starts clean even if it forgets to.

    Args:
        opponent: a discriminator, or a critic.
        optimizer: over the generator's parameters; its old gradients are thrown away.
        noise: what the fakes are made from; fresh ones for every call.
        loss: of the opponent's answers. `generator_loss` for a discriminator,
            `critic_generator_loss` for a critic.

    >>> from mdcv.gan.networks import PointDiscriminator, PointGenerator
    >>> G, D = PointGenerator(), PointDiscriminator()
    >>> loss = generator_step(G, D, torch.optim.SGD(G.parameters(), lr=0.1), G.noise(4))
    >>> loss.requires_grad, any(p.grad is not None for p in D.parameters())
    (False, False)
    """
    optimizer.zero_grad()
    value = loss(opponent(generator(noise)))
    value.backward(inputs=list(generator.parameters()))
    optimizer.step()
    return value.detach()


def critic_step(
    critic: nn.Module,
    generator: Network,
    optimizer: Optimizer,
    real: Float[Tensor, "b ..."],
    noise: Float[Tensor, "m ..."],
    *,
    alpha: Float[Tensor, " b"] | None = None,
    penalty_weight: float | int = 10.0,
    clip: float | None = None,
) -> CriticStep:
    """The critic's loss and penalty on this batch, after which it has moved once.

    minimizes  mean f(fake) − mean f(real) + λ · penalty

    Args:
        optimizer: over the critic's parameters; its old gradients are thrown away.
        real, noise: as many of one as of the other where there is a penalty.
        alpha: where on the lines between real and generated samples the slope is looked at, one
            uniform number per sample; `None` leaves the penalty out.
        penalty_weight: λ.
        clip: puts every weight back into [−clip, clip] after the step; `None` leaves them.

    Returns:
        `loss` without the penalty, so −loss estimates W₁ as far as the critic is 1-Lipschitz, and
        `penalty` without λ, 0 where there is none.

    Raises:
        ValueError: λ is not a finite number >= 0, or as `gradient_penalty` and `clip_weights`.

    Source: Gulrajani and others 2017, arXiv:1704.00028, algorithm 1; with `clip` Arjovsky and
    others 2017, arXiv:1701.07875, algorithm 1.

    >>> from mdcv.gan.networks import PointDiscriminator, PointGenerator
    >>> G, f = PointGenerator(), PointDiscriminator()
    >>> optimizer = torch.optim.SGD(f.parameters(), lr=0.1)
    >>> critic_step(f, G, optimizer, torch.ones(4, 2), G.noise(4), clip=0.01).penalty
    tensor(0.)
    """
    check_number("penalty_weight", penalty_weight)
    with torch.no_grad():
        fake = generator(noise)
    optimizer.zero_grad()
    loss = critic_loss(critic(real), critic(fake))
    penalty = torch.zeros_like(loss)
    if alpha is not None:
        penalty = gradient_penalty(critic, real, fake, alpha)
    (loss + penalty_weight * penalty).backward()
    optimizer.step()
    if clip is not None:
        clip_weights(critic, clip)
    return CriticStep(loss.detach(), penalty.detach())
