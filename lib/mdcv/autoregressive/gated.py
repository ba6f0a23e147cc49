"""Gated blocks with two stacks of features: everything above, and everything to the left."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from mdcv.autoregressive.masks import MaskedConv2d


def shifted_down(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """The image one row lower, zeros in the first row: at row i stands what was in row i − 1.

    >>> shifted_down(torch.tensor([[[[1.0], [2.0], [3.0]]]])).flatten()
    tensor([0., 1., 2.])
    """
    return functional.pad(x, (0, 0, 1, -1))


def gate(features: Float[Tensor, "b two_c h w"]) -> Float[Tensor, "b c h w"]:
    """tanh(first half) ⊙ σ(second half) along the channels.

    >>> gate(torch.tensor([100.0, 0.0]).view(1, 2, 1, 1)).item()
    0.5
    """
    values, openings = features.chunk(2, dim=1)
    return torch.tanh(values) * torch.sigmoid(openings)


class RowsAbove(nn.Conv2d):
    """A convolution over the row of the output and the rows above it, in full width.

    It is used on features that were shifted one row down, so that "the row of the output" is
    already past. Nothing has to be masked: the kernel simply ends there.

    Args:
        in_channels, out_channels: any.
        kernel_size: odd width; its height is the upper half of a square kernel, center included.

    >>> layer = RowsAbove(1, 1, 3)
    >>> layer.weight.shape, layer(torch.zeros(1, 1, 5, 4)).shape
    (torch.Size([1, 1, 2, 3]), torch.Size([1, 1, 5, 4]))
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size is {kernel_size}; expected an odd number")
        self.reach = kernel_size // 2
        super().__init__(in_channels, out_channels, (self.reach + 1, kernel_size))

    def forward(self, input: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o h w"]:
        padded = functional.pad(input, (self.reach, self.reach, self.reach, 0))
        return functional.conv2d(padded, self.weight, self.bias)


class GatedBlock(nn.Module):
    """One layer of the gated PixelCNN: both stacks go in, both stacks come out.

    v' = gate(V ∗ v),  h' = h + P ∗ gate(H ∗ h + L ∗ (V ∗ v)),  gate(a, b) = tanh(a) ⊙ σ(b)

    v holds at row i what is known of the rows before i, in full width; h holds what is known of
    the pixels before (i, j), the left of row i included. The vertical stack feeds the horizontal
    one and never the other way round. A stack of square masked convolutions has a blind spot, a
    wedge to the upper right that no number of layers reaches; here there is none, because V is
    as wide to the right as to the left.

    Args:
        channels: of each stack, a multiple of `colors`.
        kernel_size: odd.
        colors: channels of the image.

    Source: van den Oord et al. 2016, arXiv:1606.05328, section 2.3 and figure 2. There the
    vertical stack holds rows up to i and is shifted when it feeds the horizontal one; here it is
    shifted once, where it reads the image, so that every layer looks the same.

    >>> v, h = GatedBlock(4, 3)(torch.zeros(2, 4, 6, 5), torch.zeros(2, 4, 6, 5))
    >>> v.shape, h.shape
    (torch.Size([2, 4, 6, 5]), torch.Size([2, 4, 6, 5]))
    """

    def __init__(self, channels: int, kernel_size: int, *, colors: int = 1) -> None:
        super().__init__()
        self.vertical = RowsAbove(channels, 2 * channels, kernel_size)
        self.horizontal = MaskedConv2d(
            channels, 2 * channels, (1, kernel_size), kind="B", colors=colors, parts=2
        )
        self.link = nn.Conv2d(2 * channels, 2 * channels, 1)
        self.project = MaskedConv2d(channels, channels, 1, kind="B", colors=colors)

    def forward(
        self, v: Float[Tensor, "b c h w"], h: Float[Tensor, "b c h w"]
    ) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "b c h w"]]:
        above = self.vertical(v)
        before = self.horizontal(h) + self.link(above)
        return gate(above), h + self.project(gate(before))
