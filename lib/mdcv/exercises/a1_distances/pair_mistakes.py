"""Mistakes that both losses on embeddings share: another distance, a missing door."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mdcv.exercises.a1_distances.guards import of_embeddings
from mdcv.exercises.a1_distances.pair_distances import (
    cosine,
    distance,
    expanded,
    largest_coordinate,
    manhattan,
    over_coordinates,
    own_root,
)
from mdcv.exercises.blunders import blunders
from mdcv.exercises.exercise import Mistake

Distance = Callable[[Tensor, Tensor], Tensor]


def _normalized(a: Tensor, b: Tensor) -> Tensor:
    normalize = torch.nn.functional.normalize
    return distance(normalize(a, dim=1), normalize(b, dim=1))


def shared_mistakes(loss_with: Callable[[Distance], Callable[..., Tensor]]) -> tuple[Mistake, ...]:
    """The shared mistakes, made from a loss that takes its distance as an argument."""

    def measured(name: str, by: Distance, sentence: str = "") -> Mistake:
        return Mistake(name, of_embeddings(loss_with(by)), sentence)

    right = loss_with(distance)
    return (
        measured("mean_over_coordinates", over_coordinates),
        measured("manhattan", manhattan),
        measured("largest_coordinate", largest_coordinate),
        measured(
            "cosine_distance",
            cosine,
            "Looks like one minus the cosine of the angle: the distance is Euclidean.",
        ),
        measured(
            "normalized_first",
            _normalized,
            "Looks as if the embeddings were normalized to length 1 first: take them as they come.",
        ),
        measured("cancellation", expanded),
        measured("nan_gradient", own_root),
        *blunders(of_embeddings(right)),
        Mistake("broadcasts_batches", of_embeddings(right, batch=False)),
        Mistake(
            "accepts_empty_batch",
            of_embeddings(right, empty=False),
            "An empty batch was accepted; a mean over nothing has no value. Raise a ValueError.",
        ),
        Mistake(
            "accepts_negative_margin",
            of_embeddings(right, margin=False),
            "A negative margin was accepted; it would ask nothing of anyone. Raise a ValueError.",
        ),
    )
