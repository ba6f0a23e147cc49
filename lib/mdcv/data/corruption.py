"""What goes wrong with a scanned cloud: noise, another pose, missing points, points of elsewhere.

All four take batches (B, N, 3) of clouds in the unit ball and return new ones. The numbers are
drawn in float64 on the generator's device, and take the dtype and the device of the points.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from mdcv.data.draws import directions, normals, uniform, unit
from mdcv.errors import check_integer, check_number, check_option, check_tensor


def noisy_cloud(
    points: Float[Tensor, "b n 3"], sigma: float | int, *, generator: Generator
) -> Float[Tensor, "b n 3"]:
    """The clouds with every coordinate of every point moved by its own draw from N(0, σ²).

    Args:
        points: clouds, in any unit.
        sigma: σ in that unit, 0 or more.

    Raises:
        ValueError: points are no clouds, or sigma is negative or not finite.

    >>> noisy_cloud(torch.ones(1, 2, 3), 0.0, generator=torch.Generator())[0, 0]
    tensor([1., 1., 1.])
    """
    _check_clouds(points)
    check_number("sigma", sigma)
    return points + (sigma * normals(tuple(points.shape), generator)).to(points)


def rotated_cloud(
    points: Float[Tensor, "b n 3"], *, axis: Literal["y", "any"] = "y", generator: Generator
) -> Float[Tensor, "b n 3"]:
    """Every cloud turned about the origin by a rotation of its own.

    Args:
        points: clouds, in any unit.
        axis: "y" turns about the upright axis by an angle uniform in [0, 2π), as an object on a
            table may stand; "any" draws uniformly from all rotations.

    Raises:
        ValueError: points are no clouds, or axis is neither.

    Source: Shoemake 1992, "Uniform random rotations": a quaternion uniform on the sphere of R⁴.

    >>> turned = rotated_cloud(torch.eye(3)[None], generator=torch.Generator())
    >>> turned[0, 1]    # the point on the axis stays
    tensor([0., 1., 0.])
    """
    _check_clouds(points)
    check_option("axis", axis, ("y", "any"))
    count = len(points)
    if axis == "y":
        half = math.pi * uniform(count, generator)
        zero = torch.zeros_like(half)
        quaternion = torch.stack((half.cos(), zero, half.sin(), zero), dim=-1)
    else:
        quaternion = unit(normals((count, 4), generator))
    rotation = _rotation(quaternion).to(points)
    return points @ rotation.transpose(1, 2)


def thinned_cloud(
    points: Float[Tensor, "b n 3"], keep: int, *, generator: Generator
) -> Float[Tensor, "b keep 3"]:
    """`keep` of the points of every cloud, each set of that size as likely as any other.

    Args:
        points: clouds, in any unit.
        keep: how many points remain, from 1 to N; they keep their order.

    Raises:
        ValueError: points are no clouds, or keep is out of its range.

    >>> thinned_cloud(torch.zeros(2, 9, 3), 4, generator=torch.Generator()).shape
    torch.Size([2, 4, 3])
    """
    _check_clouds(points)
    count, size, _ = points.shape
    check_integer("keep", keep, low=1, high=size)
    chosen = uniform((count, size), generator).argsort(dim=1)[:, :keep].sort(dim=1).values
    return points.gather(1, chosen.to(points.device)[..., None].expand(-1, -1, 3))


def outlier_cloud(
    points: Float[Tensor, "b n 3"], share: float | int, *, generator: Generator
) -> Float[Tensor, "b n 3"]:
    """The clouds with a share of their points replaced by ones that have nothing to do with them.

    Args:
        points: clouds in the unit ball.
        share: from 0 to 1; share · N points, rounded, are replaced at places drawn for each
            cloud, by points uniform in the unit ball.

    Raises:
        ValueError: points are no clouds, or share is out of its range.

    Source: Qi and others 2017 (PointNet), arXiv:1612.00593, section 5.2 and figure 6.

    >>> cloud = torch.full((1, 10, 3), 5.0)
    >>> outlier_cloud(cloud, 0.3, generator=torch.Generator()).ne(5).all(dim=2).sum()
    tensor(3)
    """
    _check_clouds(points)
    check_number("share", share)
    if share > 1:
        raise ValueError(f"share is {share!r}; expected a number from 0 to 1")
    count, size, _ = points.shape
    rank = uniform((count, size), generator).argsort(dim=1).argsort(dim=1)
    replaced = (rank < round(share * size)).to(points.device).unsqueeze(-1)
    # The volume within r grows as r³, so the cube root of a uniform number makes the ball even.
    reach = uniform((count * size, 1), generator) ** (1 / 3)
    elsewhere = (reach * directions(count * size, generator)).reshape(count, size, 3)
    return torch.where(replaced, elsewhere.to(points), points)


def _check_clouds(points: Tensor) -> None:
    check_tensor("points", points, ndim=3, layout="(B, N, 3)")
    if points.shape[1] == 0 or points.shape[2] != 3:
        raise ValueError(f"points has shape {tuple(points.shape)}; expected (B, N, 3) with N >= 1")


def _rotation(quaternion: Float[Tensor, "b 4"]) -> Float[Tensor, "b 3 3"]:
    """The rotation matrices of unit quaternions (w, x, y, z)."""
    w, x, y, z = quaternion.unbind(-1)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
