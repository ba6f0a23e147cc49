"""Right ways to write `match_anchors`, each written differently."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mdcv.exercises.a7_detection.box_draws import overlaps
from mdcv.exercises.a7_detection.guards import has_no_nan, is_table, is_upright
from mdcv.exercises.exercise import Right


def _in_the_way_of_torchvision(
    anchors: Tensor, objects: Tensor, *, high=0.7, low=0.3, keep_best=True
) -> Tensor:
    if anchors.dim() != 2 or objects.dim() != 2 or anchors.size(1) != 4 or objects.size(1) != 4:
        raise ValueError("shapes")
    if low > high or low < 0 or high > 1:
        raise ValueError("thresholds")
    if not is_upright(anchors) or not is_upright(objects) or not has_no_nan(anchors, objects):
        raise ValueError("inverted, or NaN")
    if objects.numel() == 0:
        return torch.full((len(anchors),), -1, dtype=torch.int64)
    if anchors.numel() == 0:
        return torch.zeros(0, dtype=torch.int64)
    quality = overlaps(objects, anchors)
    values, matches = quality.max(dim=0)
    all_matches = matches.clone()
    matches[values < low] = -1
    matches[(values >= low) & (values < high)] = -2
    if keep_best:
        best, _ = quality.max(dim=1)
        _, found = torch.where((quality == best[:, None]) & (best[:, None] > 0))
        matches[found] = all_matches[found]
    return matches


def _by_loops(anchors: Tensor, objects: Tensor, *, high=0.7, low=0.3, keep_best=True) -> Tensor:
    if not 0 <= low <= high <= 1 or not is_table(anchors) or not is_table(objects):
        raise ValueError("thresholds, or shapes")
    for x1, y1, x2, y2 in [*anchors.tolist(), *objects.tolist()]:
        if not (x1 <= x2 and y1 <= y2):
            raise ValueError("inverted, or NaN")
    table = overlaps(anchors, objects).tolist()
    champions = [max((row[j] for row in table), default=0.0) for j in range(len(objects))]
    result = []
    for row in table:
        best = max(row, default=0.0)
        if row and best >= high:
            result.append(row.index(best))
        elif keep_best and any(v == c and v > 0 for v, c in zip(row, champions, strict=True)):
            result.append(row.index(best))
        else:
            result.append(-1 if best < low or not row else -2)
    return torch.tensor(result, dtype=torch.int64)


def _by_numpy(anchors: Tensor, objects: Tensor, *, high=0.7, low=0.3, keep_best=True) -> Tensor:
    if anchors.shape[1:] != (4,) or objects.shape[1:] != (4,):
        raise ValueError("shapes")
    if not low <= high or low < 0 or high > 1:
        raise ValueError("thresholds")
    both = np.concatenate([anchors.numpy(), objects.numpy()])
    if np.isnan(both).any() or (both[:, :2] > both[:, 2:]).any():
        raise ValueError("inverted, or NaN")
    table = np.zeros((len(anchors), len(objects) + 1))
    table[:, :-1] = overlaps(anchors, objects).numpy()
    best, index = table.max(axis=1), table.argmax(axis=1)
    positive = (best >= high) & (len(objects) > 0)
    if keep_best and len(anchors) and len(objects):
        champion = table[:, :-1].max(axis=0)
        positive |= ((table[:, :-1] == champion) & (champion > 0)).any(axis=1)
    negative = np.where((best < low) | (len(objects) == 0), -1, -2)
    return torch.from_numpy(np.where(positive, index, negative))


RIGHT = (
    Right("in the way of torchvision", _in_the_way_of_torchvision),
    Right("by loops", _by_loops),
    Right("by NumPy", _by_numpy),
)
