"""Who sees whom: the Jacobian of a network, read as a table of yes and no."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def dependence(
    network: Callable[[Tensor], Tensor], images: Float[Tensor, "b c h w"]
) -> Bool[Tensor, "n n"]:
    """Entry (i, j) tells whether output i of a network depends on input j, in raster order.

    Inputs are ordered as a pixel model draws them: row by row, pixel by pixel, color by color. A
    model is causal if and only if the table is True strictly below the diagonal at most; it has
    no blind spot if it is True everywhere there.

    A derivative that is zero at these images need not be zero elsewhere (a closed ReLU hides
    what is behind it), so hand in several images: an entry is True if any of them shows it.

    Args:
        network: from images (B, C, H, W) to logits (B, L, C, H, W) or features (B, C, H, W).
        images: where to differentiate; a few random ones, in float64 to tell small from zero.

    >>> shift = lambda x: x.roll(1, dims=-1)
    >>> dependence(shift, torch.rand(1, 1, 1, 3)).int()
    tensor([[0, 0, 1],
            [1, 0, 0],
            [0, 1, 0]], dtype=torch.int32)
    """
    _, colors, height, width = images.shape
    leaf = images.detach().clone().requires_grad_()
    outputs = network(leaf)
    if outputs.ndim == 4:
        outputs = outputs[:, None]
    rows = []
    for i in range(height):
        for j in range(width):
            for color in range(colors):
                seen = torch.zeros_like(leaf, dtype=torch.bool)
                for level in range(outputs.shape[1]):
                    (slope,) = torch.autograd.grad(
                        outputs[:, level, color, i, j].sum(),
                        leaf,
                        retain_graph=True,
                        materialize_grads=True,
                    )
                    seen |= slope != 0
                rows.append(seen.any(dim=0).permute(1, 2, 0).flatten())
    return torch.stack(rows)
