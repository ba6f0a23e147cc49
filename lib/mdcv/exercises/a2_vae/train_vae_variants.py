"""Right and wrong ways to train a VAE, all of them quick, and one mistake in each wrong one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from mdcv.exercises.exercise import Mistake, Right
from mdcv.vae import elbo, reparameterize

Objective = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


class Small(nn.Module):
    """One hidden layer on either side."""

    def __init__(self, pixels: int, latent: int, *, width: int = 64) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(pixels, width), nn.SiLU(), nn.Linear(width, 2 * latent)
        )
        self.decoder = nn.Sequential(nn.Linear(latent, width), nn.SiLU(), nn.Linear(width, pixels))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return mu, logvar

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(z)


def trained(
    images: Tensor,
    latent: int,
    *,
    seed: int = 0,
    objective: Objective = elbo,
    noise: float = 1.0,
    draw: Callable[..., Tensor] = reparameterize,
    steps: int = 300,
    ascent: bool = False,
    door: bool = True,
) -> Small:
    """A small VAE after 300 steps of 100 images; the options are for the wrong variants."""
    if door and not bool(((images >= 0) & (images <= 1)).all()):
        raise ValueError("a pixel is outside [0, 1]")
    torch.manual_seed(seed)
    model = Small(images.shape[1], latent)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, maximize=not ascent)
    for _ in range(steps):
        x = images[torch.randint(len(images), (100,))]
        mu, logvar = model.encode(x)
        z = draw(mu, logvar, noise * torch.randn_like(mu))
        value = objective(model.decode(z), x, mu, logvar).mean()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    return model


# Right, written differently


class _Convolutional(nn.Module):
    """An encoder that knows the images are square; names of its own throughout."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(1, 8, 3, padding=1)
        self.guess = nn.Linear(8 * 49, 2 * latent)
        self.paint = nn.ModuleList([nn.Linear(latent, 48), nn.Linear(48, 49)])
        self.latent = latent

    def encode(self, x: Tensor) -> list[Tensor]:
        seen = torch.relu(self.look(x.view(-1, 1, 7, 7))).flatten(1)
        guess = self.guess(seen)
        return [guess[:, : self.latent], guess[:, self.latent :]]

    def decode(self, z: Tensor) -> Tensor:
        return self.paint[1](torch.tanh(self.paint[0](z)))


def _convolutional(images: Tensor, latent: int, *, seed: int = 0) -> nn.Module:
    if images.min() < 0 or images.max() > 1 or images.isnan().any():
        raise ValueError("expected pixels in [0, 1]")
    torch.random.manual_seed(seed)
    model = _Convolutional(latent)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=3e-3)
    for _ in range(25):
        for x in images[torch.randperm(len(images))].split(90):
            mu, logvar = model.encode(x)
            logits = model.decode(mu + torch.exp(logvar / 2) * torch.randn_like(mu))
            loss = nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
            loss = loss - 0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum()
            optimizer.zero_grad()
            (loss / len(x)).backward()
            optimizer.step()
    return model


def _whole_set(images: Tensor, latent: int, *, seed: int = 0) -> nn.Module:
    """All images at every step, noise from a generator of its own, KL warmed up."""
    if not torch.all((0 <= images) & (images <= 1)):
        raise ValueError("no pixels")
    source = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed + 1)
    model = Small(images.shape[1], latent, width=48)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-2)
    for step in range(150):
        mu, logvar = model.encode(images)
        eps = torch.randn(mu.shape, generator=source)
        logits = model.decode(mu + (0.5 * logvar).exp() * eps)
        likelihood = images * logits - nn.functional.softplus(logits)
        kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar)
        loss = -likelihood.sum(1) + min(1.0, step / 50) * kl.sum(1)
        optimizer.zero_grad()
        loss.mean().backward()
        optimizer.step()
    return model


def _three_draws(images: Tensor, latent: int, *, seed: int = 0) -> nn.Module:
    """Three draws for every image, and the prior's part of the bound drawn as well."""
    if bool((images < 0).any() | (images > 1).any() | images.isnan().any()):
        raise ValueError("pixels outside [0, 1]")
    torch.manual_seed(seed)
    model = Small(images.shape[1], latent)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(300):
        x = images[torch.randint(len(images), (60,))]
        mu, logvar = model.encode(x)
        eps = torch.randn(3, *mu.shape)
        z = mu + (0.5 * logvar).exp() * eps
        log_q = -0.5 * (eps**2 + logvar).sum(-1)
        logits = model.decode(z)
        log_joint = (x * logits - nn.functional.softplus(logits)).sum(-1) - 0.5 * (z**2).sum(-1)
        optimizer.zero_grad()
        (log_q - log_joint).mean().backward()
        optimizer.step()
    return model


RIGHT = (
    Right("a convolution, and epochs", _convolutional),
    Right("the whole set at every step", _whole_set),
    Right("three draws for each image", _three_draws),
)

# Wrong, each with its name


def _likelihood(logits: Tensor, x: Tensor) -> Tensor:
    return (x * logits - nn.functional.softplus(logits)).sum(dim=1)


def _kl(mu: Tensor, logvar: Tensor) -> Tensor:
    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1)


def _without_kl(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return _likelihood(logits, x)


def _pixel_mean(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return _likelihood(logits, x) / x.shape[1] - _kl(mu, logvar)


class _Squashed(Small):
    """Its decoder returns probabilities where logits are asked."""

    def decode(self, z: Tensor) -> Tensor:
        return super().decode(z).sigmoid()


def _probabilities(images: Tensor, latent: int, *, seed: int = 0) -> nn.Module:
    model = trained(images, latent, seed=seed)
    squashed = _Squashed(images.shape[1], latent)
    squashed.load_state_dict(model.state_dict())
    return squashed


def _unseeded(images: Tensor, latent: int, *, seed: int = 0) -> nn.Module:
    return trained(images, latent, seed=int(torch.randint(2**31, ())))


class _Square(Small):
    """Its decoder returns square images where rows of pixels are asked."""

    def decode(self, z: Tensor) -> Tensor:
        return super().decode(z).unflatten(1, (7, 7))


def _square(images: Tensor, latent: int, *, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return _Square(images.shape[1], latent)


def _history(images: Tensor, latent: int, *, seed: int = 0) -> Any:
    trained(images, latent, seed=seed, steps=2)
    return torch.zeros(2)


_variant = functools.partial(functools.partial, trained)

WRONG = (
    Mistake(
        "leaves_the_prior",
        _variant(objective=_without_kl),
        "Your guesses lie far outside of the prior, so new images cannot be drawn from it, and the "
        "bound on unseen images is poor. Is the KL term in the loss, with the right sign?",
    ),
    Mistake(
        "collapsed",
        _variant(objective=_pixel_mean),
        "The posterior has collapsed: your encoder says the same about every image, and the "
        "decoder paints the average. Are both terms of the bound sums over dimensions, and does "
        "the optimizer have all parameters?",
    ),
    Mistake(
        "noise_ignored",
        _variant(noise=0.0),
        "Your guesses are as wide as the prior, and yet your decoder relies on where their centers "
        "lie: it was trained on μ, without noise. Decode a draw.",
    ),
    Mistake(
        "nothing_learned",
        _variant(steps=0),
        "Your model answers as an untrained one, with every pixel a fair coin. Is backward "
        "followed by optimizer.step, does the optimizer have all parameters, and is the trained "
        "model the one you return?",
    ),
    Mistake(
        "climbs_the_loss",
        _variant(ascent=True),
        "Unseen images have become far less probable than before training: the bound is pushed "
        "down. Optimizers minimize, and the bound is to be large.",
    ),
    Mistake(
        "bound_too_low",
        _variant(steps=25),
        "Your model has learned something, but its bound on unseen images is lower than asked. "
        "Train longer, or with a larger learning rate; if the loss stands still, check the two "
        "terms of the bound and the noise.",
    ),
    Mistake(
        "probabilities_for_logits",
        _probabilities,
        "Your decoder's answers all lie between 0 and 1: they look like probabilities, and logits "
        "were asked. The sigmoid belongs into the loss, and into sample.",
    ),
    Mistake(
        "sigmoid_twice",
        _variant(objective=lambda logits, *rest: elbo(logits.sigmoid(), *rest)),
        "Your decoder is sure of itself about every pixel, and wrong about many, and its latent "
        "numbers carry nothing: so it goes when the sigmoid is applied twice in the loss.",
    ),
    Mistake(
        "guess_unlike_the_posterior",
        _variant(draw=lambda mu, logvar, eps: mu + logvar.exp() * eps),
        "Your model is good, but your guesses are not its posterior: they are wider, or sharper, "
        "than what it was trained with. Is exp(½ logvar) the spread of your draw, and does the KL "
        "count once?",
    ),
    Mistake(
        "ignores_the_seed",
        _unseeded,
        "The same seed gave two different models: set the seed before the weights are drawn, and "
        "draw batches and noise after it.",
    ),
    Mistake("wrong_shape", _square),
    Mistake("crashes", _history),
    Mistake(
        "accepts_other_pixels",
        _variant(
            objective=lambda logits, x, mu, lv: _likelihood(logits, x) - _kl(mu, lv), door=False
        ),
        "Pixels outside [0, 1] were accepted: the likelihood of a coin has no meaning there, and "
        "the loss falls for ever. Raise a ValueError before the training begins.",
    ),
)
