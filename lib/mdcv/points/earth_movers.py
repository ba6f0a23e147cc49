"""The Earth Mover's distance: the shortest way to move one set onto another, point by point."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mdcv.errors import check_clouds, check_number, check_option
from mdcv.kernels.arithmetic import widened
from mdcv.kernels.assignment import solve_assignment
from mdcv.points.norms import zero_safe_root


class Assignment(NamedTuple):
    """What `earth_movers_assignment` returns: x_i goes to y[permutation[i]]."""

    cost: Float[Tensor, " b"]
    permutation: Int[Tensor, "b n"]
    gap: Float[Tensor, " b"]


def earth_movers_assignment(
    x: Float[Tensor, "b n d"], y: Float[Tensor, "b n d"], *, tolerance: float | int = 0.0
) -> Assignment:
    """The bijection between two sets that costs least, its cost, and how far from least it can be.

    cost = min over bijections φ of Σ over i of |x_i - y_φ(i)|

    Args:
        x, y: points, in the same unit and number.
        tolerance: 0 solves exactly. Above 0 the cost may exceed the optimum by this share of it,
            which is much faster; `gap` says by how much at most it does.

    Returns:
        `cost` in that unit, with an exact gradient, zero where partners coincide;
        `permutation`: x_i goes to y[permutation[i]];
        `gap` with (cost - optimum) / optimum <= gap <= tolerance, 0 where the solver was exact
        (so also where the optimum is 0).

    Raises:
        ValueError: the sets are empty or of unequal size, shapes, dtypes or devices do not fit
            together, the tolerance is negative, or a coordinate is NaN or infinite.

    Source: Rubner, Tomasi and Guibas 2000, "The Earth Mover's Distance as a metric for image
    retrieval". Exact by shortest augmenting paths, certified by the prices of an auction.

    >>> x = torch.tensor([[[0.0], [1.0]]])
    >>> y = torch.tensor([[[5.0], [1.0]]])
    >>> earth_movers_assignment(x, y).permutation
    tensor([[1, 0]])
    """
    check_clouds(x, y)
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"the sets have {x.shape[1]} and {y.shape[1]} points; expected as many in y as in x, "
            "else no bijection exists"
        )
    check_number("tolerance", tolerance)
    wide_x, wide_y = widened(x), widened(y)
    # The gap is rounded up into the dtype of x; what is asked of the solver leaves room for that.
    rounding = torch.finfo(x.dtype).eps
    permutation, gap = solve_assignment(
        wide_x.detach(), wide_y.detach(), tolerance * (1 - 4 * rounding)
    )
    partners = torch.take_along_dim(wide_y, permutation.unsqueeze(-1), dim=1)
    moved = zero_safe_root((wide_x - partners).square().sum(dim=-1))
    return Assignment(moved.sum(dim=1).to(x.dtype), permutation, (gap * (1 + rounding)).to(x.dtype))


def earth_movers_distance(
    x: Float[Tensor, "b n d"],
    y: Float[Tensor, "b n d"],
    *,
    reduction: Literal["sum", "mean"] = "sum",
    tolerance: float | int = 0.0,
) -> Float[Tensor, " b"]:
    """Earth Mover's distance between two point sets of equal size, one value per pair.

    d(X, Y) = min over bijections φ: X → Y of Σ over x of |x - φ(x)|

    Args:
        x, y: points, in the same unit and number.
        reduction: "mean" divides by the number of points.
        tolerance: 0 is exact; above 0 the value may exceed the optimum by this share of it.

    Returns:
        In that unit; 0 exactly when both hold the same points equally often. The gradient is
        exact, and zero where partners coincide.

    Raises:
        ValueError: as `earth_movers_assignment`, or an unknown reduction.

    Source: Fan, Su and Guibas 2017, arXiv:1612.00603, equation 2.

    >>> x = torch.tensor([[[0.0], [1.0]]])
    >>> y = torch.tensor([[[5.0], [1.0]]])
    >>> earth_movers_distance(x, y), earth_movers_distance(x, y, reduction="mean")
    (tensor([5.]), tensor([2.5000]))
    """
    check_option("reduction", reduction, ("sum", "mean"))
    total = earth_movers_assignment(x, y, tolerance=tolerance).cost
    return total / x.shape[1] if reduction == "mean" else total
