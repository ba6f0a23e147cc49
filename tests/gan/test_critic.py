"""The critic's loss, its gradient penalty, and clipping."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from mdcv.gan import clip_weights, critic_generator_loss, critic_loss, gradient_penalty
from mdcv.seeds import generator


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64).to(dtype)


def lines(*shape: int, dtype: torch.dtype = torch.float64):
    """Real and fake samples of a shape, and one weight per sample."""
    alpha = torch.rand(shape[0], generator=generator(9), dtype=torch.float64).to(dtype)
    return draw(*shape, seed=1, dtype=dtype), draw(*shape, seed=2, dtype=dtype), alpha


def smooth_critic(inputs: int) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, 5), nn.Tanh(), nn.Linear(5, 1)).double()


def test_critic_loss_is_a_difference_of_means(device):
    real, fake = draw(5, 1).to(device), draw(7, 1, seed=1).to(device)
    torch.testing.assert_close(critic_loss(real, fake), fake.mean() - real.mean())
    torch.testing.assert_close(critic_generator_loss(fake), -fake.mean())


def test_a_linear_critic_has_one_slope_everywhere(device):
    weight = draw(2, 3, 5).to(device)
    real, fake, alpha = (t.to(device) for t in lines(4, 2, 3, 5))
    penalty = gradient_penalty(lambda x: (x * weight).sum(dim=(1, 2, 3)), real, fake, alpha)
    torch.testing.assert_close(penalty, (weight.norm() - 1) ** 2)
    unit = weight / weight.norm()
    flat = gradient_penalty(lambda x: (x * unit).sum(dim=(1, 2, 3)), real, fake, alpha)
    torch.testing.assert_close(flat, torch.zeros_like(flat), atol=1e-12, rtol=0)


def test_slopes_are_taken_on_the_lines_between_the_samples():
    real, fake, alpha = lines(6, 3)
    # f = |x|²/2 has slope x, so its length tells where it was taken.
    penalty = gradient_penalty(lambda x: x.square().sum(dim=1) / 2, real, fake, alpha)
    between = alpha[:, None] * real + (1 - alpha[:, None]) * fake
    torch.testing.assert_close(penalty, (between.norm(dim=1) - 1).square().mean())


def test_squares_are_averaged_after_the_root():
    # Slopes 0 and 2: the mean of the lengths is 1, the mean of the squared gaps is 1 as well.
    real, alpha = torch.tensor([[0.0, 0.0], [0.0, 2.0]]).double(), torch.ones(2).double()
    penalty = gradient_penalty(lambda x: x.square().sum(dim=1) / 2, real, real, alpha)
    torch.testing.assert_close(penalty, torch.tensor(1.0).double())


@pytest.mark.parametrize("shape", [(4, 3), (3, 2, 5)])
def test_agrees_with_a_jacobian_sample_by_sample(shape):
    critic, (real, fake, alpha) = smooth_critic(math.prod(shape[1:])), lines(*shape)
    total = 0.0
    for r, f, a in zip(real, fake, alpha, strict=True):
        between = (a * r + (1 - a) * f)[None]
        slope = torch.autograd.functional.jacobian(lambda x: critic(x).sum(), between)
        total += (slope.norm() - 1) ** 2 / shape[0]
    torch.testing.assert_close(gradient_penalty(critic, real, fake, alpha), total)


def test_gradient_reaches_the_critics_parameters_exactly():
    critic, (real, fake, alpha) = smooth_critic(3), lines(4, 3)
    names = [name for name, _ in critic.named_parameters()]

    def penalty(*values):
        def with_values(x):
            return torch.func.functional_call(critic, dict(zip(names, values, strict=True)), (x,))

        return gradient_penalty(with_values, real, fake, alpha)

    values = [p.detach().clone().requires_grad_() for p in critic.parameters()]
    assert torch.autograd.gradcheck(penalty, values)
    gradient_penalty(critic, real, fake, alpha).backward()
    assert critic[1].weight.grad.abs().max() > 0


def test_the_points_are_constants_and_stay_as_they_were():
    critic, (real, fake, alpha) = smooth_critic(3), lines(4, 3)
    before = [t.clone() for t in (real, fake, alpha)]
    for t in (real, fake, alpha):
        t.requires_grad_()
    gradient_penalty(critic, real, fake, alpha).backward()
    for t, was in zip((real, fake, alpha), before, strict=True):
        assert t.grad is None and t.detach().equal(was)


def test_a_flat_critic_costs_one_and_gives_no_nan():
    real, fake, alpha = lines(4, 3)
    critic = smooth_critic(3)
    nn.init.zeros_(critic[3].weight)
    penalty = gradient_penalty(critic, real, fake, alpha)
    torch.testing.assert_close(penalty, torch.tensor(1.0).double())
    penalty.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in critic.parameters())
    bias_only = nn.Parameter(torch.ones(1).double())
    ignores = gradient_penalty(lambda x: bias_only.expand(len(x)), real, fake, alpha)
    torch.testing.assert_close(ignores, torch.tensor(1.0).double())


def test_a_value_can_be_had_without_a_graph():
    critic, (real, fake, alpha) = smooth_critic(3), lines(4, 3)
    with torch.no_grad():
        value = gradient_penalty(critic, real, fake, alpha)
    assert not value.requires_grad
    torch.testing.assert_close(value, gradient_penalty(critic, real, fake, alpha).detach())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_follows(dtype):
    real, fake, alpha = lines(4, 3, dtype=dtype)
    assert gradient_penalty(lambda x: x.sin().sum(dim=1), real, fake, alpha).dtype == dtype
    assert critic_loss(real, fake).dtype == dtype


def test_a_column_of_scores_is_one_value_per_sample():
    real, fake, alpha = lines(4, 3)
    row = gradient_penalty(lambda x: x.sin().sum(dim=1), real, fake, alpha)
    column = gradient_penalty(lambda x: x.sin().sum(dim=1, keepdim=True), real, fake, alpha)
    torch.testing.assert_close(row, column)


def test_clipping_puts_every_weight_into_the_box_and_leaves_buffers():
    critic = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    nn.init.constant_(critic[0].bias, 0.005)
    clip_weights(critic, 0.01)
    assert all(p.abs().max() <= 0.01 for p in critic.parameters())
    torch.testing.assert_close(critic[0].bias.detach(), torch.full((4,), 0.005))
    assert critic[1].running_var.tolist() == [1.0] * 4


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(
    ("critic", "change", "words"),
    [
        (None, {"alpha": torch.ones(4, 3)}, r"alpha has shape \(4, 3\); expected \(4,\)"),
        (None, {"alpha": torch.ones(3)}, r"alpha has shape \(3,\); expected \(4,\)"),
        (None, {"alpha": torch.tensor(0.5)}, r"alpha has shape \(\); expected \(4,\)"),
        (None, {"alpha": 0.5}, "alpha is float"),
        (None, {"alpha": torch.ones(4).double()}, "alpha has dtype torch.float64"),
        (None, {"fake": torch.ones(4, 2)}, r"fake \(4, 2\)"),
        (None, {"fake": torch.ones(3, 3)}, r"fake \(3, 3\)"),
        (None, {"real": torch.ones(4), "fake": torch.ones(4)}, "at least one axis"),
        (None, {"real": torch.ones(0, 3), "fake": torch.ones(0, 3)}, "at least one value"),
        (lambda x: x, {}, r"returned shape \(4, 3\) for 4 samples"),
        (lambda x: x.sum(dim=1).expand(4, 4), {}, r"shape \(4, 4\)"),
        (lambda x: x.mean(), {}, r"shape \(\)"),
        (lambda x: x.sum(dim=0), {}, r"shape \(3,\)"),
        (lambda x: x.sum(dim=1)[None], {}, r"shape \(1, 4\)"),
        (lambda x: x.detach().sum(dim=1), {}, "no graph"),
        (lambda x: [0.0] * 4, {}, "returned list"),
    ],
)
def test_a_penalty_that_makes_no_sense_is_refused(critic, change, words):
    good = {"real": torch.ones(4, 3), "fake": torch.zeros(4, 3), "alpha": torch.ones(4)}
    with pytest.raises(ValueError, match=words):
        gradient_penalty(critic or (lambda x: x.sum(dim=1)), **{**good, **change})


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: critic_loss(torch.zeros(0), torch.zeros(1)), "real_scores has shape"),
        (lambda: critic_loss(torch.zeros(1), torch.zeros(1).double()), "fake_scores has dtype"),
        (lambda: critic_generator_loss(torch.zeros(3).long()), "fake_scores is torch.int64"),
        (lambda: clip_weights(nn.Linear(1, 1), 0.0), "limit is 0"),
        (lambda: clip_weights(nn.Linear(1, 1), -1.0), "limit is -1.0"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
