"""Handwritten digits without a download: 1,797 real images of 8 by 8 pixels."""

from __future__ import annotations

import functools

import torch
from jaxtyping import Float, Int
from torch import Tensor

#: Of every digit's images, in the order of the data set, the last of each five is held out.
EVERY = 5


def digits(*, held_out: bool = False) -> tuple[Float[Tensor, "n 1 8 8"], Int[Tensor, " n"]]:
    """Images in [0, 1] with white ink, float32, and the digit that each shows, int64.

    Every image is a 32 by 32 scan whose ink was counted in blocks of 4 by 4, so a pixel is a
    count from 0 to 16, here divided by 16. 13 people wrote them, and 30 others the training set of
    the source, which is not here.

    Args:
        held_out: the 355 images kept for judging instead of the 1,442 for training. The two never
            share an image, and every digit has a fifth of its images held out. The split is fixed:
            what is measured on one machine can be measured again on another.

    Source: Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits (its test set,
    from the UCI repository), shipped with scikit-learn.

    >>> images, labels = digits()
    >>> images.shape, labels[:10]
    (torch.Size([1442, 1, 8, 8]), tensor([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
    """
    images, labels = _read()
    # The n-th image of its own digit: neighbors in the file repeat 0, 1, ..., 9, so every fifth
    # of the file would be fours and nines.
    turn = torch.nn.functional.one_hot(labels).cumsum(dim=0).gather(1, labels[:, None])[:, 0]
    chosen = (turn % EVERY == 0) == held_out
    return images[chosen], labels[chosen]


@functools.cache
def _read() -> tuple[Float[Tensor, "n 1 8 8"], Int[Tensor, " n"]]:
    """All images and their digits; the file is text, and reading it takes a while."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    images = torch.from_numpy(loaded.images).float().unsqueeze(1) / 16
    return images, torch.from_numpy(loaded.target).long()
