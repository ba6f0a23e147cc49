"""The exercise `segment_points`: every point is told about the whole shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mdcv.exercises.a5_pointnet.set_function import layers
from mdcv.exercises.blunders import blunders
from mdcv.exercises.cases import Draw, Made, transposed_layout
from mdcv.exercises.exercise import Case, Exercise, Mistake, Part, Refusal, Right

Network = Callable[[Tensor], Tensor]


def _guarded(function: Callable[[Tensor, Network], Any], *, empty: bool = True, axes: bool = True):
    """The function behind a door; `empty` and `axes` off let others through."""

    def guarded(features: Tensor, head: Network) -> Any:
        if axes and features.ndim != 3:
            raise ValueError(f"features have {features.ndim} axes; expected (B, N, K)")
        if empty and features.shape[-2] == 0:
            raise ValueError("a set without points")
        return function(features, head)

    return guarded


def _joined(features: Tensor, whole: Tensor, head: Network) -> Tensor:
    """The head's answer to each point's features followed by some feature (B, 1, K)."""
    return head(torch.cat([features, whole.expand_as(features)], dim=2))


def _plain(features: Tensor, head: Network) -> Tensor:
    return _joined(features, features.amax(1, keepdim=True), head)


segment_points = _guarded(_plain)

# Right, written differently


def _point_by_point(features: Tensor, head: Network) -> Tensor:
    if features.dim() != 3 or features.size(1) < 1:
        raise ValueError("expected features of points")
    whole = features.max(dim=1).values
    points = [torch.hstack([features[:, i], whole]) for i in range(features.size(1))]
    return torch.stack([head(point) for point in points], dim=1)


def _in_one_list(features: Tensor, head: Network) -> Tensor:
    """All points of all sets in one list."""
    if features.ndim != 3 or not features.shape[1]:
        raise ValueError("expected (B, N, K)")
    batch, n, k = features.shape
    whole = features.mT.max(dim=-1)[0].repeat_interleave(n, dim=0)
    return head(torch.cat((features.reshape(-1, k), whole), 1)).view(batch, n, -1)


def _written_into_place(features: Tensor, head: Network) -> Tensor:
    if features.ndim != 3 or features.shape[1] == 0:
        raise ValueError("expected a set")
    k = features.shape[2]
    both = features.new_empty(*features.shape[:2], 2 * k)
    both[..., :k] = features
    both[..., k:] = features.amax(dim=1)[:, None]
    return head(both)


RIGHT = (
    Right("point by point", _point_by_point),
    Right("in one list", _in_one_list),
    Right("written into place", _written_into_place),
)

# Wrong, each with its name


def _with_whole(whole: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
    """The right function with something else for the feature of the whole set."""
    return _guarded(lambda f, head: _joined(f, whole(f), head))


def _scrambled(features: Tensor, head: Network) -> Tensor:
    """The global features repeated in the order of `repeat`, not of `repeat_interleave`."""
    batch, n, k = features.shape
    whole = features.amax(1).repeat(n, 1).reshape(batch, n, k)
    return head(torch.cat([features, whole], dim=2))


def _extra_point(features: Tensor, head: Network) -> Tensor:
    whole = features.amax(1, keepdim=True)
    both = torch.cat([features, whole], dim=1)
    return head(torch.cat([both, both], dim=2))


WRONG = (
    Mistake(
        "sees_only_itself",
        _with_whole(lambda f: f.clone()),
        "No point sees the whole shape: the second half of what the head gets is the point's own "
        "features again. The same global feature belongs to every point of a set.",
    ),
    Mistake(
        "zeros_for_the_whole",
        _with_whole(torch.zeros_like),
        "No point sees the whole shape: where the global feature belongs there are zeros.",
    ),
    Mistake(
        "whole_first",
        _guarded(lambda f, head: head(torch.cat([f.amax(1, keepdim=True).expand_as(f), f], dim=2))),
        "The global feature comes first in your pairs; the head expects the point's own features "
        "first.",
    ),
    Mistake(
        "only_the_whole",
        _guarded(
            lambda f, head: _joined(
                f.amax(1, keepdim=True).expand_as(f), f.amax(1, keepdim=True), head
            )
        ),
        "All points of a set get the same logits: none of them brings its own features along.",
    ),
    Mistake(
        "added",
        _guarded(
            lambda f, head: _joined(f + f.amax(1, keepdim=True), f.amax(1, keepdim=True), head)
        ),
        "The global feature is added to the point's own; they stand side by side.",
    ),
    Mistake(
        "mean_for_max",
        _with_whole(lambda f: f.mean(1, keepdim=True)),
        "Your global feature looks like a mean over the points; the maximum was asked.",
    ),
    Mistake(
        "sum_for_max",
        _with_whole(lambda f: f.sum(1, keepdim=True)),
        "Your global feature looks like a sum over the points; the maximum was asked.",
    ),
    Mistake(
        "minimum",
        _with_whole(lambda f: f.amin(1, keepdim=True)),
        "Your global feature holds the smallest values; the maximum was asked.",
    ),
    Mistake(
        "largest_in_size",
        _with_whole(lambda f: f.abs().amax(1, keepdim=True)),
        "Your global feature holds the largest absolute values: signs count.",
    ),
    Mistake(
        "over_the_features",
        _with_whole(lambda f: f.amax(2, keepdim=True)),
        "You take the maximum over the features of each point: that is no word about the others. "
        "Pool over the points.",
    ),
    Mistake(
        "over_the_batch",
        _with_whole(lambda f: f.amax(0, keepdim=True)),
        "You take the maximum over the batch: points of different sets are mixed.",
    ),
    Mistake(
        "whole_batch",
        _with_whole(lambda f: f.amax((0, 1), keepdim=True)),
        "All sets of the batch share one global feature; each has its own.",
    ),
    Mistake(
        "first_point_for_the_whole",
        _with_whole(lambda f: f[:, :1]),
        "The first point stands in for the whole set: reorder the points and the logits change.",
    ),
    Mistake(
        "neighbor_in_the_list",
        _with_whole(lambda f: f.roll(1, 1)),
        "Each point sees the one before it in the list, and that order means nothing.",
    ),
    Mistake(
        "repeated_in_another_order",
        _guarded(_scrambled),
        "Some points get the global feature of another set: repeat runs through the batch in "
        "another order than reshape expects.",
    ),
    Mistake(
        "whole_as_a_point",
        _guarded(_extra_point),
        "There is one more point than came in: the global feature joins the features of each "
        "point, not the list of points.",
    ),
    Mistake(
        "head_forgotten",
        _guarded(lambda f, head: torch.cat([f, f.amax(1, keepdim=True).expand_as(f)], dim=2)),
        "What came are the joined features: the head has still to be applied to them.",
    ),
    Mistake(
        "one_answer_for_the_set",
        _guarded(lambda f, head: _plain(f, head).amax(1)),
        "One answer came for each set; every point has logits of its own.",
    ),
    Mistake(
        "probabilities",
        _guarded(lambda f, head: _plain(f, head).softmax(2)),
        "Your answers are probabilities; the head's logits were asked as they are.",
    ),
    Mistake(
        "whole_detached",
        _with_whole(lambda f: f.amax(1, keepdim=True).detach()),
        "No gradient flows back through the global feature: the points that lead in it learn "
        "nothing from the others.",
    ),
    *blunders(_guarded(_plain), but=("float32_inside",)),
    Mistake(
        "accepts_empty_set",
        _guarded(
            lambda f, head: _plain(f, head) if f.shape[1] else head(torch.cat([f, f], dim=2)),
            empty=False,
        ),
    ),
    Mistake(
        "accepts_wrong_axes",
        _guarded(
            lambda f, head: _plain(f, head) if f.ndim == 3 else _plain(f[None], head)[0], axes=False
        ),
        "A tensor that does not have the three axes (B, N, K) was accepted; raise a ValueError.",
    ),
)


def _head(draw: Draw, k: int, parts: int, *, dtype: torch.dtype = torch.float64) -> Made:
    return Made("point_network", layers=layers(draw, 2 * k, 8, parts, dtype=dtype))


def _case(kind: str, features: Tensor, head: Made, **options: Any) -> Case:
    batch, n, k = features.shape
    return Case(f"{kind}{batch} sets of {n} points with {k} features", (features, head), **options)


def _values(draw: Draw) -> list[Case]:
    sizes = ((2, 7, 3, 5), (3, 5, 7, 2), (4, 9, 5, 3))
    return [_case("", draw.tensor(b, n, k), _head(draw, k, parts)) for b, n, k, parts in sizes]


def _hard(draw: Draw) -> list[Case]:
    head, single = _head(draw, 4, 3), _head(draw, 4, 3, dtype=torch.float32)
    strided = transposed_layout(draw.tensor(3, 7, 4))
    return [
        _case("all negative: ", -1 - draw.uniform(2, 7, 4), head),
        _case("a single point: ", draw.tensor(3, 1, 4), head),
        _case("a batch of one: ", draw.tensor(1, 6, 4), head),
        _case("as many points as features: ", draw.tensor(4, 4, 4), head),
        _case("float32: ", draw.tensor(2, 5, 4, dtype=torch.float32), single),
        _case("not contiguous: ", strided, head, suspicion="needs_contiguous_input"),
    ]


def _gradients(draw: Draw) -> list[Case]:
    return [
        _case("", draw.tensor(2, 7, 4), _head(draw, 4, 3), gradient="value"),
        _case("", draw.tensor(3, 5, 2), _head(draw, 2, 5), gradient="value"),
    ]


def _refusals(draw: Draw) -> list[Refusal]:
    features, head = draw.tensor(2, 7, 4), _head(draw, 4, 3)
    return [
        Refusal("sets without points", (features[:, :0], head), "accepts_empty_set"),
        Refusal("features without a batch axis", (features[0], head), "accepts_wrong_axes"),
    ]


SEGMENT_POINTS = Exercise(
    name="segment_points",
    contract=(
        "segment_points(features, head) returns logits (B, N, P), one row for every point: what "
        "head, a network on the last axis from 2K to P numbers, says about each point's own "
        "features (B, N, K) followed by the global feature of its set, their maximum over the "
        "points. Sets without points, other axes: ValueError."
    ),
    reference=segment_points,
    parts=(
        Part("logits", 0.55, _values, is_value=True),
        Part("hard places", 0.15, _hard),
        Part("gradient", 0.15, _gradients),
        Part("bad input", 0.1, _refusals),
    ),
    right=RIGHT,
    wrong=WRONG,
    points=4,
)
