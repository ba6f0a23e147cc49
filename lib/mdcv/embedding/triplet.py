"""The triplet loss: an anchor shall be nearer to its own kind than to any other, by a margin."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from mdcv.embedding.distances import check_embeddings, paired_distances
from mdcv.errors import check_number


def triplet_loss(
    anchor: Float[Tensor, "b d"],
    positive: Float[Tensor, "b d"],
    negative: Float[Tensor, "b d"],
    *,
    margin: float | int = 1.0,
) -> Float[Tensor, ""]:
    """Triplet loss of a batch: the mean over all triplets, those that cost nothing included.

    max(0, |a − p| − |a − n| + m)

    Only differences of distances count: nothing asks two of a kind to coincide.

    Args:
        anchor, positive, negative: embeddings; row by row the positive is of the anchor's kind and
            the negative is not.
        margin: in the unit of the embeddings, at least 0.

    Returns:
        A scalar >= 0, with a finite gradient also where embeddings coincide; NaN where one is NaN.

    Raises:
        ValueError: shapes, dtypes or devices differ, the batch is empty, or the margin is negative
            or not a finite number.

    Source: Weinberger and Saul 2009; Schroff, Kalenichenko and Philbin 2015, arXiv:1503.03832,
    equation 3. Both square the distances; we follow the plain form of Hermans, Beyer and Leibe
    2017, arXiv:1703.07737, equation 3.

    >>> a = torch.zeros(1, 1)
    >>> triplet_loss(a, a + 2.0, a + 2.5), triplet_loss(a, a + 2.0, a + 9.0)
    (tensor(0.5000), tensor(0.))
    """
    check_embeddings({"anchor": anchor, "positive": positive, "negative": negative})
    check_number("margin", margin)
    gap = paired_distances(anchor, positive) - paired_distances(anchor, negative) + margin
    return gap.clamp(min=0).mean().to(anchor.dtype)
