"""The contrastive loss: pull pairs of one kind together, push others apart up to a margin."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mdcv.embedding.distances import check_embeddings, paired_distances
from mdcv.errors import check_number


def contrastive_loss(
    a: Float[Tensor, "b d"],
    b: Float[Tensor, "b d"],
    same: Bool[Tensor, " b"],
    *,
    margin: float | int = 1.0,
) -> Float[Tensor, ""]:
    """Contrastive loss of a batch of pairs: the mean over the pairs.

    ½ d²  for a pair of one kind,  ½ max(0, m − d)²  for two of different kinds,  d = |a − b|

    Two springs: one that always pulls, and one that pushes until the pair is a margin apart. A
    different pair beyond the margin costs nothing and gets no gradient.

    Args:
        a, b: embeddings, row by row the two sides of a pair.
        same: True where both sides are of one kind.
        margin: in the unit of the embeddings, at least 0.

    Returns:
        A scalar >= 0. Its gradient is 0 where the two embeddings of a different pair coincide,
        since no direction is better than another; NaN where an embedding is NaN.

    Raises:
        ValueError: shapes, dtypes or devices differ, the batch is empty, `same` is not boolean of
            shape (B,), or the margin is negative or not a finite number.

    Source: Hadsell, Chopra and LeCun 2006, equation 4. Their label says 1 for different pairs, and
    they sum where we average.

    >>> a, b = torch.zeros(2, 2), torch.tensor([[0.6, 0.8], [0.0, 0.4]])
    >>> contrastive_loss(a, b, torch.tensor([True, False]))  # (½ · 1² + ½ · 0.6²) / 2
    tensor(0.3400)
    """
    check_embeddings({"a": a, "b": b})
    if not isinstance(same, Tensor) or same.dtype != torch.bool or same.shape != a.shape[:1]:
        came = f"{same.dtype} {tuple(same.shape)}" if isinstance(same, Tensor) else type(same)
        raise ValueError(f"same is {came}; expected a boolean tensor ({len(a)},)")
    check_number("margin", margin)
    d = paired_distances(a, b)
    per_pair = torch.where(same, d, (margin - d).clamp(min=0)).square() / 2
    return per_pair.mean().to(a.dtype)
