"""Right and wrong ways to write `set_function`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Mistake, Right
from mdcv.pointnet.symmetric import POOLINGS, Pooling, SetFunction

Network = Callable[[Tensor], Tensor]


def _guarded(function: Callable[..., Any], *, empty: bool = True, known: bool = True):
    """The function behind a door; `empty` and `known` off let empty sets, odd poolings through."""

    def guarded(points: Tensor, h: Network, gamma: Network, *, pooling: str = "max") -> Any:
        if points.ndim != 3:
            raise ValueError(f"points have {points.ndim} axes; expected (B, N, D)")
        if empty and points.shape[1] == 0:
            raise ValueError("a set without points")
        if known and pooling not in POOLINGS:
            raise ValueError(f"pooling is {pooling!r}; expected one of {POOLINGS}")
        return function(points, h, gamma, pooling=pooling)

    return guarded


def pool(features: Tensor, pooling: str, axis: int = 1) -> Tensor:
    """Features (B, N, K) pooled over an axis."""
    if pooling == "max":
        return features.amax(axis)
    return features.sum(axis) if pooling == "sum" else features.mean(axis)


def _plain(points: Tensor, h: Network, gamma: Network, *, pooling: str = "max") -> Tensor:
    return gamma(pool(h(points), pooling))


def set_function(points: Tensor, h: Network, gamma: Network, *, pooling: Pooling = "max") -> Tensor:
    """The library's, called at once."""
    return SetFunction(h, gamma, pooling=pooling)(points)


# Right, written differently


def _point_by_point(points, h, gamma, *, pooling="max"):
    """A running maximum or sum, which never holds more than one point's features."""
    if points.dim() != 3 or points.size(1) < 1:
        raise ValueError("no set")
    if pooling not in {"max", "sum", "mean"}:
        raise ValueError("no such pooling")
    running = h(points[:, 0])
    for i in range(1, points.size(1)):
        feature = h(points[:, i])
        running = torch.maximum(running, feature) if pooling == "max" else running + feature
    return gamma(running / points.size(1) if pooling == "mean" else running)


def _set_by_set(points, h, gamma, *, pooling="max"):
    if points.ndim != 3 or not points.shape[1] or pooling not in POOLINGS:
        raise ValueError("no set, or no such pooling")
    pooled = []
    for cloud in points:
        features = h(cloud.contiguous())
        if pooling == "max":
            pooled.append(features.max(dim=0).values)
        else:
            total = torch.ones(1, len(cloud), dtype=cloud.dtype) @ features
            pooled.append(total[0] / (len(cloud) if pooling == "mean" else 1))
    return torch.cat([gamma(feature[None]) for feature in pooled])


def _by_layers_of_torch(points, h, gamma, *, pooling="max"):
    """All points in one long list, channels first, and PyTorch's own pooling."""
    if points.ndim != 3 or 0 in points.shape:
        raise ValueError("expected sets of points")
    if pooling not in POOLINGS:
        raise ValueError("expected another pooling")
    batch, n, d = points.shape
    channels_first = h(points.reshape(batch * n, d)).reshape(batch, n, -1).mT
    if pooling == "max":
        return gamma(nn.functional.max_pool1d(channels_first, n).squeeze(-1))
    mean = nn.functional.adaptive_avg_pool1d(channels_first, 1)[..., 0]
    return gamma(mean * n if pooling == "sum" else mean)


def _sorted(points, h, gamma, *, pooling="max"):
    """The last of the sorted values is the largest; the cumulative sum ends in the sum."""
    if pooling not in POOLINGS or points.ndim != 3 or points.shape[1] == 0:
        raise ValueError("pooling or points are not as expected")
    features = h(points)
    if pooling == "max":
        return gamma(torch.sort(features, dim=1).values[:, -1])
    total = features.cumsum(dim=1)[:, -1]
    return gamma(total / points.shape[1]) if pooling == "mean" else gamma(total)


RIGHT = (
    Right("as the formula reads", _guarded(_plain)),
    Right("point by point", _point_by_point),
    Right("set by set", _set_by_set),
    Right("by layers of torch", _by_layers_of_torch),
    Right("sorted features", _sorted),
)

# Wrong, each with its name


def _other_pooling(change: Callable[[Tensor, str], Tensor]) -> Callable[..., Any]:
    """The right function with something else where the features are pooled."""
    return _guarded(lambda x, h, g, *, pooling: g(change(h(x), pooling)))


def _only_max(change: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
    """Sum and mean are right; something else stands in for the maximum."""
    return _other_pooling(lambda f, p: change(f) if p == "max" else pool(f, p))


def _always(pooling: str) -> Callable[..., Any]:
    return _other_pooling(lambda f, _: pool(f, pooling))


def _pool_first(points, h, gamma, *, pooling):
    return gamma(h(pool(points, pooling)))


def _over_the_features(points, h, gamma, *, pooling):
    return gamma(pool(h(points), pooling, axis=2))


def _gamma_at_every_point(points, h, gamma, *, pooling):
    answers = torch.stack([gamma(feature) for feature in h(points).unbind(1)], dim=1)
    return pool(answers, pooling)


def _centered(points, h, gamma, *, pooling):
    return _plain(points - points.mean(1, keepdim=True), h, gamma, pooling=pooling)


def _whole_batch(points, h, gamma, *, pooling):
    pooled = pool(h(points).flatten(0, 1)[None], pooling)
    return gamma(pooled).expand(len(points), -1)


def _across_the_batch(points, h, gamma, *, pooling):
    return gamma(pool(h(points), pooling, axis=0))


def _strongest_point(features: Tensor) -> Tensor:
    best = features.square().sum(2).argmax(1)
    return features[torch.arange(len(features)), best]


def _mistake(name: str, function: Callable[..., Any], sentence: str = "") -> Mistake:
    return Mistake(name, _guarded(function), sentence)


WRONG = (
    _mistake(
        "pool_first",
        _pool_first,
        "You pool the coordinates and give h a single point: all sets with the same pooled "
        "coordinates look alike. h comes first.",
    ),
    _mistake(
        "over_the_features",
        _over_the_features,
        "You pool over the features, so that one number is left of each point, and their order "
        "matters again. Pool over the points.",
    ),
    _mistake(
        "across_the_batch",
        _across_the_batch,
        "You pool over the batch: points of different sets are mixed. Which axis counts points?",
    ),
    _mistake(
        "whole_batch_as_one_set",
        _whole_batch,
        "Every set of the batch got the same answer: each has a pooled feature of its own.",
    ),
    _mistake(
        "gamma_at_every_point",
        _gamma_at_every_point,
        "γ is applied to every point and its answers are pooled; pool the features of h, and ask "
        "γ once for each set.",
    ),
    _mistake(
        "gamma_forgotten",
        lambda x, h, g, *, pooling: pool(h(x), pooling),
        "What came are the pooled features: γ has still to be applied to them.",
    ),
    _mistake(
        "not_pooled",
        lambda x, h, g, *, pooling: torch.stack([g(f) for f in h(x).unbind(1)], dim=1),
        "There is an answer for every point: nothing is pooled. One answer for each set is asked.",
    ),
    _mistake(
        "h_forgotten_for_the_mean",
        lambda x, h, g, *, pooling: g(
            h(pool(x, "mean")) if pooling == "mean" else pool(h(x), pooling)
        ),
        "With pooling='mean' the points are averaged before h: a mean of features is not the "
        "feature of the mean, unless h is affine.",
    ),
    Mistake(
        "always_max",
        _always("max"),
        "The option pooling does nothing: 'sum' and 'mean' give the maximum as well.",
    ),
    Mistake(
        "mean_for_max",
        _only_max(lambda f: f.mean(1)),
        "Looks like the mean of the features where their maximum was asked.",
    ),
    Mistake(
        "sum_for_max",
        _only_max(lambda f: f.sum(1)),
        "Looks like the sum of the features where their maximum was asked.",
    ),
    Mistake(
        "minimum",
        _only_max(lambda f: f.amin(1)),
        "Looks like the smallest value of each feature; the largest was asked.",
    ),
    Mistake(
        "largest_in_size",
        _only_max(lambda f: f.abs().amax(1)),
        "Looks like the largest absolute value: signs count, and −3 is smaller than 1.",
    ),
    Mistake(
        "positive_part",
        _only_max(lambda f: f.amax(1).clamp(min=0)),
        "Your maximum is never negative: it starts from 0. Where all values of a feature are "
        "negative the largest one is, too.",
    ),
    Mistake(
        "strongest_point",
        _only_max(_strongest_point),
        "You keep all features of one point, the one with the longest feature vector. Each "
        "feature looks for its own largest value.",
    ),
    Mistake(
        "first_point_only",
        _only_max(lambda f: f[:, 0]),
        "Only the first point counts in your answer: reorder the set and it changes.",
    ),
    Mistake(
        "soft_maximum",
        _only_max(lambda f: f.logsumexp(1)),
        "Looks like the logarithm of a sum of exponentials, a soft maximum that grows with the "
        "number of points. The maximum itself was asked.",
    ),
    Mistake(
        "sum_and_mean_exchanged",
        _other_pooling(lambda f, p: pool(f, {"sum": "mean", "mean": "sum"}.get(p, p))),
        "pooling='sum' takes the mean in your function, and 'mean' the sum: exchange them.",
    ),
    Mistake(
        "sum_for_mean",
        _other_pooling(lambda f, p: pool(f, "sum" if p == "mean" else p)),
        "With pooling='mean' your answer is that for the sum: divide by the number of points.",
    ),
    Mistake(
        "mean_for_sum",
        _other_pooling(lambda f, p: pool(f, "mean" if p == "sum" else p)),
        "With pooling='sum' your answer is that for the mean: adding a point a second time must "
        "count.",
    ),
    Mistake(
        "divided_by_the_features",
        _other_pooling(lambda f, p: f.sum(1) / f.shape[2] if p == "mean" else pool(f, p)),
        "With pooling='mean' you divide by the number of features; divide by that of the points.",
    ),
    _mistake(
        "centered_first",
        _centered,
        "Your answer does not change when a set is moved: the points look centered. Take them as "
        "they come.",
    ),
    *blunders(_guarded(_plain), but=("float32_inside",)),
    Mistake(
        "accepts_unknown_pooling",
        _guarded(_plain, known=False),
        "An unknown pooling was accepted in silence. Raise a ValueError that names the three that "
        "you know.",
    ),
    Mistake(
        "accepts_empty_set",
        _guarded(
            lambda x, h, g, *, pooling: g(pool(h(x), pooling)) if x.shape[1] else g(h(x).sum(1)),
            empty=False,
        ),
    ),
)
