"""Farthest point sampling: each new point is the one farthest from all chosen before."""

from __future__ import annotations

import torch
from torch import Tensor

from mdcv.kernels.arithmetic import refuse_infinite, squared_distances


def farthest_points_reference(points: Tensor, k: int, start: int) -> Tensor:
    """Indices (B, k) into points (B, N, D), the first `start`; ties go to the lower index.

    A chosen point's distance is set below zero, so that no index comes twice, duplicates or not.
    """
    batch = torch.arange(points.shape[0], device=points.device)
    chosen = torch.full(batch.shape, start, device=points.device)
    to_nearest_chosen = points.new_full(points.shape[:2], torch.inf)
    picks = []
    for _ in range(k):
        picks.append(chosen)
        newest = points[batch, chosen].unsqueeze(1)
        to_newest = squared_distances(newest, points).squeeze(1)
        to_nearest_chosen = torch.minimum(to_nearest_chosen, to_newest)
        to_nearest_chosen[batch, chosen] = -1.0
        chosen = to_nearest_chosen.argmax(dim=1)
    return torch.stack(picks, dim=1)


@torch.library.custom_op("mdcv::farthest_points", mutates_args=())
def pick_farthest_points(points: Tensor, k: int, start: int) -> Tensor:
    """Indices as the reference gives them; points in float32 or float64, finite or refused."""
    refuse_infinite("points", points)
    if points.device.type == "cpu" and points.numel():
        from mdcv.kernels.farthest_points_cpu import farthest_points_cpu

        return farthest_points_cpu(points.detach(), k, start)
    if points.device.type == "cuda" and points.numel():
        from mdcv.kernels.farthest_points_gpu import farthest_points_gpu

        return farthest_points_gpu(points.detach(), k, start)
    return farthest_points_reference(points, k, start)


@pick_farthest_points.register_fake
def _(points: Tensor, k: int, start: int) -> Tensor:
    return points.new_empty((points.shape[0], k), dtype=torch.int64)
