"""Right ways to write `sample_surface`, each written differently."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from mdcv.exercises.exercise import Right


def _by_folding(
    vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None
) -> Tensor:
    if vertices.ndim != 2 or faces.ndim != 2 or vertices.shape[1] != 3 or faces.shape[1] != 3:
        raise ValueError("expected (V, 3) and (F, 3)")
    if faces.numel() and (int(faces.min()) < 0 or int(faces.max()) >= vertices.shape[0]):
        raise ValueError("a face names a vertex that is not there")
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    area = torch.linalg.cross(b - a, c - a).norm(dim=1)
    if not area.sum() > 0:
        raise ValueError("no area")
    drawn = torch.multinomial(area, n, replacement=True, generator=generator)
    u, v = torch.rand(2, n, 1, generator=generator, dtype=vertices.dtype)
    fold = u + v > 1
    u, v = torch.where(fold, 1 - u, u), torch.where(fold, 1 - v, v)
    return a[drawn] + u * (b - a)[drawn] + v * (c - a)[drawn]


def _by_exponentials(
    vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None
) -> Tensor:
    """Corner weights from a flat Dirichlet: exponential numbers divided by their sum."""
    if tuple(vertices.shape[1:]) != (3,) or tuple(faces.shape[1:]) != (3,):
        raise ValueError(f"{tuple(vertices.shape)} and {tuple(faces.shape)}")
    if len(faces) == 0 or not bool(((faces >= 0) & (faces < len(vertices))).all()):
        raise ValueError("no faces, or a bad index")
    corners = vertices[faces]
    sides = corners[:, 1:] - corners[:, :1]
    gram = sides @ sides.mT
    area = gram.det().clamp(min=0).sqrt()
    flat = area <= 1e-6 * gram.diagonal(dim1=1, dim2=2).sum(1)
    area = torch.where(flat, 0.0, area)
    if not bool(area.isfinite().all() and area.sum() > 0):
        raise ValueError("no area")
    until = area.double().cumsum(0)
    spot = torch.rand(n, dtype=torch.float64, generator=generator) * until[-1]
    drawn = torch.bucketize(spot, until, right=True).clamp(max=len(area) - 1)
    weights = -torch.rand(n, 3, dtype=torch.float64, generator=generator).log()
    weights = (weights / weights.sum(1, keepdim=True)).to(vertices.dtype)
    return (weights[:, :, None] * corners[drawn]).sum(1)


def _by_loops(
    vertices: Tensor, faces: Tensor, n: int, *, generator: Generator | None = None
) -> Tensor:
    """Point by point, with rejection in place of folding."""
    if vertices.dim() != 2 or vertices.size(1) != 3 or faces.dim() != 2 or faces.size(1) != 3:
        raise ValueError("bad shapes")
    corners, total, until = [], 0.0, []
    for face in faces.tolist():
        if min(face) < 0 or max(face) >= len(vertices):
            raise ValueError(f"no such vertex: {face}")
        a, b, c = (vertices[i].double() for i in face)
        total += torch.linalg.cross(b - a, c - a).norm().item() / 2
        until.append(total)
        corners.append((a.tolist(), (b - a).tolist(), (c - a).tolist()))
    if not total > 0:
        raise ValueError("no area at all")
    numbers = iter(torch.rand(8 * n + 99, dtype=torch.float64, generator=generator).tolist())
    points = []
    for _ in range(n):
        spot = next(numbers) * total
        a, ab, ac = corners[next(i for i, edge in enumerate(until) if spot < edge)]
        u, v = next(numbers), next(numbers)
        while u + v > 1:
            u, v = next(numbers), next(numbers)
        points.append([p + u * q + v * r for p, q, r in zip(a, ab, ac, strict=True)])
    return torch.tensor(points, dtype=vertices.dtype)


RIGHT = (
    Right("by folding", _by_folding),
    Right("by exponentials", _by_exponentials),
    Right("by loops", _by_loops),
)
