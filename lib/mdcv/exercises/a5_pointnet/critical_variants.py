"""Right and wrong ways to write `critical_points`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mdcv import pointnet
from mdcv.exercises.exercise import Mistake, Right


def _guarded(
    function: Callable[[Tensor], Any], *, empty: bool = True, axes: bool = True, nan: bool = True
):
    """The function behind a door; its parts can be left open one by one."""

    def guarded(features: Tensor) -> Any:
        if axes and features.ndim != 3:
            raise ValueError(f"features have {features.ndim} axes; expected (B, N, K)")
        if empty and features.shape[-2] == 0:
            raise ValueError("a set without points")
        if nan and bool(features.isnan().any()):
            raise ValueError("a feature is NaN")
        return function(features)

    return guarded


def _marked(features: Tensor, indices: Tensor) -> Tensor:
    """True at the indices (B, K) of every set."""
    critical = torch.zeros(features.shape[:2], dtype=torch.bool)
    return critical.scatter(1, indices, True)


def _plain(features: Tensor) -> Tensor:
    return _marked(features, features.argmax(1))


class _Known:
    """A model that has nothing but the features of its points."""

    def point_features(self, features: Tensor) -> Tensor:
        return features


critical_points = _guarded(lambda features: pointnet.critical_points(_Known(), features))

# Right, written differently


def _feature_by_feature(features: Tensor) -> Tensor:
    if features.dim() != 3 or features.size(1) < 1 or torch.isnan(features).any():
        raise ValueError("no features of points")
    critical = torch.zeros(features.size(0), features.size(1), dtype=torch.bool)
    for b in range(features.size(0)):
        for k in range(features.size(2)):
            best = 0
            for i in range(1, features.size(1)):
                if features[b, i, k] > features[b, best, k]:
                    best = i
            critical[b, best] = True
    return critical


def _first_of_the_largest(features: Tensor) -> Tensor:
    """Attains the maximum, and none before it does."""
    if features.ndim != 3 or not features.shape[1] or not features.eq(features).all():
        raise ValueError("expected (B, N, K) without NaN")
    attains = features == features.amax(dim=1, keepdim=True)
    first = attains & (attains.cumsum(dim=1) == 1)
    return first.any(dim=2)


def _in_numpy(features: Tensor) -> Tensor:
    values = features.detach().numpy()
    if values.ndim != 3 or values.shape[1] == 0 or np.isnan(values).any():
        raise ValueError("expected (B, N, K)")
    critical = np.zeros(values.shape[:2], dtype=bool)
    critical[np.arange(len(values))[:, None], values.argmax(axis=1)] = True
    return torch.from_numpy(critical)


def _running(features: Tensor) -> Tensor:
    """As a stream: who raises the maximum takes the place, and may lose it again."""
    if features.ndim != 3 or features.shape[1] < 1 or features.isnan().any():
        raise ValueError("no features")
    holder = torch.zeros_like(features[:, 0], dtype=torch.int64)
    best = features[:, 0]
    for i in range(1, features.shape[1]):
        holder = torch.where(features[:, i] > best, i, holder)
        best = torch.maximum(best, features[:, i])
    return torch.nn.functional.one_hot(holder, features.shape[1]).sum(1) > 0


RIGHT = (
    Right("feature by feature", _feature_by_feature),
    Right("first of the largest", _first_of_the_largest),
    Right("in NumPy", _in_numpy),
    Right("as a stream", _running),
)

# Wrong, each with its name


def _last(features: Tensor) -> Tensor:
    return _marked(features, features.shape[1] - 1 - features.flip(1).argmax(1))


def _over_features(features: Tensor) -> Tensor:
    """The largest feature of every point, taken for a point."""
    return _marked(features, features.argmax(2).clamp(max=features.shape[1] - 1))


def _one_for_all(features: Tensor) -> Tensor:
    return _plain(features).any(0).expand(len(features), -1).clone()


def _first_set_only(features: Tensor) -> Tensor:
    return _plain(features)[:1].expand(len(features), -1).clone()


def _longest(features: Tensor) -> Tensor:
    """As many points as are critical, but those with the longest features."""
    count = _plain(features).sum(1)
    length = features.square().sum(2)
    order = length.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    return order < count[:, None]


def _every(features: Tensor) -> Tensor:
    return (features == features.amax(1, keepdim=True)).all(2)


def _without_zeros(features: Tensor) -> Tensor:
    value = features.amax(1)
    critical = torch.zeros(features.shape[:2], dtype=torch.bool)
    for b, k in (value != 0).nonzero().tolist():
        critical[b, features[b, :, k].argmax()] = True
    return critical


def _nearly(features: Tensor) -> Tensor:
    top = features.amax(1, keepdim=True)
    return (features >= top - 0.1 * top.abs()).any(2)


def _mistake(name: str, function: Callable[[Tensor], Any], sentence: str = "") -> Mistake:
    return Mistake(name, _guarded(function), sentence)


WRONG = (
    _mistake(
        "all_that_tie",
        lambda f: (f == f.amax(1, keepdim=True)).any(2),
        "Where several points attain a maximum you mark them all. One of them is enough to keep "
        "it, and the first was asked.",
    ),
    _mistake(
        "last_that_ties",
        _last,
        "Where several points attain a maximum you mark the last of them; the first was asked.",
    ),
    _mistake(
        "over_the_features",
        _over_features,
        "You look for the largest feature of each point. Each feature looks for its point: the "
        "maximum runs over the axis of the points.",
    ),
    _mistake(
        "smallest",
        lambda f: _marked(f, f.argmin(1)),
        "These points attain the minimum of a feature; the maximum was asked.",
    ),
    _mistake(
        "largest_in_size",
        lambda f: _marked(f, f.abs().argmax(1)),
        "Looks like the largest absolute value of each feature: signs count.",
    ),
    _mistake(
        "strongest_point",
        lambda f: _marked(f, f.square().sum(2).argmax(1, keepdim=True)),
        "One point of each set is marked, the one with the longest feature vector. Each feature "
        "has a maximum of its own.",
    ),
    _mistake(
        "longest_features",
        _longest,
        "The number of marked points is right, but they are those with the longest feature "
        "vectors. A short one that leads in a single feature is critical.",
    ),
    _mistake(
        "largest_sum",
        lambda f: _marked(f, f.sum(2).argmax(1, keepdim=True)),
        "One point of each set is marked, the one with the largest sum of features. Each feature "
        "has a maximum of its own.",
    ),
    _mistake(
        "best_in_every_feature",
        _every,
        "You mark a point only if it leads in every feature; one is enough.",
    ),
    _mistake(
        "first_feature_only",
        lambda f: _marked(f, f[:, :, :1].argmax(1)),
        "Only the first feature counts in your answer; each of them has a point.",
    ),
    _mistake(
        "one_set_for_all",
        _one_for_all,
        "All sets of the batch got the same answer, everybody's critical points together. Each "
        "has its own.",
    ),
    _mistake(
        "first_set_for_all",
        _first_set_only,
        "All sets of the batch got the answer of the first one.",
    ),
    _mistake(
        "turned_around",
        lambda f: ~_plain(f),
        "True and False are exchanged: you mark the points that can go.",
    ),
    _mistake(
        "without_zeros",
        _without_zeros,
        "Where the largest value is 0 you mark nobody. After a ReLU that happens, and the contract "
        "knows no exception: the first point attains it.",
    ),
    _mistake(
        "nearly_the_largest",
        _nearly,
        "You mark points that come close to a maximum as well. Removing them changes nothing.",
    ),
    _mistake(
        "indices_for_a_mask",
        lambda f: f.argmax(1),
        "What came are indices, one for each feature; a mask of True and False was asked, one "
        "entry for each point.",
    ),
    _mistake(
        "counts_for_a_mask",
        lambda f: torch.zeros(f.shape[:2], dtype=torch.int64).scatter_add(
            1, f.argmax(1), torch.ones_like(f.argmax(1))
        ),
        "What came counts the features in which each point leads; a mask of True and False was "
        "asked.",
    ),
    _mistake("wrong_dtype", lambda f: _plain(f).to(f.dtype)),
    _mistake(
        "changes_its_input",
        lambda f: (_plain(f), f.sub_(f.amax(1, keepdim=True)))[0],
    ),
    _mistake("returns_numpy", lambda f: _plain(f).numpy()),
    _mistake("returns_list", lambda f: _plain(f).tolist()),
    _mistake("returns_nothing", lambda f: None),
    _mistake(
        "float32_inside",
        lambda f: _plain(f.float()),
    ),
    Mistake(
        "accepts_empty_set",
        _guarded(
            lambda f: _plain(f) if f.shape[1] else torch.zeros(f.shape[:2], dtype=torch.bool),
            empty=False,
        ),
    ),
    Mistake("hides_nan", _guarded(_plain, nan=False)),
    Mistake(
        "accepts_wrong_axes",
        _guarded(lambda f: _plain(f) if f.ndim == 3 else _plain(f[None])[0], axes=False),
        "A tensor that does not have the three axes (B, N, K) was accepted; raise a ValueError.",
    ),
)
