"""PixelCNN: all conditionals of an image from one stack of causal convolutions."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from mdcv.autoregressive.gated import GatedBlock, RowsAbove, shifted_down
from mdcv.autoregressive.masks import MaskedConv2d
from mdcv.autoregressive.model import PixelModel


class PixelCNN(PixelModel):
    """The gated PixelCNN: an exact density over discrete images, and samples from it.

    The image enters both stacks once: the vertical one shifted a row down, the horizontal one
    through a mask of kind A. From then on a feature at a pixel knows earlier pixels only, and
    may be mixed freely with its equals.

    Args:
        colors: channels of an image.
        levels: values an entry can take, from 0 to 1.
        channels: features per stack, a multiple of `colors`.
        blocks: gated blocks. Each reaches (kernel_size − 1) / 2 pixels further.
        kernel_size: odd.

    Source: van den Oord et al. 2016, arXiv:1606.05328. Without its conditioning on labels, and
    with the vertical stack shifted where it reads the image (see `GatedBlock`).

    >>> model = PixelCNN(channels=8, blocks=1)
    >>> images = torch.rand(5, 1, 8, 8).round()
    >>> model(images).shape, model.log_prob(images).shape
    (torch.Size([5, 2, 1, 8, 8]), torch.Size([5]))
    """

    def __init__(
        self,
        colors: int = 1,
        levels: int = 2,
        *,
        channels: int = 32,
        blocks: int = 4,
        kernel_size: int = 3,
    ) -> None:
        super().__init__(colors, levels)
        self.read_above = RowsAbove(colors, channels, kernel_size)
        self.read_left = MaskedConv2d(colors, channels, (1, kernel_size), kind="A", colors=colors)
        self.blocks = nn.ModuleList(
            GatedBlock(channels, kernel_size, colors=colors) for _ in range(blocks)
        )
        self.head = head(channels, colors, levels)

    def forward(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b l c h w"]:
        x = 2 * images - 1
        v, h = self.read_above(shifted_down(x)), self.read_left(x)
        for block in self.blocks:
            v, h = block(v, h)
        return as_logits(self.head(h), self.colors)


class PlainPixelCNN(PixelModel):
    """The first PixelCNN: square masked convolutions, one stack, and a blind spot.

    Causal and normalized as the gated one is, but a pixel to the upper right, beyond the slope
    that 3×3 kernels climb, never reaches the output, however many layers there are.

    Args:
        colors, levels, channels, kernel_size: as for `PixelCNN`.
        layers: masked convolutions after the first.

    Source: van den Oord, Kalchbrenner and Kavukcuoglu 2016, arXiv:1601.06759, section 3.3.

    >>> PlainPixelCNN(channels=8, layers=2)(torch.zeros(3, 1, 6, 6)).shape
    torch.Size([3, 2, 1, 6, 6])
    """

    def __init__(
        self,
        colors: int = 1,
        levels: int = 2,
        *,
        channels: int = 32,
        layers: int = 4,
        kernel_size: int = 3,
    ) -> None:
        super().__init__(colors, levels)
        self.read = MaskedConv2d(colors, channels, kernel_size, kind="A", colors=colors)
        self.layers = nn.ModuleList(
            MaskedConv2d(channels, channels, kernel_size, kind="B", colors=colors)
            for _ in range(layers)
        )
        self.head = head(channels, colors, levels)

    def forward(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b l c h w"]:
        h = self.read(2 * images - 1)
        for layer in self.layers:
            h = h + layer(h.relu())
        return as_logits(self.head(h), self.colors)


def head(channels: int, colors: int, levels: int) -> nn.Sequential:
    """Two pixel-wise layers from features to the logits of every level, color by color."""
    return nn.Sequential(
        nn.ReLU(),
        MaskedConv2d(channels, channels, 1, kind="B", colors=colors),
        nn.ReLU(),
        MaskedConv2d(channels, colors * levels, 1, kind="B", colors=colors),
    )


def as_logits(outputs: Float[Tensor, "b cl h w"], colors: int) -> Float[Tensor, "b l c h w"]:
    """Outputs ordered by color and then level, with an axis for each; levels come first."""
    return outputs.unflatten(1, (colors, -1)).transpose(1, 2)
