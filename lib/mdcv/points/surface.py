"""Points drawn uniformly over the area of a triangle mesh."""

from __future__ import annotations

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from mdcv.errors import check_finite, check_integer, check_tensor
from mdcv.kernels.arithmetic import widened

#: |u × v| below this share of |u| |v| is rounding, not area.
ROUNDING = 4 * torch.finfo(torch.float64).eps


def sample_surface(
    vertices: Float[Tensor, "v 3"],
    faces: Integer[Tensor, "f 3"],
    n: int,
    *,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "n 3"]:
    """n points drawn independently and uniformly over the area of a triangle mesh.

    A face is drawn with probability area / total area; in it, with u, v uniform in [0, 1),

    p = a + √u (1 - v) (b - a) + √u v (c - a)

    The root is what makes the density even: without it the points crowd at a. The points have a
    gradient with respect to the vertices, the draw being held fixed.

    Args:
        vertices: corners, in any unit.
        faces: three vertex indices each; the order of corners does not matter.
        n: how many points, 0 or more.
        generator: on the vertices' device; None means that device's default generator.

    Returns:
        In the unit, dtype and on the device of the vertices.

    Raises:
        ValueError: no face has any area, an index is negative or beyond the vertices, a coordinate
            is NaN or infinite, or shapes, dtypes or devices are not as described.

    Source: Osada, Funkhouser, Chazelle and Dobkin 2002, "Shape distributions", section 4.2.

    >>> vertices = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    >>> points = sample_surface(vertices, torch.tensor([[0, 1, 2]]), 5)
    >>> points.shape, bool((points[:, 2] == 1).all()), bool((points[:, :2].sum(dim=1) <= 1).all())
    (torch.Size([5, 3]), True, True)
    """
    _check_mesh(vertices, faces)
    check_integer("n", n, low=0)
    if generator is not None and generator.device.type != vertices.device.type:
        raise ValueError(f"generator is on {generator.device}; expected {vertices.device}")

    faces = faces.long()
    area = _doubled_areas(vertices.detach().double()[faces])
    if not (area > 0).any():
        raise ValueError(f"none of the {len(faces)} faces has any area; expected at least one")
    faces, area = faces[area > 0], area[area > 0]

    # In float64, so that the last of a million faces still gets its share.
    until = area.cumsum(dim=0)
    face, u, v = torch.rand(
        3, n, dtype=torch.float64, device=vertices.device, generator=generator
    ).unbind(0)
    drawn = torch.searchsorted(until, face * until[-1], right=True).clamp(max=len(area) - 1)

    a, b, c = widened(vertices)[faces[drawn]].unbind(dim=1)
    to_b = (u.sqrt() * (1 - v)).to(a.dtype).unsqueeze(1)
    to_c = (u.sqrt() * v).to(a.dtype).unsqueeze(1)
    return (a + to_b * (b - a) + to_c * (c - a)).to(vertices.dtype)


def _check_mesh(vertices: Tensor, faces: Tensor) -> None:
    check_tensor("vertices", vertices, ndim=2, layout="(V, 3)")
    if vertices.shape[1] != 3:
        raise ValueError(f"vertices has shape {tuple(vertices.shape)}; expected (V, 3)")
    if not isinstance(faces, Tensor) or faces.ndim != 2 or faces.shape[1] != 3:
        came = tuple(faces.shape) if isinstance(faces, Tensor) else type(faces).__name__
        raise ValueError(f"faces is {came}; expected a tensor (F, 3)")
    if faces.dtype.is_floating_point or faces.dtype.is_complex or faces.dtype == torch.bool:
        raise ValueError(f"faces has dtype {faces.dtype}; expected an integer dtype")
    if faces.device != vertices.device:
        raise ValueError(f"faces is on {faces.device}; expected {vertices.device} as vertices is")
    check_finite("vertices", vertices)
    if len(faces) and not 0 <= int(faces.min()) <= int(faces.max()) < len(vertices):
        raise ValueError(
            f"faces holds indices from {int(faces.min())} to {int(faces.max())}; "
            f"expected 0 to {len(vertices) - 1}"
        )


def _doubled_areas(corners: Tensor) -> Tensor:
    """|u × v| of every triangle (F, 3, 3); 0 where it is nothing but rounding."""
    a, b, c = corners.unbind(dim=1)
    u, v = b - a, c - a
    doubled = torch.linalg.vector_norm(torch.linalg.cross(u, v), dim=1)
    scale = torch.linalg.vector_norm(u, dim=1) * torch.linalg.vector_norm(v, dim=1)
    return torch.where(doubled > ROUNDING * scale, doubled, 0.0)
