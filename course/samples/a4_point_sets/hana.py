"""A loop that never ends: the set of picks stops growing as soon as it picks one again."""

import torch


def pairwise_distances(x, y):
    if x.ndim != 3 or y.ndim != 3 or x.shape[::2] != y.shape[::2]:
        raise ValueError("the shapes do not fit")
    return torch.linalg.vector_norm(x[:, :, None] - y[:, None], dim=-1)


def hausdorff_distance(x, y):
    table = pairwise_distances(x, y)
    if table.numel() == 0 and 0 in table.shape[1:]:
        raise ValueError("an empty cloud has no farthest point")
    return torch.maximum(table.amin(2).amax(1), table.amin(1).amax(1))


def farthest_point_sample(points, k, *, start=0):
    picks = []
    for cloud in points:
        chosen = {start}
        while len(chosen) < k:
            newest = max(chosen)
            distances = (cloud - cloud[newest]).norm(dim=1)
            chosen.add(int(distances.argmax()))
        picks.append(sorted(chosen))
    return torch.tensor(picks)
