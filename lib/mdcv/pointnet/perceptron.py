"""h: the same small perceptron for every point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from mdcv.pointnet.doors import check_sizes

#: Rows that are multiplied at a time outside of training.
BLOCK = 64


class PointMLP(nn.Module):
    """One perceptron applied to every row: (..., C) to (..., K).

    Linear layers, each followed by batch normalization over all rows and ReLU. Papers call it
    a *shared* MLP, or a convolution with kernel size 1.

    In eval mode a row's result does not depend on the other rows, not even in its last bit: rows
    are multiplied in blocks of one fixed size, since a matrix product may add up in another order
    when it has another number of rows. In training mode the rows share their batch statistics.

    Args:
        sizes: C, the hidden widths, K.
        norm: False leaves batch normalization out.
        linear_end: True keeps the last layer linear, without normalization and ReLU.
        rng: where the initial weights come from; `None` means PyTorch's default generator.

    Raises:
        ValueError: fewer than two sizes, or one that is not an integer >= 1.

    >>> PointMLP([3, 8, 16])(torch.zeros(2, 5, 3)).shape
    torch.Size([2, 5, 16])
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        norm: bool = True,
        linear_end: bool = False,
        rng: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        sizes = check_sizes("sizes", sizes, least=2)
        layers: list[nn.Module] = []
        for size, next_size in pairwise(sizes):
            layers.append(_linear(size, next_size, rng))
            if norm:
                layers.append(nn.BatchNorm1d(next_size))
            layers.append(nn.ReLU())
        if linear_end:
            layers = layers[: -2 if norm else -1]
        self.layers = nn.Sequential(*layers)
        self.sizes = sizes

    def forward(self, rows: Float[Tensor, "*rows c"]) -> Float[Tensor, "*rows k"]:
        flat = rows.flatten(0, -2)
        flat = self.layers(flat) if self.training else by_blocks(self.layers, flat)
        return flat.unflatten(0, rows.shape[:-1])


def by_blocks(function: Callable[[Tensor], Tensor], rows: Float[Tensor, "n c"]) -> Tensor:
    """function(rows), computed `BLOCK` rows at a time, the last block filled up with zeros.

    >>> by_blocks(lambda rows: 2 * rows, torch.ones(3, 1)).sum()
    tensor(6.)
    """
    n = len(rows)
    missing = -n % BLOCK if n else BLOCK
    blocks = F.pad(rows, (0, 0, 0, missing)).split(BLOCK)
    return torch.cat([function(block) for block in blocks])[:n]


def _linear(inputs: int, outputs: int, rng: torch.Generator | None) -> nn.Linear:
    """PyTorch's linear layer and its own distribution of weights, drawn from `rng`."""
    linear = nn.utils.skip_init(nn.Linear, inputs, outputs)
    with torch.no_grad():
        for parameter in linear.parameters():
            parameter.uniform_(-(inputs**-0.5), inputs**-0.5, generator=rng)
    return linear
