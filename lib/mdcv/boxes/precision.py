"""Average precision: how good a ranked list of detections is, over all places to cut it."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mdcv.errors import check_integer, check_no_nan, check_option, check_tensor

Method = Literal["11-point", "101-point", "all-point"]

METHODS: tuple[str, ...] = ("11-point", "101-point", "all-point")


def precision_recall(
    scores: Float[Tensor, " n"], is_true_positive: Bool[Tensor, " n"], num_ground_truth: int
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Precision and recall after the k best detections, for k = 1, 2, …, N.

    precision = hits / k,  recall = hits / num_ground_truth

    Detections are ranked by score; equal scores keep their order, and each is a step of its own.
    Precision is as it comes, without the envelope that `average_precision` lays over it.

    Args:
        scores: one per detection, higher is surer.
        is_true_positive: whether each detection is a hit; one object is hit once at most.
        num_ground_truth: how many objects there are to find, found or not.

    Returns:
        Two tensors (N,) in the dtype of the scores, computed in float64; recall never falls.

    Raises:
        ValueError: as for `average_precision`.

    >>> import torch
    >>> scores, hits = torch.tensor([0.9, 0.8, 0.7]), torch.tensor([False, True, True])
    >>> precision_recall(scores, hits, 4)
    (tensor([0.0000, 0.5000, 0.6667]), tensor([0.0000, 0.2500, 0.5000]))
    """
    hits = _ranked_hits(scores, is_true_positive, num_ground_truth).cumsum(0)
    precision, recall = _precision(hits), hits.double() / num_ground_truth
    return precision.to(scores.dtype), recall.to(scores.dtype)


def average_precision(
    scores: Float[Tensor, " n"],
    is_true_positive: Bool[Tensor, " n"],
    num_ground_truth: int,
    *,
    method: Method = "all-point",
) -> Float[Tensor, ""]:
    """Average precision of detections ranked by score; equal scores keep their order.

    After the k best detections, precision = hits / k and recall = hits / num_ground_truth. The
    interpolated precision at a recall r is the greatest precision at any recall >= r, so that
    it never rises with recall.

    all-point: the area under the interpolated precision, recall from 0 to 1
    11-point: its mean at recall 0, 0.1, …, 1, exact tenths
    101-point: its mean at recall 0, 0.01, …, 1, in float64 as COCO's code has them

    Args:
        scores: one per detection, higher is surer.
        is_true_positive: whether each detection is a hit; one object is hit once at most.
        num_ground_truth: how many objects there are to find, found or not.

    Returns:
        From 0 to 1, in the dtype of the scores, computed in float64; 0 without detections.

    Raises:
        ValueError: shapes do not fit, a score is NaN, num_ground_truth is below 1 or below the
            number of hits, or the method is unknown.

    Source: Everingham et al. 2010, "The Pascal Visual Object Classes Challenge", section 4.2
    (11-point); its development kit from 2010 on (all-point); `pycocotools` (101-point).

    >>> import torch
    >>> scores, hits = torch.tensor([0.9, 0.8, 0.7]), torch.tensor([False, True, True])
    >>> average_precision(scores, hits, 2)
    tensor(0.6667)
    """
    check_option("method", method, METHODS)
    ranked = _ranked_hits(scores, is_true_positive, num_ground_truth)
    return interpolated_area(ranked, num_ground_truth, method).to(scores.dtype)


def interpolated_area(ranked: Tensor, num_ground_truth: int, method: Method) -> Tensor:
    """Average precision in float64 of hits (N,) in ranked order."""
    if ranked.numel() == 0:
        return torch.zeros((), dtype=torch.float64, device=ranked.device)
    hits = ranked.cumsum(0)
    envelope = _precision(hits).flip(0).cummax(0).values.flip(0)
    if method == "all-point":
        # Recall rises by 1 / num_ground_truth at every hit, and nowhere else.
        return envelope[ranked].sum() / num_ground_truth
    if method == "11-point":
        # hits / num_ground_truth >= level / 10, in whole numbers.
        levels = torch.arange(11, device=hits.device) * num_ground_truth
        first = torch.searchsorted(hits * 10, levels)
    else:
        # COCO divides: 35 hits of 100 miss its level 35, which is 0.35 and a rounding error.
        levels = torch.arange(101, dtype=torch.float64, device=hits.device) * 0.01
        first = torch.searchsorted(hits.double() / num_ground_truth, levels)
    return torch.cat([envelope, envelope.new_zeros(1)])[first].mean()


def _ranked_hits(scores: Tensor, is_true_positive: Tensor, num_ground_truth: int) -> Tensor:
    check_tensor("scores", scores, ndim=1, layout="(N,)")
    if not isinstance(is_true_positive, Tensor) or is_true_positive.dtype != torch.bool:
        came = getattr(is_true_positive, "dtype", type(is_true_positive).__name__)
        raise ValueError(f"is_true_positive is {came}; expected a tensor of torch.bool")
    if is_true_positive.shape != scores.shape or is_true_positive.device != scores.device:
        raise ValueError(
            f"is_true_positive has shape {tuple(is_true_positive.shape)} on "
            f"{is_true_positive.device}; expected {tuple(scores.shape)} on {scores.device}"
        )
    check_integer("num_ground_truth", num_ground_truth, low=1)
    check_no_nan("scores", scores)
    hits = int(is_true_positive.sum())
    if hits > num_ground_truth:
        raise ValueError(
            f"is_true_positive holds {hits} hits, num_ground_truth is {num_ground_truth}; "
            "expected each object to be hit once at most"
        )
    return is_true_positive[scores.argsort(descending=True, stable=True)]


def _precision(hits: Tensor) -> Tensor:
    return hits.double() / torch.arange(1, len(hits) + 1, device=hits.device)
