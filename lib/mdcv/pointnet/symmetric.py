"""Functions of sets: what comes out does not depend on the order of the points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mdcv.errors import check_option, check_tensor

Pooling = Literal["max", "sum", "mean"]
POOLINGS = ("max", "sum", "mean")


def pool_points(
    features: Float[Tensor, "*batch n k"],
    pooling: Pooling = "max",
    *,
    mask: Bool[Tensor, "*batch n"] | None = None,
) -> Float[Tensor, "*batch k"]:
    """g: one vector for a set of vectors, by the maximum, sum or mean of every feature.

    The maximum does not depend on the order of the points to the last bit; sum and mean up to
    rounding. NaN spreads.

    Args:
        features: one row per point.
        pooling: which symmetric function.
        mask: False leaves a point out, as if it were not there. A set of which nothing is left
            gives 0.

    Raises:
        ValueError: an empty set, an unknown pooling, or a mask of another shape.

    >>> features = torch.tensor([[1.0, 5.0], [3.0, 2.0]])
    >>> pool_points(features), pool_points(features, "mean")
    (tensor([3., 5.]), tensor([2.0000, 3.5000]))
    """
    check_option("pooling", pooling, POOLINGS)
    if not isinstance(features, Tensor) or features.ndim < 2:
        check_tensor("features", features, ndim=3, layout="(B, N, K)")
    if features.shape[-2] == 0:
        raise ValueError(
            f"empty set: features has shape {tuple(features.shape)}; expected at least one point"
        )
    if mask is None:
        if pooling == "max":
            return features.amax(dim=-2)
        return features.sum(dim=-2) if pooling == "sum" else features.mean(dim=-2)

    if mask.shape != features.shape[:-1] or mask.dtype != torch.bool:
        raise ValueError(
            f"mask has shape {tuple(mask.shape)} and dtype {mask.dtype}; expected "
            f"{tuple(features.shape[:-1])} and torch.bool"
        )
    there = mask.unsqueeze(-1)
    count = there.sum(dim=-2)
    if pooling == "max":
        greatest = features.masked_fill(~there, -torch.inf).amax(dim=-2)
        return torch.where(count > 0, greatest, 0.0)
    total = features.masked_fill(~there, 0.0).sum(dim=-2)
    return total / count.clamp(min=1) if pooling == "mean" else total


class SetFunction(nn.Module):
    """f(x_1, …, x_N) = γ( g( h(x_1), …, h(x_N) ) ): a function of a set, (B, N, D) to (B, C).

    Args:
        h: applied to each point, (B, N, D) to (B, N, K).
        gamma: applied to the pooled vector, (B, K) to (B, C).
        pooling: g.

    Source: Qi, Su, Mo and Guibas 2017 (PointNet), arXiv:1612.00593, equation 1 and theorem 1, for
    the maximum; Zaheer and others 2017 (Deep sets), arXiv:1703.06114, theorem 2, for the sum.

    >>> count = SetFunction(torch.ones_like, torch.nn.Identity(), pooling="sum")
    >>> count(torch.randn(2, 7, 1))
    tensor([[7.],
            [7.]])
    """

    def __init__(
        self,
        h: Callable[[Tensor], Tensor],
        gamma: Callable[[Tensor], Tensor],
        *,
        pooling: Pooling = "max",
    ) -> None:
        super().__init__()
        check_option("pooling", pooling, POOLINGS)
        self.h, self.gamma, self.pooling = h, gamma, pooling

    def forward(self, points: Float[Tensor, "b n d"]) -> Float[Tensor, "b c"]:
        check_tensor("points", points, ndim=3, layout="(B, N, D)")
        return self.gamma(pool_points(self.h(points), self.pooling))
