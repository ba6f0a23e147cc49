"""The exercise `pairwise_distances`."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from mdcv.exercises.a4_point_sets.cloud_questions import CloudQuestions
from mdcv.exercises.a4_point_sets.tables import distances, expanded_squares, refusing, squares
from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Exercise, Mistake, Part, Right
from mdcv.points import pairwise_distances
from mdcv.points.norms import zero_safe_root

# Right, written differently


def _by_broadcasting(x: Tensor, y: Tensor) -> Tensor:
    if x.ndim != 3 or y.ndim != 3:
        raise ValueError(f"expected three axes, not {x.ndim} and {y.ndim}")
    if x.size(0) != y.size(0) or x.size(2) != y.size(2):
        raise ValueError(f"{tuple(x.shape)} does not fit {tuple(y.shape)}")
    return (x.unsqueeze(2) - y.unsqueeze(1)).norm(dim=3)


def _by_loops(x: Tensor, y: Tensor) -> Tensor:
    if not len(x.shape) == len(y.shape) == 3 or x.shape[::2] != y.shape[::2]:
        raise ValueError("expected (B, N, D) and (B, M, D)")
    table = x.new_zeros(x.shape[0], x.shape[1], y.shape[1])
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            for j in range(y.shape[1]):
                table[b, i, j] = torch.linalg.norm(x[b, i] - y[b, j])
    return table


def _by_coordinates(x: Tensor, y: Tensor) -> Tensor:
    """One coordinate at a time; the root keeps away from zero."""
    if x.dim() != 3 or y.dim() != 3 or (x.shape[0], x.shape[2]) != (y.shape[0], y.shape[2]):
        raise ValueError(f"shapes {x.shape} and {y.shape}")
    total = torch.zeros(x.shape[0], x.shape[1], y.shape[1], dtype=x.dtype)
    for d in range(x.shape[2]):
        total = total + (x[:, :, None, d] - y[:, None, :, d]) ** 2
    coincide = total == 0
    return torch.where(coincide, 0.0, torch.sqrt(torch.where(coincide, 1.0, total)))


def _by_cdist(x: Tensor, y: Tensor) -> Tensor:
    if {x.ndim, y.ndim} != {3}:
        raise ValueError("not two batches of clouds")
    for axis in (0, 2):
        if x.shape[axis] != y.shape[axis]:
            raise ValueError(f"axis {axis}: {x.shape[axis]} and {y.shape[axis]}")
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


# Wrong, each with its name

_door = partial(refusing, empty=False)


def _squared(x: Tensor, y: Tensor) -> Tensor:
    return squares(x, y)


def _transposed(x: Tensor, y: Tensor) -> Tensor:
    return distances(y, x)


def _manhattan(x: Tensor, y: Tensor) -> Tensor:
    return (x[:, :, None] - y[:, None]).abs().sum(-1)


def _largest_coordinate(x: Tensor, y: Tensor) -> Tensor:
    return (x[:, :, None] - y[:, None]).abs().amax(-1)


def _mean_over_coordinates(x: Tensor, y: Tensor) -> Tensor:
    return zero_safe_root(squares(x, y) / x.shape[2])


def _sum_before_square(x: Tensor, y: Tensor) -> Tensor:
    return (x.sum(2)[:, :, None] - y.sum(2)[:, None]).abs()


def _biased_root(x: Tensor, y: Tensor) -> Tensor:
    return (squares(x, y) + 1e-6).sqrt()


def _first_pair_for_all(x: Tensor, y: Tensor) -> Tensor:
    return distances(x[:1], y[:1]).expand(len(x), -1, -1)


def _neighboring_pairs(x: Tensor, y: Tensor) -> Tensor:
    return distances(x, y.roll(1, dims=0))


def _flattened(x: Tensor, y: Tensor) -> Tensor:
    return distances(x, y).flatten(1)


def _nearest_only(x: Tensor, y: Tensor) -> Tensor:
    return distances(x, y).amin(2)


def _first_two_coordinates(x: Tensor, y: Tensor) -> Tensor:
    return distances(x[..., :2], y[..., :2])


def _plus_for_minus(x: Tensor, y: Tensor) -> Tensor:
    return distances(x, -y)


def _dot_product(x: Tensor, y: Tensor) -> Tensor:
    return x @ y.mT


def _angle(x: Tensor, y: Tensor) -> Tensor:
    return 1 - torch.nn.functional.cosine_similarity(x[:, :, None], y[:, None], dim=3)


def _each_centered(x: Tensor, y: Tensor) -> Tensor:
    return distances(x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True))


def _expanded_square(x: Tensor, y: Tensor) -> Tensor:
    return zero_safe_root(expanded_squares(x, y).clamp(min=0))


def _own_root(x: Tensor, y: Tensor) -> Tensor:
    return squares(x, y).sqrt()


def _x_detached(x: Tensor, y: Tensor) -> Tensor:
    return distances(x.detach(), y)


QUESTIONS = CloudQuestions(summed=False, empty=False)

PAIRWISE_DISTANCES = Exercise(
    name="pairwise_distances",
    contract=(
        "pairwise_distances(x, y) returns the Euclidean distance from every point of x (B, N, D) "
        "to every point of y (B, M, D): shape (B, N, M). Accurate far from the origin, with a "
        "finite gradient where points coincide. Unequal batches or dimensions: ValueError."
    ),
    reference=pairwise_distances,
    parts=(
        Part("values", 0.45, lambda draw: QUESTIONS.plain(draw, {}, {}), is_value=True),
        Part("hard places", 0.2, lambda draw: QUESTIONS.hard(draw, {})),
        Part("gradient", 0.2, lambda draw: QUESTIONS.gradients(draw, {})),
        Part("bad input", 0.1, QUESTIONS.refusals),
    ),
    right=(
        Right("by broadcasting", _by_broadcasting),
        Right("by loops", _by_loops),
        Right("by coordinates", _by_coordinates),
        Right("by cdist", _by_cdist),
    ),
    wrong=(
        Mistake(
            "squared",
            _door(_squared),
            "Looks like squared distances: the root is missing.",
        ),
        Mistake(
            "transposed",
            _door(_transposed),
            "The table lies on its side: rows belong to x, columns to y.",
        ),
        Mistake("manhattan", _door(_manhattan)),
        Mistake("largest_coordinate", _door(_largest_coordinate)),
        Mistake("mean_over_coordinates", _door(_mean_over_coordinates)),
        Mistake(
            "sum_before_square",
            _door(_sum_before_square),
            "Looks like coordinates added first and squared afterwards: square each one first.",
        ),
        Mistake(
            "biased_root",
            _door(_biased_root),
            "The guard under your root moves the value: coincident points are not at distance 0.",
        ),
        Mistake("first_pair_for_all", _door(_first_pair_for_all)),
        Mistake(
            "neighboring_pairs",
            _door(_neighboring_pairs),
            "Each cloud of x is measured against another batch element's y.",
        ),
        Mistake(
            "flattened",
            _door(_flattened),
            "The numbers are right, but in one row per pair of clouds; keep the axes N and M.",
        ),
        Mistake(
            "nearest_only",
            _door(_nearest_only),
            "Looks like the nearest distance of each point; the whole table was asked.",
        ),
        Mistake("first_two_coordinates", _door(_first_two_coordinates)),
        Mistake(
            "plus_for_minus",
            _door(_plus_for_minus),
            "Looks like |x + y|: the points are added where they should be subtracted.",
        ),
        Mistake(
            "dot_product",
            _door(_dot_product),
            "Looks like dot products: they are no distances. Subtract, then take the length.",
        ),
        Mistake(
            "cosine",
            _door(_angle),
            "Looks like a cosine distance: it knows directions only; the distance is Euclidean.",
        ),
        Mistake(
            "each_centered",
            _door(_each_centered),
            "Each cloud is moved to its own center before the distances are taken; use one "
            "center for both, or none.",
        ),
        Mistake("cancellation", _door(_expanded_square)),
        Mistake("nan_gradient", _door(_own_root)),
        Mistake("gradient_of_one_input", _door(_x_detached)),
        *blunders(_door(distances)),
        Mistake("broadcasts_batches", _door(distances, batch=False)),
    ),
    points=4,
)
