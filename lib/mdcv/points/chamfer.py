"""The Chamfer distance: every point to its nearest neighbor in the other set, both ways."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from mdcv.errors import check_clouds, check_option
from mdcv.kernels.arithmetic import widened
from mdcv.points.neighbors import nearest_squared_distances
from mdcv.points.norms import zero_safe_root


def chamfer_distance(
    x: Float[Tensor, "b n d"],
    y: Float[Tensor, "b m d"],
    *,
    squared: bool = True,
    reduction: Literal["sum", "mean"] = "sum",
    one_sided: bool = False,
) -> Float[Tensor, " b"]:
    """Chamfer distance between two point sets, one value per pair.

    d(X, Y) = Σ over x of min over y |x - y|²  +  Σ over y of min over x |x - y|²

    The gradient is exact, can be taken twice, and is zero where a point coincides with its
    nearest neighbor. Memory grows with N + M, not with N · M.

    Args:
        x, y: points, in the same unit.
        squared: False takes |x - y| in place of |x - y|².
        reduction: "mean" divides each sum by the number of its points.
        one_sided: True keeps the first sum only, x to y; then a subset of y is at distance 0.

    Returns:
        In that unit, squared unless `squared` is False. NaN where a set holds NaN or an infinity.

    Raises:
        ValueError: a set is empty, shapes, dtypes or devices do not fit together, or an option
            is unknown.

    Source: Fan, Su and Guibas 2017, arXiv:1612.00603, equation 1: squared sums, as here by default.

    >>> import torch
    >>> x = torch.tensor([[[0.0, 0.0], [1.0, 0.0]]])
    >>> y = x + torch.tensor([0.0, 2.0])
    >>> chamfer_distance(x, y), chamfer_distance(x, y, squared=False, reduction="mean")
    (tensor([16.]), tensor([4.]))
    """
    check_clouds(x, y)
    check_option("squared", squared, (True, False))
    check_option("reduction", reduction, ("sum", "mean"))
    check_option("one_sided", one_sided, (True, False))

    def one_way(start: Tensor, goal: Tensor) -> Tensor:
        distance = nearest_squared_distances(start, goal)
        if not squared:
            distance = zero_safe_root(distance)
        return distance.sum(dim=1) if reduction == "sum" else distance.mean(dim=1)

    wide_x, wide_y = widened(x), widened(y)
    total = one_way(wide_x, wide_y)
    if not one_sided:
        total = total + one_way(wide_y, wide_x)
    return total.to(x.dtype)
