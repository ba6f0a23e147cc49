"""Right ways to write `average_precision`, each written differently."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from mdcv.exercises.exercise import Right


def _by_steps(
    scores: Tensor, is_true_positive: Tensor, num_ground_truth: int, *, method: str = "all-point"
) -> Tensor:
    """As in the development kit of Pascal VOC: sentinels, an envelope from the back, steps."""
    if scores.ndim != 1 or scores.shape != is_true_positive.shape or torch.isnan(scores).any():
        raise ValueError("scores")
    if num_ground_truth < 1 or int(is_true_positive.sum()) > num_ground_truth:
        raise ValueError("num_ground_truth")
    order = np.argsort(-scores.numpy(), kind="stable")
    tp = np.cumsum(is_true_positive.numpy()[order])
    recall = tp / num_ground_truth
    precision = tp / np.arange(1, len(tp) + 1)
    if method == "11-point":
        levels = [precision[recall >= k / 10 - 1e-9] for k in range(11)]
        value = sum(level.max() if level.size else 0.0 for level in levels) / 11
    elif method == "all-point":
        mrec = np.concatenate(([0.0], recall, [1.0]))
        mpre = np.concatenate(([0.0], precision, [0.0]))
        for i in range(mpre.size - 1, 0, -1):
            mpre[i - 1] = np.maximum(mpre[i - 1], mpre[i])
        i = np.where(mrec[1:] != mrec[:-1])[0]
        value = np.sum((mrec[i + 1] - mrec[i]) * mpre[i + 1])
    else:
        raise ValueError(f"method {method!r}")
    return torch.tensor(float(value), dtype=scores.dtype)


def _by_fractions(scores, is_true_positive, num_ground_truth, *, method="all-point"):
    """Exact, in whole numbers."""
    values, hits = scores.tolist(), is_true_positive.tolist()
    if len(values) != len(hits) or any(v != v for v in values):
        raise ValueError("lengths, or NaN")
    if num_ground_truth < max(1, sum(hits)) or method not in ("all-point", "11-point"):
        raise ValueError("objects, or method")
    ranked = [hits[i] for i in sorted(range(len(values)), key=lambda i: (-values[i], i))]
    points = []
    for k in range(1, len(ranked) + 1):
        found = sum(ranked[:k])
        points.append((Fraction(found, num_ground_truth), Fraction(found, k)))

    def best(level: Fraction) -> Fraction:
        return max((p for r, p in points if r >= level), default=Fraction(0))

    if method == "11-point":
        total = sum(best(Fraction(k, 10)) for k in range(11)) / 11
    else:
        steps = range(1, num_ground_truth + 1)
        total = sum(best(Fraction(k, num_ground_truth)) for k in steps) / num_ground_truth
    return torch.tensor(float(total), dtype=torch.float64).to(scores.dtype)


def _by_tables(
    scores: Tensor, is_true_positive: Tensor, num_ground_truth: int, *, method: str = "all-point"
) -> Tensor:
    """One table: which cut reaches which level."""
    if scores.dim() != 1 or len(scores) != len(is_true_positive):
        raise ValueError("lengths")
    if not scores.isfinite().all() or num_ground_truth <= 0:
        raise ValueError("NaN, or nothing to find")
    hits = is_true_positive[torch.sort(scores, descending=True, stable=True)[1]].double().cumsum(0)
    if len(hits) and hits[-1] > num_ground_truth:
        raise ValueError("too many hits")
    if method == "all-point":
        level = torch.arange(1, num_ground_truth + 1).double() / num_ground_truth
    elif method == "11-point":
        level = torch.arange(11).double() / 10
    else:
        raise ValueError("method")
    precision = hits / (torch.arange(len(hits)) + 1)
    reaches = hits[None, :] / num_ground_truth - level[:, None] > -1e-7
    table = torch.cat([precision.new_zeros(len(level), 1), reaches * precision], dim=1)
    return table.amax(dim=1).mean().to(scores.dtype)


def _by_trapezoids(
    scores: Tensor, is_true_positive: Tensor, num_ground_truth: int, *, method: str = "all-point"
) -> Tensor:
    """Trapezoids from cut to cut are steps: just before a hit the envelope is as high as at it."""
    if scores.shape != is_true_positive.shape or method not in ("all-point", "11-point"):
        raise ValueError("lengths, or method")
    if bool(scores.isnan().any()) or not max(int(is_true_positive.sum()), 1) <= num_ground_truth:
        raise ValueError("NaN, or objects")
    order = sorted(range(len(scores)), key=lambda i: float(scores[i]), reverse=True)
    found = is_true_positive[order].cumsum(0)
    curve = (found.double() / torch.arange(1, len(order) + 1)).tolist()
    for k in range(len(curve) - 2, -1, -1):
        curve[k] = max(curve[k], curve[k + 1])
    if not curve:
        return scores.new_zeros(())
    if method == "11-point":
        reached = [(found * 10 >= k * num_ground_truth).nonzero().flatten() for k in range(11)]
        value = sum(curve[int(first[0])] for first in reached if len(first)) / 11
    else:
        recall = np.concatenate([[0.0], found.numpy() / num_ground_truth])
        value = np.trapezoid([curve[0], *curve], recall)
    return scores.new_tensor(value)


RIGHT = (
    Right("by steps", _by_steps),
    Right("by fractions", _by_fractions),
    Right("by tables", _by_tables),
    Right("by trapezoids", _by_trapezoids),
)
