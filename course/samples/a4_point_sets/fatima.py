"""Gave every triangle the same number of points, whatever its area."""

import torch


def pairwise_distances(x, y):
    if x.ndim != 3 or y.ndim != 3 or x.shape[0] != y.shape[0] or x.shape[2] != y.shape[2]:
        raise ValueError("expected (B, N, D) and (B, M, D)")
    return (x[:, :, None, :] - y[:, None, :, :]).norm(dim=-1)


def sample_surface(vertices, faces, n, *, generator=None):
    if vertices.ndim != 2 or vertices.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3:
        raise ValueError("expected (V, 3) and (F, 3)")
    if faces.numel() and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise ValueError("a face points outside the vertices")
    a, b, c = vertices[faces].unbind(1)
    area = torch.linalg.cross(b - a, c - a).norm(dim=1)
    if not area.sum() > 0:
        raise ValueError("no area")
    face = torch.randint(len(faces), (n,), generator=generator)
    uv = torch.rand(n, 2, generator=generator, dtype=vertices.dtype)
    uv = torch.where(uv.sum(1, keepdim=True) > 1, 1 - uv, uv)
    u, v = uv[:, :1], uv[:, 1:]
    return a[face] + u * (b[face] - a[face]) + v * (c[face] - a[face])
