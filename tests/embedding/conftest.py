from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from mdcv.seeds import generator


@pytest.fixture(scope="session")
def embeddings() -> Callable[..., torch.Tensor]:
    """embeddings(b, d, seed=...): normal float64 rows, the same every time."""

    def draw(*shape: int, seed: int = 0) -> torch.Tensor:
        return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)

    return draw
