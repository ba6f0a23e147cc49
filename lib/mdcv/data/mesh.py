"""A surface as a mesh of triangles."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Mesh(NamedTuple):
    """Triangles: vertices (V, 3), in float32 when read or meshed here, and faces (F, 3) int64."""

    vertices: Tensor
    faces: Tensor

    def area(self) -> float:
        """The sum of the triangles' areas.

        >>> Mesh(torch.eye(3), torch.tensor([[0, 1, 2]])).area()    # an equilateral triangle
        0.866025...
        """
        a, b, c = self.vertices.double()[self.faces].unbind(dim=1)
        return float(torch.linalg.vector_norm(torch.linalg.cross(b - a, c - a), dim=-1).sum() / 2)

    def volume(self) -> float:
        """The enclosed volume of a closed mesh, positive when its normals point outward.

        >>> from mdcv.data import sphere
        >>> round(sphere(radius=0.5).mesh(64).volume(), 3)    # π / 6
        0.523
        """
        a, b, c = self.vertices.double()[self.faces].unbind(dim=1)
        return float((a * torch.linalg.cross(b, c)).sum() / 6)
