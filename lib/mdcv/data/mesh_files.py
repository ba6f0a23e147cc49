"""Reading meshes: OFF (ModelNet), OBJ (ShapeNet) and PLY (scans), strictly.

These readers are our own because the usual ones repair in silence: a truncated file comes back
with fewer faces, a vertex shared by two materials comes back twice, and the OBJ index 0, which
does not exist, comes back as some other vertex. A wrong file is refused here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import torch

from mdcv.data.mesh import Mesh
from mdcv.data.ply import read_ply

#: What a reader finds: positions, and polygons of three or more vertex indices.
Polygons = tuple[Sequence[Sequence[float]], Sequence[Sequence[int]]]


def read_mesh(path: str | Path) -> Mesh:
    """The triangles of an OFF, OBJ or PLY file, vertices and faces in the order of the file.

    A polygon of k corners becomes k − 2 triangles that fan out from its first corner, which is
    exact for convex ones. Nothing else is changed: no vertex is merged, dropped or moved, no face
    is turned. Colors, normals, texture and materials are passed over.

    Args:
        path: a file ending in .off, .obj or .ply, in capitals or not.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: another ending, a file that breaks its format or stops early, no faces, a
            coordinate that is not finite, or a face that names a vertex that does not exist.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".off") as file:
    ...     _ = file.write("OFF\\n4 1 0\\n0 0 0\\n1 0 0\\n1 1 0\\n0 1 0\\n4 0 1 2 3\\n")
    ...     file.flush()
    ...     read_mesh(file.name).faces    # a square becomes two triangles
    tensor([[0, 1, 2],
            [0, 2, 3]])
    """
    path = Path(path)
    if path.suffix.lower() not in _READERS:
        raise ValueError(f"{path} ends in {path.suffix!r}; expected one of {', '.join(_READERS)}")
    content = path.read_bytes()
    try:
        positions, polygons = _READERS[path.suffix.lower()](content)
        return _mesh(positions, polygons)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _mesh(positions: Sequence[Sequence[float]], polygons: Sequence[Sequence[int]]) -> Mesh:
    """Triangles in place of polygons, and what no format may hold is refused."""
    for polygon in polygons:
        if len(polygon) < 3:
            raise ValueError(f"a face has {len(polygon)} corners; expected three or more")
    triangles = [(p[0], b, c) for p in polygons for b, c in pairwise(p[1:])]
    if not triangles:
        raise ValueError("the file has no faces; expected a surface of triangles or polygons")
    vertices = torch.tensor(positions, dtype=torch.float32).reshape(-1, 3)
    faces = torch.tensor(triangles, dtype=torch.int64)
    if not bool(torch.isfinite(vertices).all()):
        raise ValueError("a vertex is not finite; expected three numbers")
    low, high = int(faces.min()), int(faces.max())
    if low < 0 or high >= len(vertices):
        wrong = low if low < 0 else high
        raise ValueError(f"a face names vertex {wrong}; expected 0 to {len(vertices) - 1}")
    return Mesh(vertices, faces)


def _lines(content: bytes) -> Iterator[list[str]]:
    """The words of each line that has any, without comments."""
    for line in content.decode("utf-8", errors="replace").splitlines():
        if words := line.split("#")[0].split():
            yield words


def _read_off(content: bytes) -> Polygons:
    """A head with the counts, then a line per vertex and a line per face with its corner count."""
    lines = list(_lines(content))
    if not lines or "OFF" not in lines[0][0]:
        raise ValueError("the file does not begin with OFF")
    # ModelNet glues the counts to the word in some files: "OFF4 2 0".
    head = [word for word in [lines[0][0].partition("OFF")[2], *lines[0][1:]] if word]
    counts, start = (head, 1) if head else (lines[1] if len(lines) > 1 else [], 2)
    if len(counts) < 2:
        raise ValueError("the counts of vertices and faces are missing")
    vertex_count, face_count = int(counts[0]), int(counts[1])
    body = lines[start:]
    if len(body) != vertex_count + face_count:
        raise ValueError(
            f"{vertex_count} vertices and {face_count} faces are announced, "
            f"but {len(body)} lines follow"
        )
    positions = [_position(words) for words in body[:vertex_count]]
    polygons = []
    for words in body[vertex_count:]:
        corners = int(words[0])
        if len(words) < 1 + corners:
            raise ValueError(f"a face announces {corners} corners and has {len(words) - 1}")
        polygons.append([int(word) for word in words[1 : 1 + corners]])
    return positions, polygons


def _read_obj(content: bytes) -> Polygons:
    """Lines "v x y z" and "f i j k ...", counted from 1, or from the end where negative."""
    positions: list[list[float]] = []
    polygons: list[list[int]] = []
    for words in _lines(content.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")):
        if words[0] == "v":
            positions.append(_position(words[1:]))
        elif words[0] == "f":
            # A corner is vertex/texture/normal; only the first number matters here.
            numbers = [int(word.split("/")[0]) for word in words[1:]]
            if 0 in numbers:
                raise ValueError("a face names vertex 0; OBJ counts from 1")
            polygons.append([n - 1 if n > 0 else len(positions) + n for n in numbers])
    return positions, polygons


def _position(words: list[str]) -> list[float]:
    if len(words) < 3:
        raise ValueError(f"a vertex has {len(words)} coordinates; expected three")
    return [float(word) for word in words[:3]]


_READERS: dict[str, Callable[[bytes], Polygons]] = {
    ".off": _read_off,
    ".obj": _read_obj,
    ".ply": read_ply,
}
