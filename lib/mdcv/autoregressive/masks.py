"""Convolutions that look back only: the weights ahead of the center are zero."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from mdcv.errors import check_integer, check_option

Kind = Literal["A", "B"]


def causal_mask(
    kernel_size: tuple[int, int],
    kind: Kind,
    in_colors: Int[Tensor, " i"],
    out_colors: Int[Tensor, " o"],
) -> Float[Tensor, "o i h w"]:
    """Ones at the weights a causal convolution may use, zeros at all others.

    Pixels are ordered row by row, and within a pixel color by color. Rows above the center and
    pixels to its left are past. At the center itself an output of color c may see the colors
    before c (kind A), or those and c itself (kind B).

    Args:
        kernel_size: height and width, both odd, so that there is a center.
        kind: "A" for the layer that reads the image, "B" for layers that read features, which
            have already been kept from their own pixel.
        in_colors, out_colors: the color that each channel belongs to, from 0 up.

    Source: van den Oord, Kalchbrenner and Kavukcuoglu 2016, arXiv:1601.06759, section 3.4.

    >>> one = torch.zeros(1, dtype=torch.long)
    >>> causal_mask((3, 3), "A", one, one)[0, 0]
    tensor([[1., 1., 1.],
            [1., 0., 0.],
            [0., 0., 0.]])
    """
    check_option("kind", kind, ("A", "B"))
    height, width = kernel_size
    if height % 2 == 0 or width % 2 == 0:
        raise ValueError(f"kernel_size is {kernel_size}; expected two odd numbers")
    place = torch.arange(height * width).view(height, width)
    center = place[height // 2, width // 2]
    earlier_pixel = place < center
    earlier_color = in_colors < out_colors[:, None]
    if kind == "B":
        earlier_color = earlier_color | (in_colors == out_colors[:, None])
    same_pixel = place == center
    allowed = earlier_pixel | (same_pixel & earlier_color[:, :, None, None])
    return allowed.float()


def color_of_channels(channels: int, colors: int, *, parts: int = 1) -> Int[Tensor, " c"]:
    """The color each channel belongs to: first those of color 0, then those of color 1, ...

    Args:
        channels: how many there are; each part holds a multiple of `colors`.
        parts: a layer that computes several quantities at once (features and their gates) holds
            them one after the other, and each is ordered by color.

    >>> color_of_channels(6, 3)
    tensor([0, 0, 1, 1, 2, 2])
    >>> color_of_channels(4, 2, parts=2)
    tensor([0, 1, 0, 1])
    """
    check_integer("colors", colors, low=1)
    if channels % (colors * parts):
        raise ValueError(
            f"channels is {channels}; expected a multiple of {colors * parts}, for {colors} colors "
            f"in {parts} parts"
        )
    return torch.arange(colors).repeat_interleave(channels // parts // colors).repeat(parts)


class MaskedConv2d(nn.Conv2d):
    """A convolution, same size in and out, whose masked weights count as zero at every call.

    The mask is applied in `forward`, not once at the start: an optimizer may move the weights
    behind it, and nothing comes of that.

    Args:
        in_channels, out_channels: multiples of `colors` (and of the parts).
        kernel_size: odd; one number for a square, or height and width.
        kind: "A" keeps an output from its own pixel and color, "B" lets it see them.
        colors: channels of the image, which are drawn one after the other: 1 for gray, 3 for RGB.
        parts: how many quantities the output holds, one after the other.

    Raises:
        ValueError: an even kernel, an unknown kind, or channels that do not divide into colors.

    Source: van den Oord, Kalchbrenner and Kavukcuoglu 2016, arXiv:1601.06759, figure 2.

    >>> layer = MaskedConv2d(1, 1, 3, kind="A")
    >>> image = torch.zeros(1, 1, 3, 3)
    >>> before = layer(image)
    >>> image[0, 0, 1, 1] = 1                       # what is seen at the center, and after it
    >>> (layer(image) != before)[0, 0].int()
    tensor([[0, 0, 0],
            [0, 0, 1],
            [1, 1, 1]], dtype=torch.int32)
    """

    mask: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        kind: Kind,
        colors: int = 1,
        parts: int = 1,
    ) -> None:
        height, width = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
        in_colors = color_of_channels(in_channels, colors)
        out_colors = color_of_channels(out_channels, colors, parts=parts)
        mask = causal_mask((height, width), kind, in_colors, out_colors)
        super().__init__(
            in_channels, out_channels, (height, width), padding=(height // 2, width // 2)
        )
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, input: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o h w"]:
        weight = self.weight * self.mask
        return functional.conv2d(input, weight, self.bias, padding=self.padding)
