"""The operation behind the Fréchet distance: roots, blocks, and its registration."""

from __future__ import annotations

import pytest
import torch

from mdcv.kernels import gaussian_transport
from mdcv.kernels.gaussian_transport import solve_gaussian_transport
from mdcv.seeds import generator

D = 6


def covariance(seed: int, *, dim: int = D, rank: int | None = None) -> torch.Tensor:
    rank = 2 * dim if rank is None else rank
    factor = torch.randn(dim, rank, generator=generator(seed), dtype=torch.float64)
    return factor @ factor.T


def factor_of(cov: torch.Tensor) -> torch.Tensor:
    """Eigenvectors times the roots of their eigenvalues."""
    values, vectors = torch.linalg.eigh(cov)
    return vectors * values.clamp(min=0).sqrt()


def distance(cov1: torch.Tensor, cov2: torch.Tensor) -> torch.Tensor:
    zero = torch.zeros(len(cov1), dtype=torch.float64)
    return solve_gaussian_transport(zero, cov1, zero, cov2, 1e-4, False)[0]


def test_the_maps_carry_each_covariance_onto_the_other(device):
    cov1, cov2 = covariance(1).to(device), covariance(2).to(device)
    zero = torch.zeros(D, dtype=torch.float64, device=device)
    value, map12, map21 = solve_gaussian_transport(zero, cov1, zero, cov2, 1e-4, True)
    torch.testing.assert_close(map12 @ cov1 @ map12, cov2)
    torch.testing.assert_close(map21 @ cov2 @ map21, cov1)
    torch.testing.assert_close(map12 @ map21, torch.eye(D, dtype=torch.float64, device=device))
    torch.testing.assert_close(value, distance(cov1.cpu(), cov2.cpu()).to(device))


@pytest.mark.parametrize("ranks", [(D, D), (2, 4), (3, 0)])
@pytest.mark.parametrize("with_maps", [False, True])
def test_one_body_serves_every_device(device, ranks, with_maps):
    """The same distance and maps wherever the factors come from, of full rank or not."""
    zero = torch.zeros(D, dtype=torch.float64)
    arguments = zero, covariance(1, rank=ranks[0]), zero + 1, covariance(2, rank=ranks[1])
    found = solve_gaussian_transport(*(t.to(device) for t in arguments), 1e-4, with_maps)
    assert all(part.device.type == device for part in found)
    for part, expected in zip(
        found, solve_gaussian_transport(*arguments, 1e-4, with_maps), strict=True
    ):
        torch.testing.assert_close(part.cpu(), expected, rtol=1e-6, atol=1e-6)
    root1, root2 = (factor_of(cov) for cov in (arguments[1], arguments[3]))
    overlap = torch.linalg.svdvals(root1.T @ root2).sum()
    spread = torch.trace(arguments[1] + arguments[3]) - 2 * overlap
    torch.testing.assert_close(found[0].cpu(), D + spread, rtol=1e-6, atol=1e-6)


def test_both_singular_roots_are_roots_and_give_one_distance(monkeypatch):
    for rank in (0, 1, 4):
        cov = covariance(7, rank=rank)
        for root in (gaussian_transport._pivoted_root, gaussian_transport._spectral_root):
            assert root(cov).shape == (D, rank)
            torch.testing.assert_close(root(cov) @ root(cov).T, cov)
    expected = distance(covariance(1, rank=3), covariance(2, rank=4))
    monkeypatch.setattr(gaussian_transport, "_pivoted_root", gaussian_transport._spectral_root)
    torch.testing.assert_close(distance(covariance(1, rank=3), covariance(2, rank=4)), expected)


def test_a_root_that_is_no_triangle_has_fewer_columns_than_rows(monkeypatch):
    """The blocks skip what lies above the diagonal of a square root."""
    monkeypatch.setattr(gaussian_transport, "_pivoted_root", torch.clone)
    assert gaussian_transport._root("cov", torch.zeros(3, 3).double(), 1e-4).shape == (3, 2)


def test_the_blocks_skip_nothing_but_zeros():
    for dim in (1, 2, 3, 4, 5, 9):
        cov, root = covariance(1, dim=dim), torch.linalg.cholesky(covariance(2, dim=dim))
        blocks = gaussian_transport._congruence(cov, root)
        torch.testing.assert_close(blocks.tril(), (root.T @ cov @ root).tril())


def test_the_operation_passes_opcheck(device):
    arguments = [torch.zeros(D), covariance(1), torch.ones(D), covariance(2)]
    arguments = [t.to(device, torch.float64) for t in arguments]
    leaves = [t.clone().requires_grad_() for t in arguments]
    torch.library.opcheck(solve_gaussian_transport, (*arguments, 1e-4, False))
    torch.library.opcheck(solve_gaussian_transport, (*leaves, 1e-4, True))
