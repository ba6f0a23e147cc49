"""The exercise `hausdorff_distance`."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.exercises.a4_point_sets.cloud_laws import set_laws
from mdcv.exercises.a4_point_sets.cloud_questions import CloudQuestions
from mdcv.exercises.a4_point_sets.tables import (
    between_centers,
    distances,
    expanded_squares,
    refusing,
    squares,
)
from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Exercise, Mistake, Part, Right
from mdcv.points import hausdorff_distance
from mdcv.points.norms import zero_safe_root

# Right, written differently


def _by_broadcasting(x: Tensor, y: Tensor) -> Tensor:
    if x.ndim != 3 or y.ndim != 3:
        raise ValueError("expected two tensors with three axes")
    if x.size(0) != y.size(0) or x.size(-1) != y.size(-1):
        raise ValueError("batch or dimension differ")
    if 0 in (x.size(1), y.size(1)):
        raise ValueError("empty set")
    table = (x.unsqueeze(2) - y.unsqueeze(1)).norm(dim=-1)
    return torch.maximum(table.amin(2).amax(1), table.amin(1).amax(1))


def _by_loops(x: Tensor, y: Tensor) -> Tensor:
    if x.dim() != 3 or y.dim() != 3 or len(x) != len(y) or x.shape[2] != y.shape[2]:
        raise ValueError(f"cannot compare {x.shape} with {y.shape}")
    if x.shape[1] < 1 or y.shape[1] < 1:
        raise ValueError("a set is empty")
    values = []
    for a, b in zip(x, y, strict=True):
        from_a = [torch.stack([torch.linalg.norm(p - q) for q in b]).min() for p in a]
        from_b = [torch.stack([torch.linalg.norm(p - q) for p in a]).min() for q in b]
        values.append(torch.stack(from_a + from_b).max())
    return torch.stack(values)


def _by_cdist(x: Tensor, y: Tensor) -> Tensor:
    both = (x.shape, y.shape)
    if any(len(shape) != 3 or shape[1] == 0 for shape in both) or x.shape[::2] != y.shape[::2]:
        raise ValueError(f"bad shapes {both}")
    table = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    nearest = torch.cat([table.min(dim=2).values, table.min(dim=1).values], dim=1)
    return nearest.max(dim=1).values


# Wrong, each with its name


def _right(x: Tensor, y: Tensor) -> Tensor:
    d = distances(x, y)
    return torch.maximum(d.amin(2).amax(1), d.amin(1).amax(1))


def _mean_for_max(x: Tensor, y: Tensor) -> Tensor:
    d = distances(x, y)
    return torch.maximum(d.amin(2).mean(1), d.amin(1).mean(1))


def _mean_of_all_points(x: Tensor, y: Tensor) -> Tensor:
    d = distances(x, y)
    return torch.cat([d.amin(2), d.amin(1)], dim=1).mean(1)


def _almost_the_worst(x: Tensor, y: Tensor) -> Tensor:
    d = distances(x, y)
    return torch.maximum(d.amin(2).quantile(0.95, dim=1), d.amin(1).quantile(0.95, dim=1))


def _x_to_y_only(x: Tensor, y: Tensor) -> Tensor:
    return distances(x, y).amin(2).amax(1)


def _y_to_x_only(x: Tensor, y: Tensor) -> Tensor:
    return distances(x, y).amin(1).amax(1)


def _smaller_direction(x: Tensor, y: Tensor) -> Tensor:
    return torch.minimum(_x_to_y_only(x, y), _y_to_x_only(x, y))


def _sum_of_directions(x: Tensor, y: Tensor) -> Tensor:
    return _x_to_y_only(x, y) + _y_to_x_only(x, y)


def _mean_of_directions(x: Tensor, y: Tensor) -> Tensor:
    return _sum_of_directions(x, y) / 2


def _squared(x: Tensor, y: Tensor) -> Tensor:
    return _right(x, y).square()


def _root_taken_twice(x: Tensor, y: Tensor) -> Tensor:
    return zero_safe_root(_right(x, y))


def _largest_distance(x: Tensor, y: Tensor) -> Tensor:
    return distances(x, y).amax((1, 2))


def _smallest_distance(x: Tensor, y: Tensor) -> Tensor:
    return distances(x, y).amin((1, 2))


def _max_then_min(x: Tensor, y: Tensor) -> Tensor:
    d = distances(x, y)
    return torch.maximum(d.amax(2).amin(1), d.amax(1).amin(1))


def _over_the_batch(x: Tensor, y: Tensor) -> Tensor:
    return _right(x, y).max().expand(len(x))


def _first_pair_for_all(x: Tensor, y: Tensor) -> Tensor:
    return _right(x[:1], y[:1]).expand(len(x))


def _of_nearest(table: Tensor) -> Tensor:
    return torch.maximum(table.amin(2).amax(1), table.amin(1).amax(1))


def _manhattan(x: Tensor, y: Tensor) -> Tensor:
    return _of_nearest((x[:, :, None] - y[:, None]).abs().sum(-1))


def _largest_coordinate(x: Tensor, y: Tensor) -> Tensor:
    return _of_nearest((x[:, :, None] - y[:, None]).abs().amax(-1))


def _mean_over_coordinates(x: Tensor, y: Tensor) -> Tensor:
    return zero_safe_root(_of_nearest(squares(x, y) / x.shape[2]))


def _index_aligned(x: Tensor, y: Tensor) -> Tensor:
    n = min(x.shape[1], y.shape[1])
    return torch.linalg.vector_norm(x[:, :n] - y[:, :n], dim=-1).amax(1)


def _expanded_square(x: Tensor, y: Tensor) -> Tensor:
    return zero_safe_root(_of_nearest(expanded_squares(x, y).clamp(min=0)))


def _own_root(x: Tensor, y: Tensor) -> Tensor:
    return _of_nearest(squares(x, y).sqrt())


def _zero_for_empty(x: Tensor, y: Tensor) -> Tensor:
    if x.shape[1] == 0 or y.shape[1] == 0:
        return x.new_zeros(len(x))
    return _right(x, y)


def _broadcast(x: Tensor, y: Tensor) -> Tensor:
    return _of_nearest(distances(x, y))


QUESTIONS = CloudQuestions(summed=False)

HAUSDORFF_DISTANCE = Exercise(
    name="hausdorff_distance",
    contract=(
        "hausdorff_distance(x, y) returns, for every pair of the batch, the larger of the two "
        "one-sided distances max over x of min over y |x - y| and max over y of min over x "
        "|x - y|: Euclidean, not squared. Empty sets, unequal batches or dimensions: ValueError."
    ),
    reference=hausdorff_distance,
    parts=(
        Part("values", 0.5, lambda draw: QUESTIONS.plain(draw, {}, {}), is_value=True),
        Part("hard places", 0.15, lambda draw: QUESTIONS.hard(draw, {})),
        Part("gradient", 0.15, lambda draw: QUESTIONS.gradients(draw, {})),
        Part("bad input", 0.15, QUESTIONS.refusals),
    ),
    right=(
        Right("by broadcasting", _by_broadcasting),
        Right("by loops", _by_loops),
        Right("by cdist", _by_cdist),
    ),
    wrong=(
        Mistake(
            "mean_for_max",
            refusing(_mean_for_max),
            "Looks like an average over the points: Hausdorff is the worst point, not the average.",
        ),
        Mistake(
            "mean_of_all_points",
            refusing(_mean_of_all_points),
            "Looks like one mean over the points of both sets: Hausdorff is the worst point.",
        ),
        Mistake(
            "almost_the_worst",
            refusing(_almost_the_worst),
            "Looks like the 95th percentile, the robust variant: Hausdorff is the worst point "
            "itself.",
        ),
        Mistake("centers_of_the_sets", refusing(between_centers)),
        Mistake(
            "x_to_y_only",
            refusing(_x_to_y_only),
            "Looks like the direction from x to y alone: d(X, Y) ≠ d(Y, X); take the larger of "
            "both.",
        ),
        Mistake(
            "y_to_x_only",
            refusing(_y_to_x_only),
            "Looks like the direction from y to x alone: d(X, Y) ≠ d(Y, X); take the larger of "
            "both.",
        ),
        Mistake(
            "smaller_direction",
            refusing(_smaller_direction),
            "Looks like the smaller of the two directions: a subset would be at distance 0.",
        ),
        Mistake(
            "sum_of_directions",
            refusing(_sum_of_directions),
            "Looks like the sum of the two directions: that is Chamfer's way; Hausdorff takes "
            "the larger.",
        ),
        Mistake(
            "mean_of_directions",
            refusing(_mean_of_directions),
            "Looks like the average of the two directions; Hausdorff takes the larger one.",
        ),
        Mistake(
            "squared",
            refusing(_squared),
            "Looks like the squared distance; take the root.",
        ),
        Mistake(
            "root_taken_twice",
            refusing(_root_taken_twice),
            "Looks like the root of the distance: the norm has taken it already.",
        ),
        Mistake(
            "largest_distance",
            refusing(_largest_distance),
            "Looks like the largest of all distances: first the nearest point (min), then the "
            "worst (max).",
        ),
        Mistake(
            "smallest_distance",
            refusing(_smallest_distance),
            "Looks like the smallest of all distances: after the nearest point (min) comes the "
            "worst (max).",
        ),
        Mistake(
            "max_then_min",
            refusing(_max_then_min),
            "Looks like min and max exchanged: the inner one is the nearest point (min).",
        ),
        Mistake(
            "over_the_batch",
            refusing(_over_the_batch),
            "Every pair got one value, the worst of the whole batch: reduce over points only.",
        ),
        Mistake("first_pair_for_all", refusing(_first_pair_for_all)),
        Mistake("manhattan", refusing(_manhattan)),
        Mistake("largest_coordinate", refusing(_largest_coordinate)),
        Mistake("mean_over_coordinates", refusing(_mean_over_coordinates)),
        Mistake(
            "index_aligned",
            refusing(_index_aligned),
            "Looks like the i-th point of x against the i-th of y: each point looks for its "
            "nearest.",
        ),
        Mistake("cancellation", refusing(_expanded_square)),
        Mistake("nan_gradient", refusing(_own_root)),
        *blunders(refusing(_right)),
        Mistake("accepts_empty_set", refusing(_zero_for_empty, empty=False)),
        Mistake("broadcasts_batches", refusing(_broadcast, batch=False)),
    ),
    laws=set_laws(),
    points=4,
)
