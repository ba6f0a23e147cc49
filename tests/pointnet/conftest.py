from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from mdcv.seeds import generator


@pytest.fixture(scope="session")
def cloud() -> Callable[..., Tensor]:
    """cloud(b, n, d, seed=..., dtype=...): normally distributed points, the same every time."""

    def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.randn(shape, generator=generator(seed), dtype=torch.float64).to(dtype)

    return draw


@pytest.fixture(scope="session")
def settled() -> Callable[[nn.Module], nn.Module]:
    """A network in eval mode whose statistics, biases and T-Nets are not those of the start."""

    def settle(model: nn.Module, seed: int = 0) -> nn.Module:
        rng = generator(seed)

        def drawn(like: Tensor) -> Tensor:
            return torch.rand(like.shape, generator=rng).to(like)

        with torch.no_grad():
            for part in model.modules():
                if isinstance(part, nn.BatchNorm1d):
                    part.running_mean.copy_(drawn(part.running_mean) - 0.5)
                    part.running_var.copy_(drawn(part.running_var) + 0.5)
                    part.weight.copy_(drawn(part.weight) + 0.5)
                    part.bias.copy_(drawn(part.bias) - 0.5)
                if isinstance(part, nn.Linear):
                    if not part.weight.any():
                        part.weight.copy_(0.2 * (drawn(part.weight) - 0.5))
                    part.bias.copy_(0.2 * (drawn(part.bias) - 0.5))
        return model.eval()

    return settle
