"""Random rows of a data set that lies in memory."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from mdcv.errors import check_integer


def draw_batch(
    size: int, *tensors: Tensor, generator: Generator | None = None
) -> Tensor | tuple[Tensor, ...]:
    """The same random rows of every tensor: one tensor for one, a tuple for several.

    Rows are drawn independently and with replacement. So a batch depends on nothing but the
    state of the generator, and every batch mean is an unbiased estimate of the mean over all rows.

    Args:
        size: how many rows.
        tensors: images, labels, ...: as many rows each, on one device.
        generator: on the device of the tensors; `None` means PyTorch's default one there.

    Raises:
        ValueError: no tensor, no rows, unequal numbers of rows, or a size below 1.

    >>> labels = torch.arange(10)
    >>> images, same = draw_batch(4, labels.float() / 16, labels)
    >>> bool((images * 16).equal(same.float()))
    True
    """
    check_integer("size", size, low=1)
    rows = [len(tensor) for tensor in tensors]
    if not rows or rows[0] == 0 or len(set(rows)) > 1:
        raise ValueError(f"tensors have {rows} rows; expected the same number, at least 1, in each")
    device = tensors[0].device
    chosen = torch.randint(rows[0], (size,), generator=generator, device=device)
    batch = tuple(tensor[chosen] for tensor in tensors)
    return batch[0] if len(batch) == 1 else batch
