"""Right and wrong classes of a VAE: the wrong ones differ from a right one in one method."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from mdcv import vae
from mdcv.exercises.exercise import Mistake, Right


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

# Wrong, each with its name


class _RandomEncoder(Plain):
    def encode(self, x):
        mu, logvar = super().encode(x)
        return mu + (0.5 * logvar).exp() * torch.randn_like(mu), logvar


class _OneHead(Plain):
    def encode(self, x):
        mu, _ = super().encode(x)
        return mu, mu


class _Positive(Plain):
    def encode(self, x):
        mu, logvar = super().encode(x)
        return mu, nn.functional.softplus(logvar)


class _BatchOfEncodings(Plain):
    def encode(self, x):
        mu, logvar = super().encode(x)
        return mu - mu.mean(dim=0), logvar


class _BlindEncoder(Plain):
    def encode(self, x):
        return super().encode(torch.zeros_like(x))


class _HalfBlindEncoder(Plain):
    def encode(self, x):
        seen = torch.zeros_like(x)
        seen[:, : self.pixels // 2] = x[:, : self.pixels // 2]
        return super().encode(seen)


class _LinearEncoder(Plain):
    def __init__(self, pixels, latent):
        super().__init__(pixels, latent)
        self.encoder = nn.Sequential(nn.Linear(pixels, 40), nn.Linear(40, 2 * latent))


class _OnlyTheMean(Plain):
    def encode(self, x):
        return (super().encode(x)[0],)


class _OneVariance(Plain):
    def encode(self, x):
        mu, logvar = super().encode(x)
        return mu, logvar.mean(dim=1)


class _RandomDecoder(Plain):
    def decode(self, z):
        return nn.functional.dropout(super().decode(z), 0.3, training=True)


class _BlindDecoder(Plain):
    def decode(self, z):
        return super().decode(torch.zeros_like(z))


class _FirstLatent(Plain):
    def decode(self, z):
        seen = torch.zeros_like(z)
        seen[:, :1] = z[:, :1]
        return super().decode(seen)


class _Probabilities(Plain):
    def decode(self, z):
        return super().decode(z).sigmoid()

    def sample(self, n, *, generator=None):
        return self.decode(self.noise(n, generator)).detach()


class _LogProbabilities(Plain):
    def decode(self, z):
        return nn.functional.logsigmoid(super().decode(z))

    def sample(self, n, *, generator=None):
        return self.decode(self.noise(n, generator)).exp().detach()


class _LinearDecoder(Plain):
    def __init__(self, pixels, latent):
        super().__init__(pixels, latent)
        self.decoder = nn.Linear(latent, pixels)


class _SampledLogits(Plain):
    def sample(self, n, *, generator=None):
        return self.decode(self.noise(n, generator)).detach()


class _Coins(Plain):
    def sample(self, n, *, generator=None):
        return torch.bernoulli(super().sample(n, generator=generator))


class _OneImage(Plain):
    def sample(self, n, *, generator=None):
        self.noise(n, generator)
        return super().sample(1, generator=generator).repeat(n, 1)


class _OwnNoise(Plain):
    def noise(self, n, generator):
        return super().noise(n, None)


class _Uniform(Plain):
    def noise(self, n, generator):
        super().noise(n, None)
        return torch.rand(n, self.latent, generator=generator)


class _NoDoors(Plain):
    """Cuts or fills what does not fit."""

    def encode(self, x):
        x = x[None] if x.ndim == 1 else x
        padded = torch.zeros(len(x), self.pixels)
        padded[:, : x.shape[1]] = x[:, : self.pixels]
        return super().encode(padded)

    def decode(self, z):
        padded = torch.zeros(len(z), self.latent)
        padded[:, : z.shape[1]] = z[:, : self.latent]
        return super().decode(padded)


class _NoImages(Plain):
    def noise(self, n, generator):
        return torch.randn(max(n, 0), self.latent, generator=generator)


WRONG = (
    Mistake(
        "encoder_is_random",
        _RandomEncoder,
        "The same images got two different guesses: encode returns the distribution, mu and "
        "logvar; drawing from it comes afterwards.",
    ),
    Mistake(
        "one_head_for_both",
        _OneHead,
        "mu and logvar are the same numbers: the encoder needs an output of its own for each.",
    ),
    Mistake(
        "logvar_never_negative",
        _Positive,
        "logvar is never negative: it is a logarithm, and a variance below 1 has a negative one. "
        "No exp, softplus or relu belongs at the end.",
    ),
    Mistake(
        "images_see_each_other",
        _BatchOfEncodings,
        "What comes out for an image depends on the others in its batch.",
    ),
    Mistake(
        "encoder_ignores_the_image",
        _BlindEncoder,
        "All images got the same guess: the encoder does not look at x.",
    ),
    Mistake(
        "encoder_misses_pixels",
        _HalfBlindEncoder,
        "Some pixels have no influence on your guess at all.",
    ),
    Mistake(
        "encoder_is_linear",
        _LinearEncoder,
        "Your encoder is a linear function: between two layers something has to bend (a ReLU, a "
        "tanh), or they are one layer.",
    ),
    Mistake("wrong_number_of_values", _OnlyTheMean),
    Mistake("wrong_shape", _OneVariance),
    Mistake(
        "decoder_is_random",
        _RandomDecoder,
        "The same z got two different answers, in evaluation mode: the decoder says how probable "
        "each pixel is and throws no dice.",
    ),
    Mistake(
        "decoder_ignores_z",
        _BlindDecoder,
        "All z got the same answer: the decoder does not look at them.",
    ),
    Mistake(
        "decoder_misses_latents",
        _FirstLatent,
        "Some latent numbers have no influence on your images at all.",
    ),
    Mistake(
        "probabilities_for_logits",
        _Probabilities,
        "Your decoder's answers all lie between 0 and 1: they look like probabilities, and logits "
        "were asked. The sigmoid belongs into the loss, and into sample.",
    ),
    Mistake(
        "log_probabilities_for_logits",
        _LogProbabilities,
        "Your decoder's answers are never positive: they look like logarithms of probabilities, "
        "and logits were asked.",
    ),
    Mistake(
        "decoder_is_linear",
        _LinearDecoder,
        "Your decoder is a linear function: it needs a hidden layer, and something that bends.",
    ),
    Mistake(
        "samples_are_logits",
        _SampledLogits,
        "Your samples leave [0, 1]: they look like logits. Return the probabilities.",
    ),
    Mistake(
        "coins_thrown",
        _Coins,
        "Your samples are zeros and ones: the coins are thrown already. Return the probabilities.",
    ),
    Mistake(
        "one_image_many_times",
        _OneImage,
        "All your samples are the same image: every one needs a z of its own.",
    ),
    Mistake(
        "ignores_the_generator",
        _OwnNoise,
        "Generators of the same seed gave different samples, or of different seeds the same: draw "
        "z with the generator that comes in.",
    ),
    Mistake(
        "not_from_the_prior",
        _Uniform,
        "Your samples are not distributed as the decoder's answers to z ~ N(0, I): what do you "
        "decode?",
    ),
    Mistake(
        "accepts_other_sizes",
        _NoDoors,
        "Images or latent numbers of another size than announced were accepted, or one without a "
        "batch axis. Compare the shape and raise a ValueError.",
    ),
    Mistake(
        "accepts_no_image",
        _NoImages,
        "No image at all was asked for, and accepted. Raise a ValueError for n < 1.",
    ),
)
