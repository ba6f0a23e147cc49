"""Two views of one scene: what a pair of matching points must satisfy.

A pair is (x1, y1, x2, y2): the same point of the scene in the first and in the second image, in
normalized coordinates (pixels with the camera matrix taken off, so that a ray is (x, y, 1)). If
X2 = R X1 + t takes the first camera's coordinates to the second's, then E = [t]× R.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.data import epipolar_distance
from mdcv.errors import check_finite, check_same_kind, check_tensor
from mdcv.kernels.arithmetic import widened


def epipolar_residual(
    essential: Float[Tensor, "b 3 3"], pairs: Float[Tensor, "b m 4"]
) -> Float[Tensor, "b m"]:
    """x2ᵀ E x1 for every pair, with x = (x, y, 1): 0 where the two rays meet.

    Args:
        essential: one matrix per set of pairs; its scale is the scale of the result.
        pairs: x1, y1, x2, y2 in normalized image coordinates.

    Raises:
        ValueError: shapes, dtypes or devices do not fit together.

    Source: Longuet-Higgins 1981, "A computer algorithm for reconstructing a scene from two
    projections".

    >>> sideways = torch.tensor([[[0.0, 0, 0], [0, 0, -1], [0, 1, 0]]])    # t = (1, 0, 0), R = I
    >>> epipolar_residual(sideways, torch.tensor([[[0.5, 0.2, 0.1, 0.2], [0.5, 0.2, 0.1, 0.3]]]))
    tensor([[ 0.0000, -0.1000]])
    """
    _check_both(essential, pairs)
    first, second = rays(pairs)
    return (second @ essential * first).sum(dim=-1)


def sampson_distance(
    essential: Float[Tensor, "b 3 3"], pairs: Float[Tensor, "b m 4"]
) -> Float[Tensor, "b m"]:
    """How far, to first order, a pair must be moved to satisfy the epipolar constraint.

    d = |x2ᵀ E x1| / √( (E x1)₁² + (E x1)₂² + (Eᵀ x2)₁² + (Eᵀ x2)₂² )

    A length in the four coordinates of the pair, in their unit; it does not depend on the scale of
    E. Not squared. Where the root is 0 (both points are epipoles) it is 0.

    Args:
        essential: one matrix per set of pairs.
        pairs: x1, y1, x2, y2 in normalized image coordinates.

    Raises:
        ValueError: shapes, dtypes or devices do not fit together.

    Source: Sampson 1982, "Fitting conic sections to very scattered data"; Hartley and Zisserman,
    "Multiple view geometry", equation 11.9, whose value is the square.

    >>> sideways = torch.tensor([[[0.0, 0, 0], [0, 0, -1], [0, 1, 0]]])
    >>> pairs = torch.tensor([[[0.5, 0.2, 0.1, 0.3]]])    # 0.1 apart, half of it in each image
    >>> sampson_distance(sideways, pairs) * 2**0.5
    tensor([[0.1000]])
    """
    _check_both(essential, pairs)
    return epipolar_distance(pairs, essential)


def nearest_essential(matrix: Float[Tensor, "b 3 3"]) -> Float[Tensor, "b 3 3"]:
    """The essential matrix nearest to a matrix: two equal singular values, and 0; norm 1.

    E = U diag(1, 1, 0) Vᵀ / √2,  where  matrix = U S Vᵀ

    That is [t]× R for some rotation R and some t, at the scale that makes its Frobenius norm 1.

    Args:
        matrix: 3×3 matrices, at any scale.

    Raises:
        ValueError: not a batch of 3×3 matrices, or one of rank below 2, which has no direction.

    Source: Hartley and Zisserman, "Multiple view geometry", section 11.7.3.

    >>> nearest_essential(torch.diag(torch.tensor([5.0, 3.0, 1.0]))[None]).square()
    tensor([[[0.5000, 0.0000, 0.0000],
             [0.0000, 0.5000, 0.0000],
             [0.0000, 0.0000, 0.0000]]])
    """
    check_tensor("matrix", matrix, ndim=3, layout="(B, 3, 3)")
    if matrix.shape[1:] != (3, 3):
        raise ValueError(f"matrix has shape {tuple(matrix.shape)}; expected (B, 3, 3)")
    check_finite("matrix", matrix)
    s = torch.linalg.svdvals(widened(matrix.detach()))
    if bool((s[:, 1] <= torch.finfo(matrix.dtype).eps * s[:, 0]).any()):
        raise ValueError("a matrix has rank below 2; expected two directions to keep")
    return two_directions(widened(matrix)).to(matrix.dtype)


def two_directions(matrix: Float[Tensor, "b 3 3"]) -> Float[Tensor, "b 3 3"]:
    """U diag(1, 1, 0) Vᵀ / √2, whatever the rank."""
    u, _, vh = torch.linalg.svd(matrix)
    return u[:, :, :2] @ vh[:, :2] / 2**0.5


def check_pairs(pairs: Tensor, least: int) -> None:
    """Refuses anything but sets of finite pairs (B, M, 4) with M >= `least`."""
    check_tensor("pairs", pairs, ndim=3, layout="(B, M, 4)")
    if pairs.shape[2] != 4:
        raise ValueError(f"pairs has shape {tuple(pairs.shape)}; expected (B, M, 4)")
    if pairs.shape[1] < least:
        raise ValueError(f"{pairs.shape[1]} pairs in a set; expected at least {least}")
    check_finite("pairs", pairs)


def rays(pairs: Float[Tensor, "*b 4"]) -> tuple[Float[Tensor, "*b 3"], Float[Tensor, "*b 3"]]:
    """(x1, y1, 1) and (x2, y2, 1)."""
    one = torch.ones_like(pairs[..., :1])
    return torch.cat([pairs[..., :2], one], dim=-1), torch.cat([pairs[..., 2:], one], dim=-1)


def _check_both(essential: object, pairs: object) -> None:
    check_pairs(pairs, 0)
    check_tensor("essential", essential, ndim=3, layout="(B, 3, 3)")
    if essential.shape != (len(pairs), 3, 3):
        raise ValueError(
            f"essential has shape {tuple(essential.shape)}; expected ({len(pairs)}, 3, 3)"
        )
    check_same_kind("essential", essential, "pairs", pairs)
