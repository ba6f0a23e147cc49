"""Mistakes that no list names are caught all the same, and right answers that look odd pass."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from mdcv.exercises import judge
from mdcv.exercises.a3_gan.training_rounds import examine_coverage
from mdcv.gan import discriminator_loss, generator_loss


def with_a_frozen_lens(generator, discriminator, optimizer, noise):
    """Looks at a copy of the discriminator; the gradient is the same."""
    if not len(noise):
        raise ValueError("no noise")
    lens = {name: p.detach() for name, p in discriminator.named_parameters()}
    logits = torch.func.functional_call(discriminator, lens, (generator(noise),))
    optimizer.zero_grad()
    loss = generator_loss(logits)
    loss.backward()
    optimizer.step()
    return loss


def by_numpy_means(real_logits, fake_logits):
    """The value by another way, in tensors to the end."""
    if 0 in (real_logits.numel(), fake_logits.numel()):
        raise ValueError("no logits")
    real = torch.stack([F.softplus(-a) for a in real_logits.flatten().unbind()])
    fake = torch.stack([F.softplus(a) for a in fake_logits.flatten().unbind()])
    return sum(values.sum() / len(values) for values in (real, fake))


@pytest.mark.parametrize(
    ("name", "implementation"),
    [("generator_step", with_a_frozen_lens), ("discriminator_loss", by_numpy_means)],
)
def test_an_odd_right_answer_passes(name, implementation):
    outcome = judge(name, implementation, seed=5)
    assert outcome.passed, outcome.message


def smooths_labels(real_logits, fake_logits):
    return discriminator_loss(real_logits, fake_logits) + 0.1 * real_logits.mean()


def decays_weights(discriminator, generator, optimizer, real, noise):
    loss = discriminator_loss(discriminator(real), discriminator(generator(noise).detach()))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for parameter in discriminator.parameters():
            parameter *= 0.99
    return loss.detach()


def trains_on_noise_as_fakes(discriminator, generator, optimizer, real, noise):
    fake = generator(noise).detach() + 0.1
    loss = discriminator_loss(discriminator(real), discriminator(fake))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def looks_at_the_fakes_end(critic, real, fake, alpha):
    points = (fake + 0.5 * alpha.reshape(-1, *[1] * (real.ndim - 1)) * (real - fake)).detach()
    points.requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


@pytest.mark.parametrize(
    ("name", "implementation"),
    [
        ("discriminator_loss", smooths_labels),
        ("discriminator_step", decays_weights),
        ("discriminator_step", trains_on_noise_as_fakes),
        ("gradient_penalty", looks_at_the_fakes_end),
    ],
)
def test_an_unlisted_mistake_is_caught(name, implementation):
    outcome = judge(name, implementation, seed=5)
    assert not outcome.passed
    assert outcome.score < 0.7, outcome.message


CENTERS = torch.tensor([[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0], [0.0, -2.0]])


@pytest.mark.parametrize(
    ("modes", "smeared", "found"),
    [(4, 0.0, True), (3, 0.0, True), (2, 0.0, False), (1, 0.0, False), (4, 3.0, False)],
)
def test_coverage_asks_for_modes_and_for_quality(modes, smeared, found):
    draws = torch.Generator().manual_seed(0)
    mode = torch.randint(modes, (1000,), generator=draws)
    spread = 0.25 + smeared * torch.rand(1000, 1, generator=draws)
    samples = CENTERS[mode] + spread * torch.randn(1000, 2, generator=draws)
    finding = examine_coverage([samples], "a mixture", CENTERS, 0.25)
    assert (finding is None) == found
    assert examine_coverage([samples[:, :1]], "a mixture", CENTERS, 0.25) is not None
