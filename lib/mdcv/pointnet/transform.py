"""T-Net: a small network that turns every cloud into a pose it likes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mdcv.errors import check_integer, check_tensor
from mdcv.pointnet.doors import check_points, check_sizes
from mdcv.pointnet.perceptron import PointMLP, by_blocks
from mdcv.pointnet.symmetric import pool_points


class TNet(nn.Module):
    """Predicts a matrix A (B, k, k) from a cloud (B, N, k); the identity before training.

    A = I + reshape( γ( max over i of h(x_i) ) ),  where the last layer of γ starts at zero

    Without the identity every cloud would start squeezed to a point. The matrix does not depend on
    the order of the points, and is meant to be multiplied from the right: rows x_i become x_i A.

    Args:
        k: length of a point's vector: 3 for coordinates, the width of a layer for features.
        widths: of h.
        head: hidden widths of γ.
        rng: where the initial weights come from; `None` means PyTorch's default generator.

    Raises:
        ValueError: a size is not an integer >= 1; when called, a cloud that is empty, has another
            last axis than k, another dtype or device than the network, or NaN or infinity.

    Source: Qi, Su, Mo and Guibas 2017 (PointNet), arXiv:1612.00593, section 4.2 and appendix C,
    where h has widths 64, 128, 1024 and γ 512, 256. After Jaderberg and others 2015.

    >>> TNet(3)(torch.rand(1, 10, 3))
    tensor([[[1., 0., 0.],
             [0., 1., 0.],
             [0., 0., 1.]]], grad_fn=<AddBackward0>)
    """

    def __init__(
        self,
        k: int,
        *,
        widths: Sequence[int] = (32, 64, 128),
        head: Sequence[int] = (64,),
        rng: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_integer("k", k, low=1)
        widths, head = check_sizes("widths", widths), check_sizes("head", head, least=0)
        self.k = k
        self.h = PointMLP([k, *widths], rng=rng)
        # No normalization here: with one cloud in a batch it would leave nothing.
        self.gamma = PointMLP([widths[-1], *head, k * k], norm=False, linear_end=True, rng=rng)
        last = self.gamma.layers[-1]
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, points: Float[Tensor, "b n k"]) -> Float[Tensor, "b k k"]:
        check_points("points", points, self.k, like=self)
        return self.matrix(pool_points(self.h(points)))

    def matrix(self, pooled: Float[Tensor, "b p"]) -> Float[Tensor, "b k k"]:
        """The transform that belongs to a pooled feature."""
        offset = self.gamma(pooled).unflatten(-1, (self.k, self.k))
        return offset + torch.eye(self.k, dtype=offset.dtype, device=offset.device)


def transform_points(
    points: Float[Tensor, "b n k"], matrix: Float[Tensor, "b k k"], *, exact: bool
) -> Float[Tensor, "b n k"]:
    """Every row x_i of a cloud becomes x_i A; `exact` keeps rows independent to the last bit."""
    if not exact:
        return points @ matrix
    clouds = zip(points, matrix, strict=True)
    turned = [by_blocks(lambda rows, a=a: rows @ a, cloud) for cloud, a in clouds]
    return torch.stack(turned) if turned else points @ matrix


def orthogonality_penalty(transform: Float[Tensor, "b k k"]) -> Float[Tensor, ""]:
    """How far matrices are from orthogonal: one number, the mean over the batch.

    L = mean over b of ‖I - A_b A_bᵀ‖²_F

    The square of the Frobenius norm, not the norm. Zero exactly at orthogonal matrices, reflections
    included; k at A = 0.

    Args:
        transform: the matrices, as `TNet` returns them.

    Raises:
        ValueError: not a batch of square matrices, or an empty batch.

    Source: Qi, Su, Mo and Guibas 2017 (PointNet), arXiv:1612.00593, equation 2.

    >>> orthogonality_penalty(torch.zeros(2, 5, 5))
    tensor(5.)
    """
    check_tensor("transform", transform, ndim=3, layout="(B, k, k)")
    if transform.shape[1] != transform.shape[2] or 0 in transform.shape:
        raise ValueError(
            f"transform has shape {tuple(transform.shape)}; expected (B, k, k), not empty"
        )
    identity = torch.eye(transform.shape[1], dtype=transform.dtype, device=transform.device)
    return (identity - transform @ transform.mT).square().sum(dim=(1, 2)).mean()
