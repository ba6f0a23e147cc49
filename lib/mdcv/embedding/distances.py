"""Distances between paired embeddings, and the door in front of every loss on them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.errors import check_same_kind, check_tensor
from mdcv.kernels.arithmetic import widened


def paired_distances(a: Float[Tensor, "b d"], b: Float[Tensor, "b d"]) -> Float[Tensor, " b"]:
    """Euclidean distance between the rows of a and the rows of b, computed in float32 at least.

    `vector_norm` has gradient 0 where two rows coincide; a root of one's own has NaN there.

    >>> paired_distances(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2))
    tensor([5.])
    """
    return torch.linalg.vector_norm(widened(a) - widened(b), dim=1)


def check_embeddings(embeddings: dict[str, Tensor]) -> None:
    """Refuses anything but batches of embeddings of one shape (B, D) and kind, with B >= 1.

    >>> check_embeddings({"a": torch.zeros(3, 2), "b": torch.zeros(1, 2)})
    Traceback (most recent call last):
    ValueError: b has shape (1, 2); expected (3, 2) as a has
    """
    (first, model), *others = embeddings.items()
    for name, value in embeddings.items():
        check_tensor(name, value, ndim=2, layout="(B, D)")
    if 0 in model.shape:
        raise ValueError(
            f"{first} has shape {tuple(model.shape)}; expected at least one embedding (B, D)"
        )
    for name, value in others:
        if value.shape != model.shape:
            raise ValueError(
                f"{name} has shape {tuple(value.shape)}; expected {tuple(model.shape)} as "
                f"{first} has"
            )
        check_same_kind(name, value, first, model)
