"""A VAE for small images: an encoder q(z|x) and a decoder p(x|z) of fully connected layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from mdcv.errors import check_integer
from mdcv.vae.gaussian import DiagonalGaussian


class VAE(nn.Module):
    """p(z) = N(0, I), p(x|z) a coin for each pixel, q(z|x) a Gaussian without correlations.

    Training needs the encoder, `vae.encode(x)`; generation needs the decoder alone.

    Args:
        image_shape: of one image, without the batch axis.
        latent: how many numbers z has.
        hidden: the width of each hidden layer of the encoder; the decoder has them reversed.

    Raises:
        ValueError: a size is below 1.

    Source: Kingma and Welling 2014, arXiv:1312.6114, appendix C, with SiLU for tanh.

    >>> vae = VAE((1, 8, 8), latent=4)
    >>> x = torch.rand(3, 1, 8, 8)
    >>> logits, mu, logvar = vae(x)
    >>> logits.shape, mu.shape, vae.sample(5).shape
    (torch.Size([3, 1, 8, 8]), torch.Size([3, 4]), torch.Size([5, 1, 8, 8]))
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 8, 8),
        *,
        latent: int = 16,
        hidden: Sequence[int] = (256, 256),
    ) -> None:
        super().__init__()
        for name, size in [("latent", latent), *(("hidden", size) for size in hidden)]:
            check_integer(name, size, low=1)
        for size in image_shape:
            check_integer("image_shape", size, low=1)
        self.image_shape, self.latent = tuple(image_shape), latent
        pixels = math.prod(image_shape)
        self.encoder = _layers([pixels, *hidden, 2 * latent])
        self.decoder = _layers([latent, *reversed(hidden), pixels])

    def encode(self, x: Float[Tensor, "b ..."]) -> DiagonalGaussian:
        """q(z|x) as a pair: (μ, log σ²), each (B, latent)."""
        if tuple(x.shape[1:]) != self.image_shape:
            expected = f"(B, {', '.join(map(str, self.image_shape))})"
            raise ValueError(f"x has shape {tuple(x.shape)}; expected {expected}")
        return DiagonalGaussian(*self.encoder(x.flatten(1)).chunk(2, dim=1))

    def decode(self, z: Float[Tensor, "*b d"]) -> Float[Tensor, "*b ..."]:
        """The logit of every pixel of p(x|z): z's leading axes, then those of an image."""
        if z.shape[-1] != self.latent:
            raise ValueError(f"z has shape {tuple(z.shape)}; expected (..., {self.latent})")
        return self.decoder(z).unflatten(-1, self.image_shape)

    def forward(
        self, x: Float[Tensor, "b ..."], *, generator: Generator | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Logits for one draw z from q(z|x), and its μ and log σ²: what `elbo` asks for."""
        q = self.encode(x)
        return self.decode(q.draw(generator=generator)), q.mu, q.logvar

    @torch.no_grad()
    def sample(self, n: int, *, generator: Generator | None = None) -> Float[Tensor, "n ..."]:
        """New images: for n draws of z from N(0, I) the probability of ink at each pixel."""
        check_integer("n", n, low=1)
        weight = next(self.parameters())
        z = torch.randn(
            n, self.latent, generator=generator, dtype=weight.dtype, device=weight.device
        )
        return self.decode(z).sigmoid()


def _layers(sizes: list[int]) -> nn.Sequential:
    """Linear layers with SiLU in between."""
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.SiLU()]
    return nn.Sequential(*layers[:-1])
