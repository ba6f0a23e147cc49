"""The operation behind the Fréchet distance: roots, blocks, and its registration."""

from __future__ import annotations

import torch

from mdcv.kernels import gaussian_transport
from mdcv.kernels.gaussian_transport import solve_gaussian_transport
from mdcv.seeds import generator

D = 6


def covariance(seed: int, *, dim: int = D, rank: int | None = None) -> torch.Tensor:
    rank = 2 * dim if rank is None else rank
    factor = torch.randn(dim, rank, generator=generator(seed), dtype=torch.float64)
    return factor @ factor.T


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
