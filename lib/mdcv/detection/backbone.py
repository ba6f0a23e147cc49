"""One feature map for a whole image: the part of a detector that every region shares."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from mdcv.errors import check_integer


class Backbone(nn.Module):
    """Convolutions that halve the image once for each entry of `channels`.

    Each stage is a 3×3 convolution of stride 2 and one of stride 1, with group normalization,
    which does not care how few images a batch holds. A cell of the map stands for `stride` ×
    `stride` pixels.

    Args:
        channels: the width of each stage; the last is the width of the feature map. Multiples of 8.

    Raises:
        ValueError: no stage, or a width that is not a multiple of 8.

    >>> backbone = Backbone((16, 24))
    >>> backbone.stride, backbone(torch.rand(1, 3, 32, 48)).shape
    (4, torch.Size([1, 24, 8, 12]))
    """

    def __init__(self, channels: Sequence[int] = (32, 64, 128)) -> None:
        super().__init__()
        if len(channels) == 0:
            raise ValueError("channels is empty; expected the width of one stage at least")
        before, layers = 3, []
        for width in channels:
            check_integer("channels", width, low=1)
            if width % 8:
                raise ValueError(f"channels holds {width}; expected multiples of 8")
            layers += [*_convolution(before, width, 2), *_convolution(width, width, 1)]
            before = width
        self.stride, self.channels = 2 ** len(channels), before
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b c i j"]:
        """The feature map of images in [0, 1]."""
        return self.layers(2 * images - 1)


def _convolution(before: int, after: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(before, after, 3, stride, padding=1, bias=False),
        nn.GroupNorm(8, after),
        nn.ReLU(),
    ]
