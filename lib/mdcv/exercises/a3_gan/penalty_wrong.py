"""Wrong gradient penalties, each with its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.exercise import Mistake
from mdcv.gan import gradient_penalty

Critic = Callable[[Tensor], Tensor]


def refusing(
    penalty: Callable[..., Any],
    *,
    alphas: bool = True,
    samples: bool = True,
    values: bool = True,
) -> Callable[..., Any]:
    """The penalty behind a door; one check is left out where a variant lets something through."""

    def guarded(critic: Critic, real: Tensor, fake: Tensor, alpha: Tensor) -> Any:
        if samples and real.shape != fake.shape:
            raise ValueError("samples of different shape")
        if alphas and alpha.shape != real.shape[:1]:
            raise ValueError("alpha is not (B,)")
        if values:
            with torch.no_grad():
                if critic(real).numel() != len(real):
                    raise ValueError("the critic returns several values")
        return penalty(critic, real, fake, alpha)

    return guarded


def spread(alpha: Tensor, like: Tensor) -> Tensor:
    """One alpha per sample, ready to multiply samples of any shape."""
    return alpha.reshape(-1, *[1] * (like.ndim - 1))


def _between(real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    share = spread(alpha, real)
    return share * real + (1 - share) * fake


def _slopes(critic: Critic, points: Tensor) -> Tensor:
    points = points.detach().requires_grad_()
    return torch.autograd.grad(critic(points).sum(), points, create_graph=True)[0]


def _lengths(slopes: Tensor) -> Tensor:
    return torch.linalg.vector_norm(slopes.flatten(1), dim=1)


def _at(point: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Callable[..., Any]:
    """The right penalty, looked at elsewhere."""

    def wrong(critic: Critic, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
        return (_lengths(_slopes(critic, point(real, fake, alpha))) - 1).square().mean()

    return wrong


def _of(value: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
    """Another value of the right slopes (B, ...)."""

    def wrong(critic: Critic, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
        return value(_slopes(critic, _between(real, fake, alpha)))

    return wrong


def _without_create_graph(critic: Critic, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    points = _between(real, fake, alpha).detach().requires_grad_()
    (slopes,) = torch.autograd.grad(critic(points).sum(), points)
    return (_lengths(slopes) - 1).square().mean()


def _of_the_mean_score(critic: Critic, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    points = _between(real, fake, alpha).detach().requires_grad_()
    (slopes,) = torch.autograd.grad(critic(points).mean(), points, create_graph=True)
    return (_lengths(slopes) - 1).square().mean()


def _first_score_only(critic: Critic, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    points = _between(real, fake, alpha).detach().requires_grad_()
    (slopes,) = torch.autograd.grad(critic(points).flatten()[0], points, create_graph=True)
    return (_lengths(slopes) - 1).square().mean()


def _between_scores(critic: Critic, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    """A difference quotient between the two ends of each line."""
    rise = critic(real).flatten() - critic(fake).flatten()
    run = torch.linalg.vector_norm((real - fake).flatten(1), dim=1)
    return ((rise / run).abs() - 1).square().mean()


def _draws_its_own(critic: Critic, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    return _at(_between)(critic, real, fake, torch.rand_like(alpha))


def _by_own_root(slopes: Tensor) -> Tensor:
    return (slopes.square().flatten(1).sum(1).sqrt() - 1).square().mean()


def _half_detached(critic: Critic, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    value = gradient_penalty(critic, real, fake, alpha)
    return value / 2 + value.detach() / 2


def _changes_real(critic: Critic, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    value = gradient_penalty(critic, real, fake, alpha)
    real.mul_(spread(alpha, real)).add_(fake)
    return value


def _single(critic: Critic, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    value = gradient_penalty(critic, real, fake, alpha)
    return value + (value.float() - value).detach()


WRONG = (
    Mistake(
        "norm_per_pixel",
        refusing(_of(lambda g: (g.norm(2, dim=1) - 1).square().mean())),
        "The norm runs over one axis only: an image then has a slope for every pixel. It must run "
        "over all entries of a sample.",
    ),
    Mistake(
        "norm_over_the_last_axis",
        refusing(_of(lambda g: (g.norm(2, dim=-1) - 1).square().mean())),
        "The norm runs over the last axis only: an image then has a slope for every row. It must "
        "run over all entries of a sample.",
    ),
    Mistake(
        "norm_over_the_batch",
        refusing(_of(lambda g: (g.norm() - 1).square())),
        "One norm for the whole batch: each sample has a slope of its own.",
    ),
    Mistake(
        "squared_norm_inside",
        refusing(_of(lambda g: (_lengths(g).square() - 1).square().mean())),
        "Looks like the squared norm inside, (‖g‖² − 1)².",
    ),
    Mistake(
        "square_of_the_mean",
        refusing(_of(lambda g: (_lengths(g).mean() - 1).square())),
        "You average the norms and then square: slopes of 0 and 2 would cost nothing. Average the "
        "squares.",
    ),
    Mistake(
        "absolute_value",
        refusing(_of(lambda g: (_lengths(g) - 1).abs().mean())),
        "Looks like an absolute value where a square was asked.",
    ),
    Mistake(
        "no_target",
        refusing(_of(lambda g: _lengths(g).square().mean())),
        "Your penalty pulls every slope to 0; the slope asked for is 1.",
    ),
    Mistake(
        "one_sided",
        refusing(_of(lambda g: (_lengths(g) - 1).relu().square().mean())),
        "Slopes below 1 cost nothing with you: this is the one-sided penalty; ours has two sides.",
    ),
    Mistake(
        "summed",
        refusing(_of(lambda g: (_lengths(g) - 1).square().sum())),
        "Your value grows with the batch: a sum where a mean was asked.",
    ),
    Mistake(
        "one_value_per_sample",
        refusing(_of(lambda g: (_lengths(g) - 1).square())),
        "One value came for every sample; the penalty is their mean.",
    ),
    Mistake(
        "times_lambda",
        refusing(_of(lambda g: 10 * (_lengths(g) - 1).square().mean())),
        "Your value is ten times the penalty: λ is not inside, the caller multiplies.",
    ),
    Mistake(
        "halved",
        refusing(_of(lambda g: (_lengths(g) - 1).square().mean() / 2)),
        "Your value is half of the penalty.",
    ),
    Mistake(
        "mean_over_coordinates",
        refusing(_of(lambda g: (g.flatten(1).square().mean(1).sqrt() - 1).square().mean())),
        "Your norm divides by the number of entries; a Euclidean norm adds them up.",
    ),
    Mistake(
        "manhattan_norm",
        refusing(_of(lambda g: (g.flatten(1).abs().sum(1) - 1).square().mean())),
        "Looks like the sum of absolute entries; the norm is Euclidean.",
    ),
    Mistake(
        "largest_entry",
        refusing(_of(lambda g: (g.flatten(1).abs().amax(1) - 1).square().mean())),
        "Looks like the largest entry of the slope; the norm is Euclidean.",
    ),
    Mistake(
        "alpha_on_the_fakes",
        refusing(_at(lambda r, f, a: spread(1 - a, r) * r + spread(a, r) * f)),
        "alpha weighs the fakes with you; it is the share of the real sample.",
    ),
    Mistake(
        "at_the_reals",
        refusing(_at(lambda r, f, a: r)),
        "You look at the slope at the real samples; nothing then holds the critic between the two "
        "sets.",
    ),
    Mistake(
        "at_the_fakes",
        refusing(_at(lambda r, f, a: f)),
        "You look at the slope at the fakes; nothing then holds the critic between the two sets.",
    ),
    Mistake(
        "at_the_middle",
        refusing(_at(lambda r, f, a: (r + f) / 2)),
        "You look half-way between real and fake, whatever alpha says.",
    ),
    Mistake(
        "one_alpha_for_all",
        refusing(_at(lambda r, f, a: a[0] * r + (1 - a[0]) * f)),
        "All samples got the first alpha; each has its own.",
    ),
    Mistake(
        "not_on_the_line",
        refusing(_at(lambda r, f, a: spread(a, r) * r + f)),
        "Your points are not on the line between real and fake: the two shares add up to 1.",
    ),
    Mistake(
        "of_the_mean_score",
        refusing(_of_the_mean_score),
        "You take the gradient of the mean score, so every slope is divided by the batch size. "
        "Take that of the sum.",
    ),
    Mistake(
        "first_score_only",
        refusing(_first_score_only),
        "Only the first score is differentiated, so all other samples have slope 0 with you.",
    ),
    Mistake(
        "difference_quotient",
        refusing(_between_scores),
        "You compare the scores at both ends of each line; the penalty looks at the gradient at "
        "one point of it.",
    ),
    Mistake(
        "no_create_graph",
        refusing(_without_create_graph),
        "The value is right, but the penalty does not reach the critic's weights: the inner "
        "gradient needs create_graph=True.",
    ),
    Mistake(
        "own_square_root",
        refusing(_of(_by_own_root)),
        "A critic without any slope gives a gradient of nan: the square root has infinite slope at "
        "0. torch.linalg.vector_norm is safe there.",
    ),
    Mistake("wrong_gradient", refusing(_half_detached)),
    Mistake("not_repeatable", refusing(_draws_its_own)),
    Mistake("changes_its_input", refusing(_changes_real)),
    Mistake("float32_inside", refusing(_single)),
    Mistake("returns_float32", refusing(lambda *given: gradient_penalty(*given).float())),
    Mistake("python_float_returned", refusing(lambda *given: gradient_penalty(*given).item())),
    Mistake("returns_numpy", refusing(lambda *given: gradient_penalty(*given).detach().numpy())),
    Mistake("returns_nothing", refusing(lambda *given: None)),
    Mistake(
        "accepts_any_alpha",
        refusing(
            lambda c, r, f, a: _at(lambda r, f, a: a * r + (1 - a) * f)(
                c, r, f, spread(a, r) if a.ndim == 1 else a
            ),
            alphas=False,
        ),
        "An alpha of another shape than (B,) was accepted: broadcasting then gives entries, or the "
        "whole batch, shares of their own. Raise a ValueError.",
    ),
    Mistake(
        "broadcasts_samples",
        refusing(_at(_between), samples=False),
        "Real samples and fakes of different shape were accepted: one was broadcast over the "
        "other. Raise a ValueError.",
    ),
    Mistake(
        "accepts_many_values",
        refusing(_at(_between), values=False),
        "A critic that returns several values a sample was accepted: their sum has a slope, but it "
        "is not the critic's. Raise a ValueError.",
    ),
)
