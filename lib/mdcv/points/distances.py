"""All Euclidean distances between two point sets, by direct subtraction."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.errors import check_clouds
from mdcv.kernels.arithmetic import widened


def pairwise_distances(
    x: Float[Tensor, "b n d"], y: Float[Tensor, "b m d"]
) -> Float[Tensor, "b n m"]:
    """Euclidean distance from every point of x to every point of y.

    d(i, j) = |x_i - y_j|

    Computed from the differences, never from the expanded square |x|² - 2xy + |y|², which cancels
    for close points far from the origin. The gradient is exact, and zero where points coincide.

    Args:
        x, y: points, in the same unit. Empty sets are fine. Half precision is computed in float32.

    Returns:
        In that unit; NaN where a coordinate is NaN.

    Raises:
        ValueError: shapes, dtypes or devices do not fit together.

    >>> x = torch.tensor([[[0.0, 0.0], [3.0, 4.0]]])
    >>> pairwise_distances(x, x)
    tensor([[[0., 5.],
             [5., 0.]]])
    """
    check_clouds(x, y, allow_empty=True)
    return _Distances.apply(widened(x), widened(y)).to(x.dtype)


class _Distances(torch.autograd.Function):
    """Keeps the distances for the backward pass, not the D times larger differences."""

    @staticmethod
    def forward(x: Tensor, y: Tensor) -> Tensor:
        return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx, grad: Tensor):
        """∂d = (x - y) / d, by coordinate; plain torch, so that it has a gradient itself."""
        x, y, distance = ctx.saved_tensors
        apart = distance != 0
        weight = torch.where(apart, grad / torch.where(apart, distance, 1.0), 0.0)
        pulls_x, pulls_y = [], []
        for x_d, y_d in zip(x.unbind(-1), y.unbind(-1), strict=True):
            pull = weight * (x_d.unsqueeze(2) - y_d.unsqueeze(1))
            pulls_x.append(pull.sum(dim=2))
            pulls_y.append(-pull.sum(dim=1))
        return torch.stack(pulls_x, dim=-1), torch.stack(pulls_y, dim=-1)
