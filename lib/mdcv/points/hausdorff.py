"""The Hausdorff distance: how far the worst point of either set is from the other set."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.errors import check_clouds
from mdcv.kernels.arithmetic import widened
from mdcv.points.neighbors import nearest_squared_distances
from mdcv.points.norms import zero_safe_root


def hausdorff_distance(x: Float[Tensor, "b n d"], y: Float[Tensor, "b m d"]) -> Float[Tensor, " b"]:
    """Hausdorff distance between two point sets, one value per pair; symmetric, not squared.

    d(X, Y) = max( max over x of min over y |x - y|,  max over y of min over x |x - y| )

    Its gradient touches only the pair that attains the maximum, which makes it slow to optimize.

    Args:
        x, y: points, in the same unit.

    Returns:
        In that unit; 0 exactly when both sets hold the same points. NaN where a set holds NaN
        or an infinity.

    Raises:
        ValueError: a set is empty, or shapes, dtypes or devices do not fit together.

    >>> x = torch.tensor([[[0.0], [1.0]]])
    >>> y = torch.tensor([[[0.0], [4.0]]])
    >>> hausdorff_distance(x, y)
    tensor([3.])
    """
    check_clouds(x, y)
    wide_x, wide_y = widened(x), widened(y)
    x_to_y = nearest_squared_distances(wide_x, wide_y).amax(dim=1)
    y_to_x = nearest_squared_distances(wide_y, wide_x).amax(dim=1)
    return zero_safe_root(torch.maximum(x_to_y, y_to_x)).to(x.dtype)
