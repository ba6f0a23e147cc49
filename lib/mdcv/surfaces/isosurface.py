"""From a field on a grid to the mesh of one of its level surfaces."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.data import Mesh
from mdcv.errors import check_tensor
from mdcv.kernels.marching_cubes import march_cubes

Triple = Sequence[float | int] | Float[Tensor, "3"]


def marching_cubes(
    volume: Float[Tensor, "x y z"],
    level: float | int = 0.0,
    *,
    spacing: Triple = (1.0, 1.0, 1.0),
    origin: Triple = (0.0, 0.0, 0.0),
) -> Mesh:
    """The mesh of the surface on which a field, known at the nodes of a grid, equals the level.

    Inside is where the field is below the level, as for a signed distance; a node exactly at the
    level is outside. A grid edge from an inside value a to an outside value b carries one vertex,
    at the share (level − a) / (b − a) of its length, which all triangles around it share. So the
    mesh is closed and every edge belongs to two triangles, but where the surface runs into the
    border of the volume: there it is left open. Pad the volume with a value above the level to
    close it.

    Where a face of a cell has two opposite corners inside, they stay apart, here and in the
    neighbor, so that no crack opens. The topology is that of this rule; a trilinear interpolation
    of the field may join what stays apart here.

    Args:
        volume: the field, volume[i, j, k] at origin + spacing · (i, j, k); two nodes or more along
            each axis. Half precision is worked on in float32.
        level: in the field's unit.
        spacing: the distance between nodes along each axis.
        origin: where node (0, 0, 0) stands, in the unit of the spacing.

    Returns:
        Vertices (V, 3) in the volume's dtype, and faces (F, 3) that wind counterclockwise seen
        from outside, so that the normals point to larger values. Where a node is exactly at the
        level, several vertices may stand on it and triangles may have no area. No vertices and no
        faces where all values are on one side. The vertices have a gradient in the volume.

    Raises:
        ValueError: not three axes, fewer than two nodes along one, an entry that is not finite,
            a spacing that is not positive, or a level or origin that is not finite.

    Source: Lorensen and Cline 1987, "Marching cubes: a high resolution 3D surface construction
    algorithm". The cases are not theirs: see `mdcv.kernels.marching_cubes_table`.

    >>> volume = torch.ones(3, 3, 3)
    >>> volume[1, 1, 1] = -1.0
    >>> vertices, faces = marching_cubes(volume, origin=(-1.0, -1.0, -1.0))
    >>> vertices.shape, faces.shape, vertices.abs().sum(dim=1).unique()    # an octahedron
    (torch.Size([6, 3]), torch.Size([8, 3]), tensor([0.5000]))
    """
    check_tensor("volume", volume, ndim=3, layout="(X, Y, Z)")
    if min(volume.shape) < 2:
        raise ValueError(
            f"volume has shape {tuple(volume.shape)}; expected at least two nodes along each axis"
        )
    (level,) = _numbers("level", [level])
    spacing, origin = _numbers("spacing", spacing, count=3), _numbers("origin", origin, count=3)
    if min(spacing) <= 0:
        raise ValueError(f"spacing is {spacing}; expected three positive numbers")
    field = volume.to(torch.promote_types(volume.dtype, torch.float32))
    height = torch.tensor(level, dtype=field.dtype, device=field.device)
    edges, faces = march_cubes(field, height)
    vertices = _crossings(field, height, edges)
    place = {"dtype": field.dtype, "device": field.device}
    vertices = vertices * torch.tensor(spacing, **place) + torch.tensor(origin, **place)
    return Mesh(vertices.to(volume.dtype), faces)


def _crossings(field: Tensor, height: Tensor, edges: Tensor) -> Tensor:
    """Where the field reaches the height on each edge, in steps of the grid, with a gradient."""
    _, rows, length = field.shape
    start, axis = edges // 3, edges % 3
    stride = torch.where(axis == 0, rows * length, torch.where(axis == 1, length, 1))
    values = field.flatten()
    at_start = values[start]
    share = (height - at_start) / (values[start + stride] - at_start)
    node = torch.stack([start // (rows * length), start // length % rows, start % length], dim=1)
    along = torch.nn.functional.one_hot(axis, 3)
    return node.to(field.dtype) + along * share.unsqueeze(1)


def _numbers(name: str, values: Iterable[object], *, count: int = 1) -> tuple[float, ...]:
    try:
        numbers = tuple(float(value) for value in values)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{name} is {values!r}; expected finite numbers, {count} in all")
    return numbers
