"""A small classifier whose last hidden layer stands in for Inception where there is no network."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from mdcv.errors import check_integer, check_tensor
from mdcv.train import draw_batch, train


class SmallClassifier(nn.Module):
    """A convolutional classifier for small gray images; its features feed the measures here.

    Two convolutions, pooled to 2×2, then a hidden layer of `dim` features under a tanh, then one
    logit per class. The tanh keeps features bounded: an image unlike any digit moves them to a
    corner, not to infinity, so no single image decides a Fréchet distance.

    FID and its kin on these features compare generators of digits with each other. They are on
    another scale than scores on Inception features.

    Args:
        classes: how many.
        dim: length of a feature vector.
        channels: of the image.

    >>> SmallClassifier()(torch.rand(5, 1, 8, 8)).shape
    torch.Size([5, 10])
    """

    def __init__(self, classes: int = 10, *, dim: int = 32, channels: int = 1) -> None:
        super().__init__()
        self.channels = channels
        self.body = nn.Sequential(
            nn.Conv2d(channels, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveMaxPool2d(2),
            nn.Flatten(),
            nn.Linear(128, dim),
            nn.Tanh(),
        )
        self.last = nn.Linear(dim, classes)

    def forward(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k"]:
        """One logit per class."""
        return self.last(self.features(images))

    def features(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d"]:
        """The last hidden layer, each entry in (-1, 1).

        Raises:
            ValueError: not a batch of images with the right number of channels.
        """
        check_tensor("images", images, ndim=4, layout="(B, C, H, W)")
        if images.shape[1] != self.channels:
            raise ValueError(
                f"images has shape {tuple(images.shape)}; axis C should be {self.channels}, not "
                f"{images.shape[1]}"
            )
        return self.body(images)


def train_classifier(
    images: Float[Tensor, "n c h w"],
    labels: Int[Tensor, " n"],
    *,
    dim: int = 32,
    steps: int = 400,
    batch: int = 64,
    seed: int = 0,
    progress: bool = False,
) -> SmallClassifier:
    """A classifier trained on images and labels, ready to compute features, without gradients.

    A few seconds on a CPU for small images. The same arguments give the same network.

    Args:
        images, labels: the training set; labels from 0 up.
        dim: length of a feature vector.
        steps: of Adam, with `batch` images each.
        seed: of the first weights and of the batches.
        progress: whether to show a line while it trains.

    Raises:
        ValueError: not as many labels as images, or labels that do not count from 0.
    """
    check_tensor("images", images, ndim=4, layout="(N, C, H, W)")
    check_integer("dim", dim, low=1)
    if labels.shape != images.shape[:1] or labels.dtype != torch.int64 or not len(labels):
        raise ValueError(
            f"labels has shape {tuple(labels.shape)} and dtype {labels.dtype}; expected "
            f"({len(images)},) and torch.int64, at least one"
        )
    if int(labels.min()) < 0:
        raise ValueError(f"labels holds {int(labels.min())}; expected classes from 0 up")
    classes = int(labels.max()) + 1
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SmallClassifier(classes, dim=dim, channels=images.shape[1]).to(images)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)

    def step(_: int, generator: Generator) -> Tensor:
        some, wanted = draw_batch(batch, images, labels, generator=generator)
        loss = nn.functional.cross_entropy(network(some), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    train(step, steps, seed=seed, device=images.device, progress=progress, name="classifier")
    return network.eval().requires_grad_(False)
