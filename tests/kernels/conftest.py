from __future__ import annotations

import pytest
import torch

#: Ways for points to lie that a search can stumble over.
KINDS = ("normal", "lattice", "one place", "cluster and outlier", "far", "line")


def cloud(kind: str, shape: tuple[int, int, int], seed: int, dtype=torch.float32) -> torch.Tensor:
    """A batch of clouds (B, N, D) of one kind; two seeds of one kind are near one another."""
    points = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    match kind:
        case "lattice":  # many ties and duplicates
            points = points.round()
        case "one place":
            points = torch.ones_like(points)
        case "cluster and outlier":
            points = 1e-3 * points
            points[:, :1] = 1e4
        case "far":
            points = 1e4 + 1e-2 * points
        case "line":
            points[..., 1:] = 0
    return points.to(dtype)


@pytest.fixture(scope="session")
def make_cloud():
    return cloud


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    """A test that asks for `kind` runs on every kind of cloud."""
    return request.param


@pytest.fixture
def triton_device(device) -> str:
    """For tests of the Triton bodies: a GPU, or without one the CPU, by Triton's interpreter."""
    pytest.importorskip("triton", reason="Triton is not installed")
    if device == "cpu" and torch.cuda.is_available():
        pytest.skip("there is a GPU: the interpreter is off")
    return device


@pytest.fixture(scope="session")
def total_moved():
    """Σ |x_i - y_p(i)| of every pair of sets, in float64, for x, y and permutations."""

    def total(x: torch.Tensor, y: torch.Tensor, permutation: torch.Tensor) -> torch.Tensor:
        partners = torch.take_along_dim(y.double(), permutation.unsqueeze(-1), dim=1)
        return (x.double() - partners).square().sum(dim=-1).sqrt().sum(dim=-1)

    return total
