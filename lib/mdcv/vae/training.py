"""Fits a VAE: the mean bound over random batches goes up."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from mdcv.train import draw_batch, train
from mdcv.vae.bound import elbo
from mdcv.vae.network import VAE


def train_vae(
    vae: VAE,
    images: Float[Tensor, "n ..."],
    *,
    steps: int = 1500,
    batch_size: int = 128,
    learning_rate: float = 2e-3,
    seed: int = 0,
    progress: bool = True,
) -> Float[Tensor, " steps"]:
    """The mean ELBO of every step's batch, in nats; the network is trained in place.

    Maximizes the ELBO with Adam and one draw of z for each image. The learning rate falls to zero
    along a half cosine, so that the last steps average the noise of the draws away.

    Args:
        vae: what to train, on the device of the images.
        images: pixels in [0, 1].
        steps, batch_size, learning_rate: how long, on how many images at once, how fast.
        seed: of the batches and the noise. The starting weights are the caller's.
        progress: whether to show a line while it runs.

    Raises:
        ValueError: steps or batch_size is below 1, or a pixel is outside [0, 1].
    """
    optimizer = torch.optim.Adam(vae.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)

    def step(k: int, generator: Generator) -> dict[str, Tensor]:
        x = draw_batch(batch_size, images, generator=generator)
        logits, mu, logvar = vae(x, generator=generator)
        bound = elbo(logits, x, mu, logvar).mean()
        optimizer.zero_grad()
        (-bound).backward()
        optimizer.step()
        schedule.step()
        return {"ELBO": bound}

    history = train(
        step, steps, seed=seed, device=images.device, progress=progress, name="training the VAE"
    )
    return history["ELBO"]
