"""The Fréchet distance: how far apart two Gaussians are under optimal transport."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.errors import check_same_kind, check_tensor
from mdcv.kernels.gaussian_transport import solve_gaussian_transport


def frechet_distance(
    mu1: Float[Tensor, " d"],
    cov1: Float[Tensor, "d d"],
    mu2: Float[Tensor, " d"],
    cov2: Float[Tensor, "d d"],
) -> Float[Tensor, ""]:
    """Squared 2-Wasserstein distance between N(μ1, Σ1) and N(μ2, Σ2).

    d = ‖μ1 − μ2‖² + Tr(Σ1 + Σ2 − 2 (Σ1 Σ2)^½)

    With Σ1 = R1 R1ᵀ and Σ2 = R2 R2ᵀ, the trace of the root is the sum of the singular values of
    R1ᵀ R2: real and never negative, so no square root of a non-symmetric matrix is taken. The
    gradient is a picture too: ∂d/∂Σ1 = I − A, where x ↦ μ2 + A (x − μ1) is the map that carries
    the first Gaussian onto the second at the least cost.

    Args:
        mu1, mu2: the means, in one unit.
        cov1, cov2: the covariances, in that unit squared. They may be singular. Asymmetry and
            negative eigenvalues of rounding size, up to 1e-4 of the largest entry (more in lower
            precision), are taken as rounding.

    Returns:
        A number >= 0 in the unit squared and in the inputs' dtype, computed in float64. Its error
        is a share of the two traces, not of the difference: near 1e-14, and up to 1e-8 for each
        direction in which both covariances nearly vanish. Where a covariance has no variance in a
        direction in which the other has some, the derivative is infinite; the gradient holds the
        part that is finite (A is built with a pseudo-inverse).

    Raises:
        ValueError: shapes, dtypes or devices do not fit, an entry is not finite, or a covariance
            is clearly asymmetric or clearly has a negative eigenvalue.

    Source: Dowson and Landau 1982, equation 16; Heusel et al. 2017, arXiv:1706.08500, equation 6.

    >>> frechet_distance(torch.zeros(2), torch.eye(2), torch.ones(2), 4 * torch.eye(2))
    tensor(4.)
    """
    _check_gaussian("1", mu1, cov1)
    _check_gaussian("2", mu2, cov2)
    if mu1.shape != mu2.shape:
        raise ValueError(f"mu2 has shape {tuple(mu2.shape)}; expected {tuple(mu1.shape)} as mu1")
    for name, value in (("cov1", cov1), ("mu2", mu2), ("cov2", cov2)):
        check_same_kind(name, value, "mu1", mu1)
    tolerance = max(1e-4, torch.finfo(mu1.dtype).eps ** 0.5)
    with_maps = torch.is_grad_enabled() and (cov1.requires_grad or cov2.requires_grad)
    inputs = (value.to(torch.float64) for value in (mu1, cov1, mu2, cov2))
    return solve_gaussian_transport(*inputs, tolerance, with_maps)[0].to(mu1.dtype)


def _check_gaussian(which: str, mu: Tensor, cov: Tensor) -> None:
    check_tensor(f"mu{which}", mu, ndim=1, layout="(D,)")
    check_tensor(f"cov{which}", cov, ndim=2, layout="(D, D)")
    if len(mu) == 0 or cov.shape != (len(mu), len(mu)):
        raise ValueError(
            f"mu{which} has shape {tuple(mu.shape)}, cov{which} {tuple(cov.shape)}; "
            "expected (D,) and (D, D) with D >= 1"
        )
