from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from mdcv.seeds import generator

#: What every function of two point sets refuses: shapes, kinds, and what the message must say.
MISMATCHES = {
    "a list": (lambda x: [[0.0]], "expected a tensor"),
    "no batch axis": (lambda x: x[0], "expected"),
    "another batch size": (lambda x: x[:1], "axis B"),
    "another dimension": (lambda x: x[..., :2], "axis D"),
    "integers": (lambda x: x.long(), "floating-point"),
    "another dtype": (lambda x: x.double(), "dtype"),
    "another device": (lambda x: x.to("meta"), "device|on meta"),
}


@pytest.fixture(params=MISMATCHES)
def mismatch(request) -> tuple[torch.Tensor, object, str]:
    """A good set x, a set y that does not go with it, and what the refusal says."""
    x = draw(3, 5, 3, seed=0)
    spoil, message = MISMATCHES[request.param]
    return x, spoil(draw(3, 5, 3, seed=1)), message


def draw(*shape: int, seed: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64).to(dtype)


@pytest.fixture(scope="session")
def cloud() -> Callable[..., torch.Tensor]:
    """cloud(b, n, d, seed=..., dtype=...): normally distributed points, the same every time."""
    return draw


@pytest.fixture(scope="session")
def far_clouds() -> Callable[..., tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Two float32 sets at offset 1e4 with spread 1e-2, and the same in float64 at the origin.

    The coordinates are float32 numbers near 1e4, whose differences are exact: only the
    arithmetic of the function under test can lose digits.
    """

    def make(n: int = 40, m: int = 40):
        x = (1e4 + 1e-2 * draw(1, n, 3, seed=0, dtype=torch.float64)).float()
        y = (1e4 + 1e-2 * draw(1, m, 3, seed=1, dtype=torch.float64)).float()
        return x, y, x.double() - 1e4, y.double() - 1e4

    return make
