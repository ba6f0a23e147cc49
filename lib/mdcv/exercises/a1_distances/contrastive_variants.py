"""Right and wrong ways to write `contrastive_loss`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mdcv.exercises.a1_distances.guards import of_embeddings
from mdcv.exercises.a1_distances.pair_distances import distance, squared
from mdcv.exercises.a1_distances.pair_mistakes import shared_mistakes
from mdcv.exercises.exercise import Mistake, Right

# Right, written differently


def _by_torch(a: Tensor, b: Tensor, same: Tensor, *, margin: float = 1.0) -> Tensor:
    """PyTorch's distance adds 1e-6 to each coordinate: close enough, and safe at 0."""
    d = torch.nn.functional.pairwise_distance(a, b)
    is_same = same.to(d.dtype)
    push = torch.nn.functional.relu(margin - d)
    return (is_same * d.pow(2) + (1 - is_same) * push.pow(2)).mean() / 2


def _by_loops(a, b, same, *, margin=1.0):
    losses = []
    for x, y, alike in zip(a, b, same, strict=True):
        d = torch.linalg.norm(x - y)
        short = margin - d
        if alike:
            losses.append(0.5 * ((x - y) ** 2).sum())
        else:
            losses.append(0.5 * short**2 if short > 0 else 0.0 * d)
    return sum(losses) / len(losses)


def _by_kind(a: Tensor, b: Tensor, same: Tensor, *, margin: float = 1.0) -> Tensor:
    """Both kinds added up apart, and divided by the number of all pairs."""
    d = (a - b).norm(dim=-1)
    pull = d[same].square().sum()
    push = torch.clamp(margin - d[~same], min=0).square().sum()
    return 0.5 * (pull + push) / a.shape[0]


def _with_epsilon(a: Tensor, b: Tensor, same: Tensor, *, margin: float = 1.0) -> Tensor:
    """A tiny number under the root keeps the slope finite, and moves the value by 1e-7 at most."""
    squared = torch.einsum("bd,bd->b", a - b, a - b)
    d = (squared + 1e-14).sqrt()
    zero = torch.zeros_like(d)
    return torch.where(same, squared, torch.maximum(zero, margin - d) ** 2).mul(0.5).mean()


RIGHT = (
    Right("by PyTorch's distance", of_embeddings(_by_torch)),
    Right("by loops", of_embeddings(_by_loops)),
    Right("kind by kind", of_embeddings(_by_kind)),
    Right("with an epsilon", of_embeddings(_with_epsilon)),
)

# Wrong: what a pair costs by its distance, with every knob that can be turned wrongly

Cost = Callable[[Tensor, float], Tensor]


def _pull(d: Tensor, margin: float) -> Tensor:
    return d.square() / 2


def _push(d: Tensor, margin: float) -> Tensor:
    return (margin - d).clamp(min=0).square() / 2


def _loss(
    pull: Cost = _pull,
    push: Cost = _push,
    reduce: Callable[[Tensor, Tensor], Tensor] = lambda costs, same: costs.mean(),
    distance: Callable[[Tensor, Tensor], Tensor] = distance,
) -> Callable[..., Tensor]:
    def loss(a: Tensor, b: Tensor, same: Tensor, *, margin: float = 1.0) -> Tensor:
        d = distance(a, b)
        return reduce(torch.where(same, pull(d, margin), push(d, margin)), same)

    return loss


_right = _loss()


def _swapped(a: Tensor, b: Tensor, same: Tensor, *, margin: float = 1.0) -> Tensor:
    return _right(a, b, ~same, margin=margin)


def _mean_of_both_means(costs: Tensor, same: Tensor) -> Tensor:
    """The mean over each kind, added; a kind that is missing adds nothing."""
    means = [costs[kind].mean() for kind in (same, ~same) if bool(kind.any())]
    return sum(means)


def _half_of_both_means(costs: Tensor, same: Tensor) -> Tensor:
    return _mean_of_both_means(costs, same) / 2


def _mistake(name: str, loss: Callable[..., Tensor], sentence: str = "") -> Mistake:
    return Mistake(name, of_embeddings(loss), sentence)


WRONG = (
    _mistake(
        "labels_inverted",
        _swapped,
        "Your loss pushes matching pairs apart and pulls different ones together: same = True is "
        "the kind that attracts.",
    ),
    _mistake(
        "margin_on_squared_distance",
        _loss(push=lambda d, m: (m - d.square()).clamp(min=0) / 2),
        "Looks like max(0, m − d²): the margin is compared with the distance, and the square comes "
        "last.",
    ),
    _mistake(
        "squared_distance_in_the_hinge",
        _loss(push=lambda d, m: (m - d.square()).clamp(min=0).square() / 2),
        "Looks like max(0, m − d²)²: the margin is compared with the distance itself, so that the "
        "push ends at distance m, not √m.",
    ),
    _mistake(
        "margin_squared",
        _loss(push=lambda d, m: (m**2 - d.square()).clamp(min=0) / 2),
        "Looks like max(0, m² − d²): subtract first, then square.",
    ),
    _mistake(
        "no_clamp",
        _loss(push=lambda d, m: (m - d).square() / 2),
        "A pair farther than the margin costs something, and is pulled back: clamp first, then "
        "square.",
    ),
    _mistake(
        "hinge_not_squared",
        _loss(push=lambda d, m: (m - d).clamp(min=0) / 2),
        "The hinge of different pairs is not squared.",
    ),
    _mistake(
        "distance_not_squared",
        _loss(pull=lambda d, m: d / 2),
        "The distance of matching pairs is not squared.",
    ),
    _mistake(
        "nothing_squared",
        _loss(lambda d, m: d / 2, lambda d, m: (m - d).clamp(min=0) / 2),
        "Nothing is squared: both costs are squares, halved.",
    ),
    _mistake(
        "squared_twice",
        _loss(distance=squared),
        "Looks as if the squared distance stood where the distance belongs, and were squared "
        "again.",
    ),
    _mistake(
        "half_forgotten",
        _loss(lambda d, m: 2 * _pull(d, m), lambda d, m: 2 * _push(d, m)),
        "Your loss is twice the right one: the ½ is missing.",
    ),
    _mistake(
        "half_of_the_pull_forgotten",
        _loss(pull=lambda d, m: 2 * _pull(d, m)),
        "Matching pairs cost twice too much: the ½ stands before both.",
    ),
    _mistake(
        "half_of_the_push_forgotten",
        _loss(push=lambda d, m: 2 * _push(d, m)),
        "Different pairs cost twice too much: the ½ stands before both.",
    ),
    _mistake(
        "hinge_reversed",
        _loss(push=lambda d, m: (d - m).clamp(min=0).square() / 2),
        "The hinge is the wrong way round: different pairs cost something when they are nearer "
        "than the margin.",
    ),
    _mistake(
        "hinge_on_both_kinds",
        _loss(pull=lambda d, m: (d - m).clamp(min=0).square() / 2),
        "Matching pairs within the margin cost nothing in your loss: they are pulled all the way.",
    ),
    _mistake(
        "push_negated",
        _loss(push=lambda d, m: -_pull(d, m)),
        "Different pairs lower your loss without end: they count until they are a margin apart.",
    ),
    _mistake(
        "matching_pairs_only",
        _loss(push=lambda d, m: 0 * d),
        "Different pairs cost nothing: the best embedding would be a single point.",
    ),
    _mistake(
        "different_pairs_only",
        _loss(pull=lambda d, m: 0 * d),
        "Matching pairs cost nothing: nothing holds a kind together.",
    ),
    _mistake(
        "margin_ignored",
        _loss(push=lambda d, m: _push(d, 1.0)),
        "Right for a margin of 1, and margin has no effect on your value.",
    ),
    _mistake(
        "margin_doubled",
        _loss(push=lambda d, m: _push(d, 2 * m)),
        "Looks like twice the margin: different pairs are pushed too far.",
    ),
    _mistake(
        "sum_for_mean",
        _loss(reduce=lambda costs, same: costs.sum()),
        "Looks like a sum over the pairs: average them, so that a batch twice over costs the same.",
    ),
    _mistake(
        "not_averaged",
        _loss(reduce=lambda costs, same: costs),
        "One number came for each pair: the loss is their mean, a scalar.",
    ),
    _mistake(
        "means_of_both_kinds_added",
        _loss(reduce=_mean_of_both_means),
        "Looks like the mean over matching pairs plus the mean over different ones: one mean over "
        "all pairs was asked.",
    ),
    _mistake(
        "means_of_both_kinds_averaged",
        _loss(reduce=_half_of_both_means),
        "Looks like the average of two means, one for each kind: one mean over all was asked.",
    ),
    _mistake(
        "mean_over_pairs_that_cost",
        _loss(reduce=lambda costs, same: costs.sum() / (costs > 0).sum().clamp(min=1)),
        "Looks like a mean over the pairs that cost something: the others count with 0.",
    ),
    _mistake(
        "root_of_the_mean",
        _loss(reduce=lambda costs, same: (costs.mean() + 1e-14).sqrt()),
        "Looks like the root of the loss: no root stands outside.",
    ),
    *shared_mistakes(lambda by: _loss(distance=by)),
    Mistake(
        "labels_of_another_shape",
        of_embeddings(_right, same=False),
        "Labels of another shape than (B,) were accepted and repeated. Compare the shapes and "
        "raise a ValueError.",
    ),
)
