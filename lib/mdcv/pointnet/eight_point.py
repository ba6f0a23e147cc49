"""The eight-point algorithm: the essential matrix of many pairs, each with a weight."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.errors import check_same_kind, check_tensor
from mdcv.pointnet.epipolar import check_pairs, rays


def weighted_eight_point(
    pairs: Float[Tensor, "b m 4"], weights: Float[Tensor, "b m"] | None = None
) -> Float[Tensor, "b 3 3"]:
    """The matrix of Frobenius norm 1 that makes the weighted sum of squared residuals least.

    E = argmin over ‖E‖ = 1 of Σ_i w_i (x2_iᵀ E x1_i)²

    Nine numbers, linear equations: the answer is the eigenvector of Σ_i w_i a_i a_iᵀ that belongs
    to the least eigenvalue, where a_i holds the nine products of x2_i with x1_i. Computed in
    float64. The sign is such that the entry of largest size is positive. It is an essential matrix
    exactly if the pairs are; `nearest_essential` makes it one. Gradients flow to weights and pairs.

    Args:
        pairs: x1, y1, x2, y2 in normalized image coordinates, eight or more.
        weights: 0 or more, one per pair; equal without.

    Raises:
        ValueError: fewer than eight pairs, shapes, dtypes or devices that do not fit together, NaN
            or infinity, a negative weight, or fewer than eight weights above 0 in a set.

    Source: Longuet-Higgins 1981; with weights Yi, Trulls, Ono, Lepetit, Salzmann and Fua 2018,
    "Learning to find good correspondences", arXiv:1711.05971, equation 6. Coordinates near 1 need
    no further normalization; see Hartley 1997, "In defense of the eight-point algorithm".

    >>> flat = torch.rand(1, 20, 3, dtype=torch.float64)
    >>> pairs = torch.cat([flat, flat[..., 1:2]], dim=-1)    # y1 = y2: the camera moved along x
    >>> weighted_eight_point(pairs).square().round(decimals=6).abs()
    tensor([[[0.0000, 0.0000, 0.0000],
             [0.0000, 0.0000, 0.5000],
             [0.0000, 0.5000, 0.0000]]], dtype=torch.float64)
    """
    check_pairs(pairs, 8)
    if weights is None:
        weights = torch.ones_like(pairs[..., 0])
    _check_weights(weights, pairs)
    first, second = rays(pairs.double())
    products = (second.unsqueeze(-1) * first.unsqueeze(-2)).flatten(-2)
    share = weights.double() / weights.double().sum(dim=1, keepdim=True)
    moment = products.mT @ (share.unsqueeze(-1) * products)
    vector, _, _ = _LeastEigenvector.apply(moment)
    return vector.unflatten(-1, (3, 3)).to(pairs.dtype)


class _LeastEigenvector(torch.autograd.Function):
    """The eigenvector of the least eigenvalue of symmetric matrices.

    Its own gradient needs the gap to that one eigenvalue only. PyTorch's gradient of `eigh` divides
    by all gaps, and is NaN where any two of the others are equal.
    """

    @staticmethod
    def forward(matrix: Tensor):
        values, vectors = torch.linalg.eigh(matrix)
        least = vectors[..., 0]
        at = least.abs().argmax(dim=-1, keepdim=True)
        return least * torch.take_along_dim(least, at, dim=-1).sign(), values, vectors

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.mark_non_differentiable(output[1], output[2])
        ctx.save_for_backward(*output)

    @staticmethod
    def backward(ctx, grad: Tensor, *_: Tensor):
        """∂v = -(M - λI)⁺ ∂M v."""
        least, values, vectors = ctx.saved_tensors
        gap = values[..., 1:] - values[..., :1]
        others = vectors[..., 1:]
        along = (others.mT @ grad.unsqueeze(-1)).squeeze(-1) / gap
        pull = (others @ along.unsqueeze(-1)).squeeze(-1)
        outer = -pull.unsqueeze(-1) * least.unsqueeze(-2)
        return (outer + outer.mT) / 2


def _check_weights(weights: Tensor, pairs: Tensor) -> None:
    check_tensor("weights", weights, ndim=2, layout="(B, M)")
    if weights.shape != pairs.shape[:2]:
        raise ValueError(
            f"weights has shape {tuple(weights.shape)}; expected {tuple(pairs.shape[:2])}"
        )
    check_same_kind("weights", weights, "pairs", pairs)
    # NaN fails the comparison, and so is refused.
    if not bool((weights >= 0).all()) or bool(weights.isinf().any()):
        raise ValueError("weights holds NaN, infinity or a negative number; expected numbers >= 0")
    counted = (weights > 0).sum(dim=1)
    if bool((counted < 8).any()):
        raise ValueError(f"a set has {int(counted.min())} weights above 0; expected at least 8")
