"""Some right answers in a file that broke off on its way."""

import torch

DAMAGE = "cut in half"


def pairwise_distances(x, y):
    if x.ndim != 3 or y.ndim != 3 or x.shape[::2] != y.shape[::2]:
        raise ValueError("the shapes do not fit")
    return torch.linalg.vector_norm(x[:, :, None] - y[:, None], dim=-1)
