"""Ends the whole process where an error was meant: the kernel dies in one question."""

import os

import torch


def pairwise_distances(x, y):
    if x.ndim != 3 or y.ndim != 3 or x.shape[0] != y.shape[0] or x.shape[2] != y.shape[2]:
        raise ValueError("the shapes do not fit")
    return torch.linalg.vector_norm(x[:, :, None] - y[:, None], dim=-1)


def hausdorff_distance(x, y):
    if x.shape[1] != y.shape[1]:
        print("sizes differ, stop here")
        os._exit(1)
    table = pairwise_distances(x, y)
    return torch.maximum(table.amin(2).amax(1), table.amin(1).amax(1))


def chamfer_distance(x, y, *, squared=True, reduction="sum", one_sided=False):
    if reduction not in ("sum", "mean"):
        raise ValueError("reduction is 'sum' or 'mean'")
    table = pairwise_distances(x, y)
    if 0 in table.shape[1:]:
        raise ValueError("empty")
    table = table.square() if squared else table
    forth, back = table.amin(2), table.amin(1)
    both = [forth] if one_sided else [forth, back]
    return sum(side.sum(1) if reduction == "sum" else side.mean(1) for side in both)
