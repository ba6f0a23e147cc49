"""Judges random points on a mesh: where they lie, in which triangle, and how evenly in it.

A right sampler fails any one of these judgments with a probability below 1e-11: counts are judged
by their likelihood, all pieces together, and means by seven standard errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mdcv.exercises.exercise import Finding

MAX_Z = 7.0

#: n · KL(q‖p) of the frequencies q of a right sampler stays below these; 2 n KL is chi-squared
#: with one degree of freedom less than there are pieces, here at most 4 and 15.
MAX_SURPRISE_OF_FACES = 34.0
MAX_SURPRISE_OF_CELLS = 46.0

CELLS = 4

#: So many points tell one mistake from another.
ENOUGH = 3000


@dataclass(frozen=True, eq=False)
class Placement:
    """Where points lie on a mesh: the triangle, the weights of its corners, the distance off it.

    `area` is that of every triangle of the mesh.
    """

    face: Tensor
    weights: Tensor
    off: Tensor
    area: Tensor


def place(points: Tensor, vertices: Tensor, faces: Tensor) -> Placement:
    """Finds for each point the triangle it lies on, or is nearest to."""
    a, b, c = vertices.double()[faces].unbind(1)
    u, v = b - a, c - a
    normal = torch.linalg.cross(u, v)
    squared = normal.square().sum(1, keepdim=True)
    # The share of b, the share of c, and the height are each linear in the point.
    to_b, to_c = torch.linalg.cross(v, normal) / squared, torch.linalg.cross(normal, u) / squared
    ways = torch.stack([to_b, to_c, normal / squared.sqrt()], dim=1)
    seen = points.double() @ ways.flatten(0, 1).mT - (ways @ a[:, :, None]).flatten()
    of_b, of_c, height = seen.unflatten(1, (len(faces), 3)).unbind(2)
    weights = torch.stack([1 - of_b - of_c, of_b, of_c], dim=2)
    sides = torch.stack([c - b, v, u], dim=1).norm(dim=2)
    outside = ((-weights).clamp(min=0) * (squared.sqrt() / sides)).amax(2)
    off = height.abs() + outside
    nearest, face = off.min(1)
    rows = torch.arange(len(points))
    return Placement(face, weights[rows, face], nearest, areas(vertices, faces))


def areas(vertices: Tensor, faces: Tensor) -> Tensor:
    """The area of every triangle, in float64."""
    a, b, c = vertices.double()[faces].unbind(1)
    return torch.linalg.vector_norm(torch.linalg.cross(b - a, c - a), dim=1) / 2


def surprise(counts: Tensor, probability: Tensor) -> float:
    """n · KL(q‖p): how unlikely the frequencies q of n draws are, when p is right."""
    q = counts / counts.sum()
    return float(counts.sum() * torch.xlogy(q, q / probability).sum())


def trouble_with_form(points: Tensor, n: int, vertices: Tensor, kind: str) -> Finding | None:
    """Whether the answer is n points, and finite."""
    if points.shape != (n, 3):
        words = f"With {kind} came shape {tuple(points.shape)}, expected {(n, 3)}."
        return Finding(words, "wrong_shape", f"shape {tuple(points.shape)}", f"shape {(n, 3)}")
    if not points.dtype.is_floating_point:
        words = f"The points have dtype {points.dtype}; they are coordinates."
        return Finding(words, "wrong_dtype", str(points.dtype), str(vertices.dtype))
    if not bool(points.isfinite().all()):
        words = f"Some coordinates are nan or infinite, with {kind}."
        return Finding(words, "nan_value", "nan or infinity", "finite points")
    return None


def trouble_off_the_mesh(
    placed: Placement, dtype: torch.dtype, vertices: Tensor, kind: str
) -> Finding | None:
    """Whether points of this dtype lie on the mesh."""
    reach = vertices.abs().max().item()
    slack = 1e-5 + 16 * torch.finfo(dtype).eps * reach
    share = (placed.off > slack).double().mean().item()
    if share > 0:
        words = f"{100 * share:.3g} % of the points do not lie on the mesh, with {kind}."
        return Finding(words, None, f"{100 * share:.3g} % off the mesh", "all on the mesh")
    return None


def trouble_with_shares(placed: Placement, kind: str) -> Finding | None:
    """Whether every triangle has as many points as its area asks for."""
    wanted = placed.area / placed.area.sum()
    counts = placed.face.bincount(minlength=len(wanted)).double()
    real = wanted > 0
    if bool((counts[~real] > 0).any()):
        words = f"Points come from a triangle without any area, with {kind}."
        return Finding(words, "draws_faces_without_area", "points there", "none there")
    if surprise(counts[real], wanted[real]) <= MAX_SURPRISE_OF_FACES:
        return None
    ratio = counts[real] / counts.sum() / wanted[real]
    small = ratio[wanted[real].argmin()] > 1
    words = (
        "The share of a triangle's points is not its share of the area: small triangles get too "
        f"{'many' if small else 'few'} points, with {kind}."
    )
    return Finding(words, None, _shares(counts / counts.sum()), _shares(wanted))


def trouble_with_evenness(placed: Placement, kind: str) -> Finding | None:
    """Whether every place inside a triangle is equally likely."""
    weights = placed.weights
    mean, spread = weights.mean(0), (1 / 18) ** 0.5
    shown = ", ".join(f"{value:.3f}" for value in mean.tolist())
    table = (f"mean weights {shown}", "mean weights 0.333, 0.333, 0.333")
    n = len(weights)
    if bool(((mean - 1 / 3).abs() > MAX_Z * spread / n**0.5).any()):
        words = (
            "Inside a triangle the points crowd: the mean of many points must be the average of "
            f"the three corners, and it weighs them {shown}. Seen with {kind}."
        )
        return Finding(words, None, *table)
    repeated = _repeated(weights)
    if repeated > 0.05:
        words = f"{100 * repeated:.2g} % of the places inside triangles come more than once."
        return Finding(words, None, f"{100 * repeated:.2g} % repeated", "next to none")
    counts, means = _means_per_face(placed, weights)
    if bool(((means - 1 / 3).abs() * counts.sqrt() > MAX_Z * spread).any()):
        words = (
            "Over all triangles the points are spread evenly, in a single one they are not: "
            "does one random number decide about the triangle and about the place in it?"
        )
        return Finding(words, None, "uneven in a triangle", "even in each")
    cells = _cells(weights).bincount(minlength=CELLS**2).double()
    shares = f"{100 * cells.min() / n:.2g} to {100 * cells.max() / n:.2g} % in a piece"
    uneven = surprise(cells, torch.full_like(cells, 1 / CELLS**2)) > MAX_SURPRISE_OF_CELLS
    middle = _towards_the_middle(weights)
    if not uneven and abs(middle) <= MAX_Z:
        return None
    where = "in the middle" if middle > 0 else "at the corners"
    words = (
        f"Inside a triangle the points crowd {where}: cut into 16 equal pieces, some get too many "
        f"of them. Seen with {kind}."
    )
    return Finding(words, None, shares, "6.25 % in each of 16 pieces")


def _towards_the_middle(weights: Tensor) -> float:
    """How many standard errors the points lie nearer to the middle than even ones.

    The sum of the squared weights has mean 1/2 and variance 1/60 over a triangle.
    """
    squares = weights.square().sum(1)
    return ((0.5 - squares.mean()) * (60 * len(weights)) ** 0.5).item()


def _cells(weights: Tensor) -> Tensor:
    """Which of 16 triangles of equal area, cut parallel to the sides, a place lies in."""
    scaled = CELLS * weights.clamp(0, 1 - 1e-9)
    row, column = scaled[:, 1].long(), scaled[:, 2].long()
    upper = (scaled[:, 1] - row) + (scaled[:, 2] - column) > 1
    # The rows above have 2 · (CELLS - r) - 1 cells each.
    before = 2 * CELLS * row - row * row
    return (before + 2 * column + upper).clamp(0, CELLS**2 - 1)


def fingerprint(points: Tensor, vertices: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
    """Numbers that tell one wrong sampler from another, with their standard errors.

    Shares of the triangles, moments of the corner weights, how many places are outside, on an
    edge, or repeated, pieces of the triangle, and evenness per triangle.
    """
    if points.ndim != 2 or points.shape[1:] != (3,) or not bool(points.isfinite().all()):
        return torch.zeros(1), torch.zeros(1)
    points = points[:ENOUGH]
    placed = place(points, vertices, faces)
    # Which corner is called the first is not part of a mistake.
    weights = placed.weights[:, placed.weights.mean(0).argsort(descending=True)]
    inside = weights.clamp(-1, 2)
    per_point = [
        torch.nn.functional.one_hot(placed.face, len(faces)).double(),
        inside,
        inside.square(),
        inside * inside.roll(1, dims=1),
        (placed.off > 1e-4).double()[:, None],
        (weights.abs().amin(1) < 1e-6).double()[:, None],
        torch.nn.functional.one_hot(_cells(weights), CELLS**2).double(),
    ]
    columns = torch.cat(per_point, dim=1)
    estimate, error = columns.mean(0), columns.std(0) / len(points) ** 0.5 + 1 / len(points)
    distinct = 1 - _repeated(weights)
    means, errors = _largest_deviations(placed)
    return (
        torch.cat([estimate, torch.tensor([distinct]).double(), means]),
        torch.cat([error, torch.tensor([0.02]).double(), errors]),
    )


def _means_per_face(placed: Placement, values: Tensor) -> tuple[Tensor, Tensor]:
    """How many points every triangle has, (F, 1), and the means (F, K) of their values (N, K)."""
    of_face = torch.nn.functional.one_hot(placed.face, len(placed.area)).double()
    counts = of_face.sum(0)[:, None]
    return counts, of_face.mT @ values / counts.clamp(min=1)


def _largest_deviations(placed: Placement) -> tuple[Tensor, Tensor]:
    """The largest deviation of a corner's mean weight from 1/3, triangle by triangle."""
    weights = placed.weights.clamp(-1, 2)
    counts, means = _means_per_face(placed, weights)
    _, variances = _means_per_face(placed, (weights - means[placed.face]).square())
    spread = (variances.amax(1) / (counts[:, 0] - 1).clamp(min=1)).sqrt()
    few = counts[:, 0] < 2
    deviation = (means - 1 / 3).abs().amax(1)
    return deviation.where(~few, 0.0), (spread + 1e-3).where(~few, 1.0)


def _repeated(weights: Tensor) -> float:
    """Which share of the places is there already, to six digits."""
    mixed = (1e6 * weights[:, 1]).round() * 1e7 + (1e6 * weights[:, 2]).round()
    return 1 - len(mixed.unique()) / len(mixed)


def _shares(values: Tensor) -> str:
    return "shares " + ", ".join(f"{100 * value:.1f} %" for value in values.tolist())


def first(findings: Sequence[Finding | None]) -> Finding | None:
    """The first finding there is."""
    return next((finding for finding in findings if finding is not None), None)
