"""Images of a lamp behind a dark window, whose likelihood can be computed exactly.

Nobody has these images but who judges: every seed has its own. A lamp shines at a random place, and
each pixel is a coin that lands bright more often near the lamp. Two numbers, its place, explain all
that pixels have in common, so two latent numbers are enough, and two can be summed over a grid.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from mdcv.exercises.cases import Draw

SIDE = 7
PIXELS = SIDE * SIDE
LATENT = 2
TRAINING, UNSEEN = 900, 250

#: Half the width of the grid over the latent numbers, and its points along each axis.
REACH, POINTS = 4.0, 41


def lamps(draw: Draw) -> tuple[Tensor, Tensor]:
    """Images (N, 49) of zeros and ones, float32: for training, and unseen ones of the same lamp."""
    width = 1.0 + 0.3 * float(draw.uniform(1))
    place = (SIDE - 1.0) * draw.uniform(TRAINING + UNSEEN, 2)
    pixel = torch.cartesian_prod(*[torch.arange(SIDE, dtype=torch.float64)] * 2)
    away = (pixel - place[:, None]).square().sum(dim=2)
    bright = 0.01 + 0.98 * (-away / (2 * width**2)).exp()
    images = (draw.uniform(*bright.shape) < bright).float()
    return images[:TRAINING], images[TRAINING:]


def grid() -> tuple[Tensor, Tensor]:
    """Places (P, 2) that cover N(0, I), float32, and the logarithm of the share of each."""
    axis = torch.linspace(-REACH, REACH, POINTS, dtype=torch.float64)
    places = torch.cartesian_prod(axis, axis)
    return places.float(), (-0.5 * places.square().sum(dim=1)).log_softmax(dim=0)


def pixels_given_places(logits: Tensor, x: Tensor) -> Tensor:
    """log p(x|z) for every image and every place, (B, P), from logits (P, 49)."""
    logits, x = logits.double(), x.double()
    return x @ logsigmoid(logits).T + (1 - x) @ logsigmoid(-logits).T


def bounds(logits: Tensor, mu: Tensor, logvar: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """log p(x) and the ELBO of every image, both summed over the grid instead of drawn.

    On the grid the prior and the guess are distributions over its places, so that both numbers are
    exact for that model, and no guess, however sharp, lifts the ELBO above log p(x).

    Args:
        logits: what the decoder answers to the places of `grid`, (P, 49).
        mu, logvar: what the encoder answers to x, (B, 2).
    """
    places, log_prior = grid()
    mu, logvar = mu.double()[:, None], logvar.double()[:, None]
    log_q = -0.5 * ((places - mu) * (-0.5 * logvar).exp()).square().sum(dim=2)
    log_q = log_q.log_softmax(dim=1)
    joint = pixels_given_places(logits, x) + log_prior
    terms = torch.where(log_q.exp() == 0, 0.0, log_q.exp() * (joint - log_q))
    # A guess so far away that no place of the grid has a share in it is worth nothing.
    return joint.logsumexp(dim=1), terms.sum(dim=1).nan_to_num(nan=-torch.inf)


def of_independent_pixels(images: Tensor, x: Tensor) -> Tensor:
    """log p(x) when every pixel is a coin of its own, with the share of bright ones as its odds."""
    share = (images.double().sum(dim=0) + 1) / (len(images) + 2)
    return (x.double() * share.log() + (1 - x.double()) * (1 - share).log()).sum(dim=1)
