"""Triangle meshes, and the three file formats that shapes are published in."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

#: File endings that `read_mesh` understands.
SUFFIXES = (".off", ".obj", ".ply")


class Mesh(NamedTuple):
    """Triangles: vertices (V, 3) float32, and faces (F, 3) int64 that name three vertices each."""

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


def read_mesh(path: str | Path) -> Mesh:
    """The triangles of an OFF, OBJ or PLY file, as they stand in the file.

    Polygons are cut into triangles; nothing else is changed: no vertex is merged, dropped or
    moved, no face is turned.

    Args:
        path: a file ending in .off, .obj or .ply, in capitals or not.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: another ending, a file that cannot be parsed, no faces, a coordinate that is
            not finite, or a face that names a vertex that does not exist.

    Source: ModelNet is published as OFF, ShapeNet as OBJ, scans mostly as PLY.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".off") as file:
    ...     _ = file.write("OFF\\n4 1 0\\n0 0 0\\n1 0 0\\n1 1 0\\n0 1 0\\n4 0 1 2 3\\n")
    ...     file.flush()
    ...     read_mesh(file.name).faces.shape    # a square becomes two triangles
    torch.Size([2, 3])
    """
    import trimesh

    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path} ends in {path.suffix!r}; expected one of {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not a file")
    try:
        with path.open("rb") as file:
            loaded = trimesh.load_mesh(
                file, file_type=suffix[1:], process=False, maintain_order=True
            )
        vertices = torch.as_tensor(loaded.vertices.copy(), dtype=torch.float32)
        faces = torch.as_tensor(loaded.faces.copy(), dtype=torch.int64)
    except Exception as error:  # a foreign parser fails in many ways; here they are one
        raise ValueError(f"{path} cannot be read as {suffix[1:].upper()}: {error}") from error
    _check(path, vertices, faces)
    return Mesh(vertices, faces)


def _check(path: Path, vertices: Tensor, faces: Tensor) -> None:
    if faces.numel() == 0:
        raise ValueError(f"{path} has no faces; expected a surface of triangles or polygons")
    if not bool(torch.isfinite(vertices).all()):
        raise ValueError(f"{path} has a vertex that is not finite; expected numbers")
    low, high = int(faces.min()), int(faces.max())
    if low < 0 or high >= len(vertices):
        wrong = low if low < 0 else high
        raise ValueError(
            f"{path} has a face that names vertex {wrong}; expected 0 to {len(vertices) - 1}"
        )
