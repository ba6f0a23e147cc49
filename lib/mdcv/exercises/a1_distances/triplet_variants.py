"""Right and wrong ways to write `triplet_loss`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mdcv.exercises.a1_distances.guards import of_embeddings
from mdcv.exercises.a1_distances.pair_distances import distance, squared
from mdcv.exercises.a1_distances.pair_mistakes import shared_mistakes
from mdcv.exercises.exercise import Mistake, Right

# Right, written differently


def _by_torch(anchor: Tensor, positive: Tensor, negative: Tensor, *, margin: float = 1.0) -> Tensor:
    """PyTorch's own loss refuses a margin of 0, and its distance adds 1e-6 to each coordinate."""
    distance = torch.nn.functional.pairwise_distance
    gap = distance(anchor, positive) - distance(anchor, negative)
    return torch.nn.functional.relu(gap + margin).mean()


def _by_loops(anchor, positive, negative, *, margin=1.0):
    total = 0.0
    for a, p, n in zip(anchor, positive, negative, strict=True):
        cost = torch.dist(a, p) - torch.dist(a, n) + margin
        total = total + (cost if cost > 0 else 0 * cost)
    return total / len(anchor)


def _stacked(anchor: Tensor, positive: Tensor, negative: Tensor, *, margin: float = 1.0) -> Tensor:
    to_others = (torch.stack([positive, negative]) - anchor).norm(dim=-1)
    cost = margin - (to_others[1] - to_others[0])
    return torch.maximum(cost, torch.zeros_like(cost)).sum() / cost.numel()


def _by_table(anchor: Tensor, positive: Tensor, negative: Tensor, *, margin: float = 1.0) -> Tensor:
    """Reads the pairs off the diagonals of two tables of all distances."""
    exact = "donot_use_mm_for_euclid_dist"
    d_p = torch.cdist(anchor, positive, compute_mode=exact).diagonal()
    d_n = torch.cdist(anchor, negative, compute_mode=exact).diagonal()
    return torch.where(d_p + margin <= d_n, 0 * d_p, d_p + margin - d_n).mean()


RIGHT = (
    Right("by PyTorch's distance", of_embeddings(_by_torch)),
    Right("by loops", of_embeddings(_by_loops)),
    Right("stacked", of_embeddings(_stacked)),
    Right("by tables", of_embeddings(_by_table)),
)

# Wrong: what a triplet costs by its two distances, with every knob that can be turned wrongly

Pair = Callable[[Tensor, Tensor], Tensor]


def _hinge(positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    return (positive - negative + margin).clamp(min=0)


def _loss(
    cost: Callable[[Tensor, Tensor, float], Tensor] = _hinge,
    reduce: Callable[[Tensor], Tensor] = torch.mean,
    distance: Pair = distance,
) -> Callable[..., Tensor]:
    def loss(a: Tensor, p: Tensor, n: Tensor, *, margin: float = 1.0) -> Tensor:
        return reduce(cost(distance(a, p), distance(a, n), margin))

    return loss


_right = _loss()


def _from_positive(a: Tensor, p: Tensor, n: Tensor, *, margin: float = 1.0) -> Tensor:
    return _hinge(distance(a, p), distance(p, n), margin).mean()


def _anchor_swap(a: Tensor, p: Tensor, n: Tensor, *, margin: float = 1.0) -> Tensor:
    nearer = torch.minimum(distance(a, n), distance(p, n))
    return _hinge(distance(a, p), nearer, margin).mean()


def _hardest_negative(a: Tensor, p: Tensor, n: Tensor, *, margin: float = 1.0) -> Tensor:
    nearest = (a[:, None] - n[None]).norm(dim=-1).amin(dim=1)
    return _hinge(distance(a, p), nearest, margin).mean()


def _every_negative(a: Tensor, p: Tensor, n: Tensor, *, margin: float = 1.0) -> Tensor:
    table = (a[:, None] - n[None]).norm(dim=-1)
    return _hinge(distance(a, p)[:, None], table, margin).mean()


def _mistake(name: str, loss: Callable[..., Tensor], sentence: str = "") -> Mistake:
    return Mistake(name, of_embeddings(loss), sentence)


WRONG = (
    _mistake(
        "no_clamp",
        _loss(lambda p, n, m: p - n + m),
        "Your loss can be negative: triplets that are easy enough cost 0, and not less.",
    ),
    _mistake(
        "positive_and_negative_exchanged",
        _loss(lambda p, n, m: _hinge(n, p, m)),
        "Looks as if positive and negative were exchanged: the positive shall be near, the "
        "negative far.",
    ),
    _mistake(
        "margin_subtracted",
        _loss(lambda p, n, m: _hinge(p, n, -m)),
        "The margin has the wrong sign: the negative must be farther than the positive by it.",
    ),
    _mistake(
        "margin_left_out",
        _loss(lambda p, n, m: _hinge(p, n, 0.0)),
        "Your loss has no margin: a negative that is barely farther costs nothing.",
    ),
    _mistake(
        "margin_ignored",
        _loss(lambda p, n, m: _hinge(p, n, 1.0)),
        "Right for a margin of 1, and margin has no effect on your value.",
    ),
    _mistake(
        "margin_outside_the_hinge",
        _loss(lambda p, n, m: (p - n).clamp(min=0) + m),
        "The margin is added after the hinge: it belongs inside, or no triplet ever costs 0.",
    ),
    _mistake(
        "squared_distances",
        _loss(distance=squared),
        "Looks like squared distances, as in some papers: here they are plain.",
    ),
    _mistake(
        "hinge_squared",
        _loss(lambda p, n, m: _hinge(p, n, m).square()),
        "The hinge is squared, as in the contrastive loss: here it is not.",
    ),
    _mistake(
        "halved",
        _loss(lambda p, n, m: _hinge(p, n, m) / 2),
        "Your loss is half of the right one: no ½ stands here.",
    ),
    _mistake(
        "soft_hinge",
        _loss(lambda p, n, m: torch.nn.functional.softplus(p - n + m)),
        "Looks like softplus in the place of max(0, ·): easy triplets cost exactly 0.",
    ),
    _mistake(
        "hinge_on_each_distance",
        _loss(lambda p, n, m: p + (m - n).clamp(min=0)),
        "Looks like a pull on every positive plus a hinge on the negative: only the difference of "
        "the two distances counts.",
    ),
    _mistake(
        "ratio_of_distances",
        _loss(lambda p, n, m: (p / (n + 1e-12) - 1 + m).clamp(min=0)),
        "Looks like the ratio of the two distances: their difference counts.",
    ),
    _mistake(
        "sum_for_mean",
        _loss(reduce=torch.sum),
        "Looks like a sum over the triplets: average them, so that a batch twice over costs the "
        "same.",
    ),
    _mistake(
        "not_averaged",
        _loss(reduce=lambda costs: costs),
        "One number came for each triplet: the loss is their mean, a scalar.",
    ),
    _mistake(
        "mean_over_active_triplets",
        _loss(reduce=lambda costs: costs.sum() / (costs > 0).sum().clamp(min=1)),
        "Looks like a mean over the triplets that cost something: the others count with 0.",
    ),
    _mistake(
        "largest_cost",
        _loss(reduce=torch.amax),
        "Looks like the cost of the hardest triplet: average over all.",
    ),
    _mistake(
        "mean_inside_the_hinge",
        _loss(lambda p, n, m: (p - n + m).mean().clamp(min=0)),
        "Looks as if the mean were taken inside the hinge: easy triplets pay for hard ones there.",
    ),
    _mistake(
        "negative_from_the_positive",
        _from_positive,
        "Looks like the distance from the positive to the negative: both distances start from the "
        "anchor.",
    ),
    _mistake(
        "anchor_swap",
        _anchor_swap,
        "Looks as if the negative were measured from anchor or positive, whichever is nearer: both "
        "distances start from the anchor.",
    ),
    _mistake(
        "hardest_negative_of_the_batch",
        _hardest_negative,
        "Looks as if each anchor took the nearest negative of the whole batch: row by row, each "
        "has its own.",
    ),
    _mistake(
        "every_negative_of_the_batch",
        _every_negative,
        "Looks as if each anchor were compared with all negatives of the batch: row by row, each "
        "has its own.",
    ),
    *shared_mistakes(lambda by: _loss(distance=by)),
)
