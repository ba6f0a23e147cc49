"""Marching cubes."""

from __future__ import annotations

import torch

from bench.agreement import relative_gap
from bench.case import ANYWHERE, Case, Entrant, Goal, Inputs, calling
from mdcv.seeds import generator

SIDE = 256
LIMIT = 1e-3


def _rough_sphere(device: torch.device) -> Inputs:
    """Signed distances to a sphere in (256, 256, 256), with a smooth roughness on it."""
    axis = torch.linspace(-1, 1, SIDE)
    x, y, z = torch.meshgrid(axis, axis, axis, indexing="ij")
    coarse = torch.randn(1, 1, 16, 16, 16, generator=generator(1))
    rough = torch.nn.functional.interpolate(
        coarse, size=(SIDE, SIDE, SIDE), mode="trilinear", align_corners=True
    )
    return {"volume": ((x * x + y * y + z * z).sqrt() - 0.7 + 0.03 * rough[0, 0]).to(device)}


def _skimage(method: str):
    def prepare(volume):
        from skimage.measure import marching_cubes

        field = volume.numpy()
        return lambda: marching_cubes(field, 0.0, method=method)[:2]

    return prepare


def _measured(mesh) -> dict[str, float]:
    """Area and enclosed volume of a mesh; of the volume the size, whichever way its faces wind."""
    vertices, faces = (
        torch.as_tensor(part.copy() if hasattr(part, "copy") else part) for part in mesh
    )
    a, b, c = vertices.double().cpu()[faces.cpu().long()].unbind(1)
    normal = torch.linalg.cross(b - a, c - a)
    volume = (a * normal).sum() / 6
    return {"area": float(normal.norm(dim=1).sum() / 2), "enclosed volume": abs(float(volume))}


def _same_body(inputs: Inputs, ours: dict[str, float], theirs: dict[str, float]) -> str | None:
    for name, value in ours.items():
        if not relative_gap(value, theirs[name]) <= LIMIT:
            return f"{name} {theirs[name]:.6g} where ours is {value:.6g}"
    return None


CASES = (
    Case(
        name="marching-cubes-256",
        operation="marching_cubes",
        title=f"marching cubes, {SIDE}³",
        inputs=_rough_sphere,
        ours=Entrant(
            "mdcv", "mdcv.surfaces", calling("mdcv.surfaces", "marching_cubes"), _measured, ANYWHERE
        ),
        peers=(
            Entrant("scikit-image", "skimage.measure", _skimage("lewiner"), _measured),
            Entrant("scikit-image, Lorensen", "skimage.measure", _skimage("lorensen"), _measured),
        ),
        compare=_same_body,
        tolerance="area and enclosed volume within 0.1 %; scikit-image makes normals as well",
        goals=(Goal(1.5, ("scikit-image", "scikit-image, Lorensen")),),
    ),
)
