"""Which device a notebook computes on. The library itself always follows its inputs."""

from __future__ import annotations

import os

import torch


def choose_device(name: str | None = None) -> torch.device:
    """The device to build tensors on: the one asked for, else a GPU where there is one.

    Args:
        name: a PyTorch device such as "cpu", "cuda" or "cuda:1". `None` reads the environment
            variable `MDCV_DEVICE`, and without it takes CUDA where it is available.

    Raises:
        ValueError: the name is not a device, or the device is not available on this machine.

    >>> choose_device("cpu")
    device(type='cpu')
    """
    name = name or os.environ.get("MDCV_DEVICE")
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device is {name!r}; expected 'cpu', 'cuda' or 'cuda:<n>'") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device is {name!r}, but {torch.cuda.device_count()} CUDA devices are here"
        )
    return device
