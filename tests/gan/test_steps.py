"""One move of each player: who gets gradients, in which order, and who stays as it was."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from mdcv.gan import (
    PointDiscriminator,
    PointGenerator,
    critic_generator_loss,
    critic_loss,
    critic_step,
    discriminator_loss,
    discriminator_step,
    generator_loss,
    generator_step,
    gradient_penalty,
)
from mdcv.seeds import generator

RATE = 0.1


@pytest.fixture
def players() -> tuple[PointGenerator, PointDiscriminator]:
    rng = generator(0)
    made = PointGenerator(3, width=5, rng=rng), PointDiscriminator(width=7, rng=rng)
    return made[0].double(), made[1].double()


def draw(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def weights(network: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def descended(network: nn.Module, loss: torch.Tensor) -> torch.Tensor:
    """Where plain gradient descent on the loss would take the network."""
    slopes = torch.autograd.grad(loss, list(network.parameters()))
    return weights(network) - RATE * torch.cat([slope.flatten() for slope in slopes])


def sgd(network: nn.Module) -> torch.optim.Optimizer:
    """Gradient descent whose old gradients are poisoned: a step that keeps them goes astray."""
    for parameter in network.parameters():
        parameter.grad = torch.full_like(parameter, 1e3)
    return torch.optim.SGD(network.parameters(), lr=RATE)


def test_the_discriminator_descends_its_loss_and_the_generator_rests(players):
    g, d = players
    real, noise = draw(6, 2, seed=1), draw(4, 3, seed=2)
    loss = discriminator_loss(d(real), d(g(noise).detach()))
    expected, before = descended(d, loss), weights(g)
    returned = discriminator_step(d, g, sgd(d), real, noise)
    torch.testing.assert_close(weights(d), expected)
    torch.testing.assert_close(returned, loss.detach())
    assert weights(g).equal(before) and all(p.grad is None for p in g.parameters())
    assert not returned.requires_grad


@pytest.mark.parametrize("loss", [generator_loss, critic_generator_loss])
def test_the_generator_descends_through_the_opponent_and_the_opponent_rests(players, loss):
    g, d = players
    noise = draw(4, 3, seed=2)
    value = loss(d(g(noise)))
    expected, before = descended(g, value), weights(d)
    returned = generator_step(g, d, sgd(g), noise, loss=loss)
    torch.testing.assert_close(weights(g), expected)
    torch.testing.assert_close(returned, value.detach())
    assert weights(d).equal(before) and all(p.grad is None for p in d.parameters())


def test_the_critic_descends_its_loss_and_penalty(players):
    g, f = players
    real, noise = draw(4, 2, seed=1), draw(4, 3, seed=2)
    alpha = torch.rand(4, generator=generator(3)).double()
    fake = g(noise).detach()
    loss, penalty = critic_loss(f(real), f(fake)), gradient_penalty(f, real, fake, alpha)
    expected = descended(f, loss + 7 * penalty)
    returned = critic_step(f, g, sgd(f), real, noise, alpha=alpha, penalty_weight=7)
    torch.testing.assert_close(weights(f), expected)
    torch.testing.assert_close(returned.loss, loss.detach())
    torch.testing.assert_close(returned.penalty, penalty.detach())
    assert all(p.grad is None for p in g.parameters())


def test_clipping_comes_after_the_step(players):
    g, f = players
    real, noise = draw(6, 2, seed=1), draw(4, 3, seed=2)
    expected = descended(f, critic_loss(f(real), f(g(noise).detach()))).clamp(-0.05, 0.05)
    returned = critic_step(f, g, sgd(f), real, noise, clip=0.05)
    torch.testing.assert_close(weights(f), expected)
    assert returned.penalty == 0


def test_real_and_fake_go_through_the_discriminator_apart_and_in_order(players):
    g, d = players
    seen = []

    def recording(x):
        seen.append(x.detach().clone())
        return d(x)

    real, noise = draw(6, 2, seed=1), draw(4, 3, seed=2)
    discriminator_step(recording, g, sgd(d), real, noise)
    assert [len(x) for x in seen] == [6, 4]
    assert seen[0].equal(real) and seen[1].equal(g(noise).detach())


def test_one_step_of_each_helps_the_one_who_moved(players):
    g, d = players
    real, noise = draw(64, 2, seed=1) + 3, draw(64, 3, seed=2)
    before = copy.deepcopy(d)
    discriminator_step(d, g, sgd(d), real, noise)
    with torch.no_grad():
        assert d(real).mean() - d(g(noise)).mean() > before(real).mean() - before(g(noise)).mean()
        fooled = d(g(noise)).mean()
    generator_step(g, d, sgd(g), noise)
    with torch.no_grad():
        assert d(g(noise)).mean() > fooled


def test_a_penalty_weight_below_zero_is_refused(players):
    g, f = players
    with pytest.raises(ValueError, match="penalty_weight is -1"):
        critic_step(f, g, sgd(f), draw(4, 2, seed=1), draw(4, 3, seed=2), penalty_weight=-1)
