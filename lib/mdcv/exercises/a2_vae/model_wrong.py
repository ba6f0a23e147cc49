"""Wrong classes of a VAE: each differs from a right one in one method."""

from __future__ import annotations

import torch
from torch import nn

from mdcv.exercises.a2_vae.model_right import Plain
from mdcv.exercises.exercise import Mistake


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
