"""Right classes of a VAE, written differently."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from mdcv import vae
from mdcv.exercises.exercise import Right


class Reference(vae.VAE):
    """The library's, with images as rows of pixels."""

    def __init__(self, pixels: int, latent: int) -> None:
        super().__init__((pixels,), latent=latent, hidden=(48,))


class Plain(nn.Module):
    """A right one in plain PyTorch."""

    def __init__(self, pixels: int, latent: int) -> None:
        super().__init__()
        self.pixels, self.latent = pixels, latent
        self.encoder = self.network(pixels, 2 * latent)
        self.decoder = self.network(latent, pixels)

    def network(self, into: int, out: int) -> nn.Module:
        return nn.Sequential(nn.Linear(into, 40), nn.Tanh(), nn.Linear(40, out))

    def encode(self, x: Tensor) -> Sequence[Tensor]:
        if x.ndim != 2 or x.shape[1] != self.pixels:
            raise ValueError(f"x has shape {tuple(x.shape)}; expected (B, {self.pixels})")
        return self.encoder(x).chunk(2, dim=1)

    def decode(self, z: Tensor) -> Tensor:
        if z.shape[-1] != self.latent:
            raise ValueError(f"z has {z.shape[-1]} numbers; expected {self.latent}")
        return self.decoder(z)

    def noise(self, n: int, generator: Generator | None) -> Tensor:
        if n < 1:
            raise ValueError(f"n is {n}; expected at least 1")
        return torch.randn(n, self.latent, generator=generator)

    def sample(self, n: int, *, generator: Generator | None = None) -> Tensor:
        with torch.no_grad():
            return torch.sigmoid(self.decode(self.noise(n, generator)))


# Right, written differently


class _TwoHeads(nn.Module):
    """Weights made by hand, a head each for mean and log-variance, one pixel row at a time."""

    def __init__(self, pixels: int, latent: int) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.randn(pixels, 30) / pixels**0.5)
        self.mean = nn.Parameter(torch.randn(30, latent) / 6)
        self.log_variance = nn.Parameter(torch.randn(30, latent) / 6)
        self.back = nn.ParameterList([torch.randn(latent, 30) / 2, torch.randn(30, pixels) / 6])

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if x.dim() != 2 or x.size(1) != self.first.size(0):
            raise ValueError("another number of pixels")
        hidden = torch.relu(x @ self.first)
        return hidden @ self.mean, hidden @ self.log_variance

    def decode(self, z: Tensor) -> Tensor:
        if z.size(1) != self.back[0].size(0):
            raise ValueError("another number of latents")
        return torch.stack([torch.relu(row @ self.back[0]) @ self.back[1] for row in z])

    def sample(self, n: int, *, generator: Generator | None = None) -> Tensor:
        if n <= 0:
            raise ValueError("nothing to draw")
        images = []
        for _ in range(n):
            z = torch.empty(1, self.back[0].size(0)).normal_(generator=generator)
            images.append(self.decode(z)[0].sigmoid())
        return torch.stack(images)


class _Normalized(Plain):
    """Batch normalization inside, which judges each image by itself once in evaluation mode."""

    def network(self, into: int, out: int) -> nn.Module:
        return nn.Sequential(
            nn.Linear(into, 64), nn.BatchNorm1d(64), nn.LeakyReLU(), nn.Linear(64, out)
        )


class _Deep(Plain):
    """Three layers, log-variances that start low, and noise by torch.normal."""

    def network(self, into: int, out: int) -> nn.Module:
        last = nn.Linear(24, out)
        if out == 2 * self.latent:
            nn.init.constant_(last.bias[self.latent :], -4.0)
        return nn.Sequential(nn.Linear(into, 32), nn.GELU(), nn.Linear(32, 24), nn.GELU(), last)

    def noise(self, n: int, generator: Generator | None) -> Tensor:
        if not n > 0:
            raise ValueError("n must be positive")
        return torch.normal(0.0, 1.0, (n, self.latent), generator=generator)


RIGHT = (
    Right("in plain PyTorch", Plain),
    Right("two heads, weights by hand", _TwoHeads),
    Right("with batch normalization", _Normalized),
    Right("three layers", _Deep),
)
