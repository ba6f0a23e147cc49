"""Where randomness comes from: a generator with a seed, handed on as an argument."""

from __future__ import annotations

import torch


def generator(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh random generator that repeats itself for the same seed.

    Nothing in the library reads a global random state. A function that draws takes
    `generator=None`; `None` means PyTorch's default generator of the input's device.

    Args:
        seed: any integer from 0 to 2^63 - 1.
        device: where the numbers are drawn; a generator serves tensors of its own device only.

    Raises:
        ValueError: the seed is not an integer in that range.

    >>> a, b = generator(7), generator(7)
    >>> bool(torch.rand(3, generator=a).equal(torch.rand(3, generator=b)))
    True
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise ValueError(f"seed is {seed!r}; expected an integer from 0 to 2^63 - 1")
    return torch.Generator(device=device).manual_seed(seed)
