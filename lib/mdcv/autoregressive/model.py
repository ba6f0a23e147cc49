"""What all pixel models share: exact likelihood from one pass, samples from one pass a pixel."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from mdcv.autoregressive.likelihood import log_likelihood, to_levels
from mdcv.errors import check_integer, check_tensor


class PixelModel(nn.Module):
    """A distribution over discrete images, as a product of conditionals in raster order.

    p(x) = Π_i p(x_i | x_1, ..., x_{i−1}),  rows from the top, pixels from the left, colors in order

    A subclass writes `forward`, which must be causal: the logits of an entry may depend on
    earlier entries only. `dependence` shows whether they do.

    Args:
        colors: channels of an image.
        levels: values an entry can take, equally spaced from 0 to 1; 2 for black and white,
            256 for 8-bit images.
    """

    def __init__(self, colors: int, levels: int) -> None:
        super().__init__()
        check_integer("colors", colors, low=1)
        check_integer("levels", levels, low=2)
        self.colors = colors
        self.levels = levels

    def forward(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b l c h w"]:
        """Logits of every level of every entry, for all entries in parallel."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to compute its logits")

    def log_prob(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        """log p(x) in nats, exactly, one number per image, in a single pass.

        Raises:
            ValueError: an entry is not one of the levels, or the channels are not `colors`.
        """
        self._check_images(images)
        return log_likelihood(self(images), to_levels(images, self.levels))

    @torch.no_grad()
    def sample(
        self, n: int, height: int, width: int, *, generator: Generator | None = None
    ) -> Float[Tensor, "n c h w"]:
        """Images drawn from the model, entry by entry: colors · height · width passes.

        Args:
            generator: the source of randomness; on the model's device.
        """
        check_integer("n", n, low=0)
        check_integer("height", height, low=1)
        check_integer("width", width, low=1)
        like = next(self.parameters())
        return self.complete(like.new_zeros(n, self.colors, height, width), 0, generator=generator)

    @torch.no_grad()
    def complete(
        self, images: Float[Tensor, "b c h w"], rows: int, *, generator: Generator | None = None
    ) -> Float[Tensor, "b c h w"]:
        """Images with the first `rows` rows kept and all others drawn given what stands before.

        These are exact draws from the conditional distribution, because the rows that are kept
        come first in the order of the model. No other part of an image can be kept so easily.

        Raises:
            ValueError: `rows` is more than the images have, or the channels are not `colors`.
        """
        self._check_images(images)
        batch, _, height, width = images.shape
        check_integer("rows", rows, low=0, high=height)
        drawn = images.clone()
        drawn[:, :, rows:] = 0
        for i in range(rows, height):
            for j in range(width):
                for color in range(self.colors):
                    # Rows below i cannot matter, so they are not computed.
                    logits = self(drawn[:, :, : i + 1])[:, :, color, i, j]
                    if batch:
                        level = torch.multinomial(logits.softmax(dim=1), 1, generator=generator)
                        drawn[:, color, i, j] = level[:, 0].to(drawn) / (self.levels - 1)
        return drawn

    def _check_images(self, images: Tensor) -> None:
        check_tensor("images", images, ndim=4, layout="(B, C, H, W)")
        if images.shape[1] != self.colors:
            raise ValueError(
                f"images has shape {tuple(images.shape)}; axis C should be {self.colors}, not "
                f"{images.shape[1]}"
            )
