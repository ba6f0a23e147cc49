"""Choosing the triplets that still teach something, out of all that a batch holds."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mdcv.embedding.distances import check_embeddings
from mdcv.errors import check_finite, check_number, check_option


class Triplets(NamedTuple):
    """Rows of a batch: anchors, one of the anchor's kind each, and one of another kind each."""

    anchor: Tensor
    positive: Tensor
    negative: Tensor


def mine_triplets(
    embeddings: Float[Tensor, "b d"],
    labels: Int[Tensor, " b"],
    *,
    negatives: Literal["hardest", "semi-hard"] = "hardest",
    margin: float | int = 1.0,
) -> Triplets:
    """One triplet per anchor: its farthest positive, and a negative that is hard to tell apart.

    Anchors without a positive or a negative in the batch are left out. No gradient passes the
    choice; compute the loss on `embeddings[triplets.anchor]` and so on.

    Args:
        embeddings: a batch that holds several examples of several kinds.
        labels: the kind of each row.
        negatives: "hardest" takes the nearest negative. "semi-hard" takes the nearest one that is
            farther than the positive, where there is such a one within the margin, and else the
            hardest: early in training the hardest are mostly noise, and can pull all embeddings
            into one point.
        margin: up to how far beyond the positive a negative counts as semi-hard.

    Returns:
        Three index tensors of equal length, in the order of the anchors; ties go to the lowest
        index. Empty when no row has both a positive and a negative.

    Raises:
        ValueError: shapes do not fit, labels are not integers, an embedding is not finite, or an
            option is unknown.

    Source: Hermans, Beyer and Leibe 2017, arXiv:1703.07737, equation 5 ("batch hard"); Schroff and
    others 2015, arXiv:1503.03832, section 3.2 (semi-hard; there for every positive, here for the
    farthest).

    >>> line = torch.tensor([[0.0], [1.0], [3.0], [9.0]])
    >>> [index.tolist() for index in mine_triplets(line, torch.tensor([0, 0, 1, 1]))]
    [[0, 1, 2, 3], [1, 0, 3, 2], [2, 2, 1, 1]]
    """
    check_embeddings({"embeddings": embeddings})
    if not isinstance(labels, Tensor) or labels.dtype.is_floating_point or labels.is_complex():
        raise ValueError("labels are not a tensor of integers; expected a kind per row")
    if labels.shape != embeddings.shape[:1]:
        raise ValueError(
            f"labels has shape {tuple(labels.shape)}; expected ({len(embeddings)},), a kind per row"
        )
    check_finite("embeddings", embeddings)
    check_option("negatives", negatives, ("hardest", "semi-hard"))
    check_number("margin", margin)
    far = torch.inf
    with torch.no_grad():
        points = embeddings.double()
        d = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
        alike = labels[:, None] == labels[None, :]
        itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
        anchor = ((alike & ~itself).any(dim=1) & (~alike).any(dim=1)).nonzero()[:, 0]
        d, alike, itself = d[anchor], alike[anchor], itself[anchor]
        to_alike = d.masked_fill(~alike | itself, -far)
        farthest, positive = to_alike.amax(dim=1), to_alike.argmax(dim=1)
        to_others = d.masked_fill(alike, far)
        negative = to_others.argmin(dim=1)
        if negatives == "semi-hard":
            beyond = to_others.masked_fill(to_others <= farthest[:, None], far)
            within = beyond.amin(dim=1) < farthest + margin
            negative = torch.where(within, beyond.argmin(dim=1), negative)
    return Triplets(anchor, positive, negative)
