"""Matches between two views of a scene, some of them wrong, with the geometry that tells which."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from mdcv.data.draws import directions, normals, uniform
from mdcv.errors import check_integer, check_number, check_tensor

#: How far the cameras see to each side: tan of half the field of view, in both directions.
HALF_FIELD = 0.6
#: Depths of the points before the first camera, in multiples of the baseline.
DEPTHS = (2.0, 8.0)
#: The largest angle between the two cameras' directions.
LARGEST_TURN = math.radians(30)
#: A match drawn at random is wrong only if it misses the geometry by this; in normalized units.
CLEAR_MISS = 0.02


class Matches(NamedTuple):
    """Pairs of image points of B scenes, M each.

    Attributes:
        pairs: (B, M, 4) float32, x1, y1 in the first image and x2, y2 in the second, normalized:
            the camera's intrinsics are removed, (x, y, 1) is the direction of the ray.
        is_inlier: (B, M) bool, whether both are views of the same point.
        essential: (B, 3, 3) float32, E with (x2, y2, 1) E (x1, y1, 1)ᵀ = 0 for exact matches, of
            Frobenius norm 1 and rank 2.
    """

    pairs: Tensor
    is_inlier: Tensor
    essential: Tensor


def correspondences(
    count: int,
    *,
    matches: int = 512,
    inlier_share: float | int = 0.5,
    noise: float | int = 0.001,
    generator: Generator,
) -> Matches:
    """Matches between two cameras in general position, each scene with its own pair of cameras.

    The first camera stands at the origin and looks along +z. The second is moved by one unit in a
    random direction and turned by up to 30 degrees about a random axis: X₂ = R X₁ + t,
    E = [t]ₓ R. A right match is a point before both cameras seen by both, with noise in each
    image. A wrong one pairs two points drawn independently over the images, and is drawn anew
    if by chance it nearly satisfies the geometry. Right and wrong ones stand in random order.

    Args:
        count: how many scenes.
        matches: how many pairs each scene has.
        inlier_share: the share of right ones, from 0 to 1; inlier_share · matches, rounded.
        noise: σ of each coordinate's error, in normalized units: 0.001 is one pixel at a focal
            length of 1000 pixels.
        generator: the source of randomness; the matches lie on its device.

    Raises:
        ValueError: a number out of its range.

    Source: Yi and others 2018 (Learning to find good correspondences), arXiv:1711.05971, for the
    task; Hartley and Zisserman 2004, section 9.6, for the essential matrix.

    >>> found = correspondences(2, matches=10, inlier_share=0.3, generator=torch.Generator())
    >>> found.pairs.shape, found.is_inlier.sum(dim=1)
    (torch.Size([2, 10, 4]), tensor([3, 3]))
    """
    check_integer("count", count, low=0)
    check_integer("matches", matches, low=1)
    check_number("inlier_share", inlier_share)
    if inlier_share > 1:
        raise ValueError(f"inlier_share is {inlier_share!r}; expected a number from 0 to 1")
    check_number("noise", noise)

    rotation, translation = _cameras(count, generator)
    essential = _cross_product(translation) @ rotation
    essential = essential / torch.linalg.matrix_norm(essential)[:, None, None]

    right = _seen_by_both(rotation, translation, matches, generator)
    right = right + noise * normals(tuple(right.shape), generator)
    wrong = _unrelated(essential, matches, generator)
    rank = uniform((count, matches), generator).argsort(dim=1).argsort(dim=1)
    is_inlier = rank < round(inlier_share * matches)
    pairs = torch.where(is_inlier.unsqueeze(-1), right, wrong)
    return Matches(pairs.float(), is_inlier, essential.float())


def epipolar_distance(
    pairs: Float[Tensor, "b m 4"], essential: Float[Tensor, "b 3 3"]
) -> Float[Tensor, "b m"]:
    """How far each match is from satisfying the geometry, to first order: Sampson's distance.

    |x₂ᵀ E x₁| / √((E x₁)₁² + (E x₁)₂² + (Eᵀ x₂)₁² + (Eᵀ x₂)₂²)

    Args:
        pairs: normalized matches, as `correspondences` returns them.
        essential: E of every scene, at any scale but 0.

    Returns:
        In normalized units: about how far the four coordinates must move together.

    Raises:
        ValueError: the shapes do not fit.

    Source: Hartley and Zisserman 2004, equation 11.9; its square root.

    >>> sideways = torch.tensor([[[0.0, 0, 0], [0, 0, -1], [0, 1, 0]]])    # t = (1, 0, 0), R = I
    >>> epipolar_distance(torch.tensor([[[0.0, 0.25, 0.5, 0.25], [0.0, 0.0, 0.5, 0.5]]]), sideways)
    tensor([[0.0000, 0.3536]])
    """
    check_tensor("pairs", pairs, ndim=3, layout="(B, M, 4)")
    check_tensor("essential", essential, ndim=3, layout="(B, 3, 3)")
    if pairs.shape[2] != 4 or essential.shape != (len(pairs), 3, 3):
        raise ValueError(
            f"pairs has shape {tuple(pairs.shape)}, essential {tuple(essential.shape)}; "
            "expected (B, M, 4) and (B, 3, 3)"
        )
    one = torch.ones_like(pairs[..., :1])
    first, second = torch.cat((pairs[..., :2], one), -1), torch.cat((pairs[..., 2:], one), -1)
    line_in_second = first @ essential.transpose(1, 2)  # rows are E x₁
    line_in_first = second @ essential
    miss = (second * line_in_second).sum(dim=-1).abs()
    slope = torch.cat((line_in_second[..., :2], line_in_first[..., :2]), dim=-1)
    return miss / torch.linalg.vector_norm(slope, dim=-1).clamp(min=torch.finfo(pairs.dtype).tiny)


def _cameras(
    count: int, generator: Generator
) -> tuple[Float[Tensor, "b 3 3"], Float[Tensor, "b 3"]]:
    """R and t of the second camera of each scene; t has length 1."""
    angle = LARGEST_TURN * uniform((count, 1, 1), generator)
    turn = _cross_product(directions(count, generator))
    rotation = torch.linalg.matrix_exp(angle * turn)
    return rotation, directions(count, generator)


def _cross_product(vectors: Float[Tensor, "b 3"]) -> Float[Tensor, "b 3 3"]:
    """[v]ₓ, with [v]ₓ w = v × w."""
    x, y, z = vectors.unbind(-1)
    zero = torch.zeros_like(x)
    rows = ((zero, -z, y), (z, zero, -x), (-y, x, zero))
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def _seen_by_both(
    rotation: Float[Tensor, "b 3 3"],
    translation: Float[Tensor, "b 3"],
    matches: int,
    generator: Generator,
) -> Float[Tensor, "b m 4"]:
    """Exact views of points that lie before both cameras and within both images."""
    count = len(rotation)
    pairs = torch.zeros(count, matches, 4, dtype=torch.float64, device=rotation.device)
    missing = torch.ones(count, matches, dtype=torch.bool, device=rotation.device)
    while bool(missing.any()):
        first = HALF_FIELD * (2 * uniform((count, matches, 2), generator) - 1)
        depth = DEPTHS[0] + (DEPTHS[1] - DEPTHS[0]) * uniform((count, matches, 1), generator)
        point = depth * torch.cat((first, torch.ones_like(depth)), dim=-1)
        moved = point @ rotation.transpose(1, 2) + translation[:, None]
        second = moved[..., :2] / moved[..., 2:]
        # Turned by so much, the second camera still shares part of its view with the first.
        is_seen = (moved[..., 2] > 0.1) & (second.abs().amax(dim=-1) <= HALF_FIELD)
        new = missing & is_seen
        pairs = torch.where(new.unsqueeze(-1), torch.cat((first, second), dim=-1), pairs)
        missing = missing & ~new
    return pairs


def _unrelated(
    essential: Float[Tensor, "b 3 3"], matches: int, generator: Generator
) -> Float[Tensor, "b m 4"]:
    """Pairs drawn over both images that clearly miss the geometry."""

    def drawn() -> Tensor:
        return HALF_FIELD * (2 * uniform((len(essential), matches, 4), generator) - 1)

    pairs = drawn()
    while bool((close := epipolar_distance(pairs, essential) < CLEAR_MISS).any()):
        pairs = torch.where(close.unsqueeze(-1), drawn(), pairs)
    return pairs
