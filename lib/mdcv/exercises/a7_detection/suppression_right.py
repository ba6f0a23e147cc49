"""Right ways to write `nms`, each written differently."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mdcv.exercises.a7_detection.box_draws import overlaps
from mdcv.exercises.a7_detection.guards import is_table
from mdcv.exercises.exercise import Right


def _by_what_is_left(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """A shrinking list of indices, one table row at a time."""
    if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != (boxes.shape[0],):
        raise ValueError(f"shapes {tuple(boxes.shape)} and {tuple(scores.shape)}")
    if not 0 <= iou_threshold <= 1 or scores.isnan().any() or boxes.isnan().any():
        raise ValueError("threshold, or NaN")
    if (boxes[:, 2:] < boxes[:, :2]).any():
        raise ValueError("inverted")
    left = torch.sort(scores, descending=True, stable=True).indices
    keep = []
    while left.numel() > 0:
        best, left = left[0], left[1:]
        keep.append(best)
        left = left[overlaps(boxes[best][None], boxes[left])[0] <= iou_threshold]
    return torch.stack(keep) if keep else left


def _by_loops(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    if boxes.dim() != 2 or boxes.size(1) != 4 or tuple(scores.shape) != (len(boxes),):
        raise ValueError("expected (N, 4) and (N,)")
    if iou_threshold < 0 or iou_threshold > 1:
        raise ValueError("threshold")
    rows, values = boxes.tolist(), scores.tolist()
    if any(v != v for v in values) or not all(r[0] <= r[2] and r[1] <= r[3] for r in rows):
        raise ValueError("NaN, or an inverted box")

    def overlap(p: list[float], q: list[float]) -> float:
        width, height = min(p[2], q[2]) - max(p[0], q[0]), min(p[3], q[3]) - max(p[1], q[1])
        if width <= 0 or height <= 0:
            return 0.0
        both = (p[2] - p[0]) * (p[3] - p[1]) + (q[2] - q[0]) * (q[3] - q[1])
        return width * height / (both - width * height)

    kept: list[int] = []
    for i in sorted(range(len(rows)), key=lambda i: -values[i]):
        if not any(overlap(rows[i], rows[j]) > iou_threshold for j in kept):
            kept.append(i)
    return torch.tensor(kept, dtype=torch.long)


def _by_numpy(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """The classic of Fast R-CNN, without its pixel more."""
    dets, value = boxes.numpy(), scores.numpy()
    if dets.ndim != 2 or dets.shape[1] != 4 or value.shape != dets.shape[:1]:
        raise ValueError("shapes")
    if np.isnan(dets).any() or np.isnan(value).any() or not 0.0 <= iou_threshold <= 1.0:
        raise ValueError("NaN, or the threshold")
    x1, y1, x2, y2 = dets.T
    if (x2 < x1).any() or (y2 < y1).any():
        raise ValueError("inverted")
    area = (x2 - x1) * (y2 - y1)
    order, keep = np.argsort(-value, kind="stable"), []
    while order.size > 0:
        i, rest = order[0], order[1:]
        keep.append(int(i))
        width = np.maximum(0, np.minimum(x2[i], x2[rest]) - np.maximum(x1[i], x1[rest]))
        height = np.maximum(0, np.minimum(y2[i], y2[rest]) - np.maximum(y1[i], y1[rest]))
        inter = width * height
        order = rest[inter <= iou_threshold * (area[i] + area[rest] - inter)]
    return torch.tensor(keep, dtype=torch.int64)


def _by_a_fixed_point(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """All at once, again and again, until nobody's fate changes."""
    if not is_table(boxes) or scores.shape != boxes.shape[:1] or iou_threshold not in _Unit():
        raise ValueError("shapes, or the threshold")
    if not bool((boxes[:, 2:] >= boxes[:, :2]).all()) or bool(scores.ne(scores).any()):
        raise ValueError("inverted, or NaN")
    order = scores.argsort(descending=True, stable=True)
    ranked = boxes[order]
    beats = (overlaps(ranked, ranked) > iou_threshold).triu(diagonal=1)
    stays = torch.ones(len(boxes), dtype=torch.bool)
    while True:
        after = ~(beats & stays[:, None]).any(dim=0)
        if torch.equal(after, stays):
            return order[stays]
        stays = after


class _Unit:
    """The numbers from 0 to 1."""

    def __contains__(self, number: float) -> bool:
        return 0 <= number <= 1


RIGHT = (
    Right("by what is left", _by_what_is_left),
    Right("by loops", _by_loops),
    Right("by NumPy", _by_numpy),
    Right("by a fixed point", _by_a_fixed_point),
)
