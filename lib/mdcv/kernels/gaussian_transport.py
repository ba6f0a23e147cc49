"""The squared distance two Gaussians are apart under optimal transport, and the map that does it.

With Σ1 = R1 R1ᵀ and Σ2 = R2 R2ᵀ, the trace of (Σ1 Σ2)^½ is the sum of the singular values of
R1ᵀ R2 = U S Vᵀ, and the matrix that carries the first Gaussian onto the second at the least cost is
A = R2 V S⁻¹ Vᵀ R2ᵀ. It is also the gradient: ∂ Tr (Σ1 Σ2)^½ / ∂Σ1 = A / 2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mdcv.errors import check_finite


def gaussian_transport_reference(mu1: Tensor, cov1: Tensor, mu2: Tensor, cov2: Tensor) -> Tensor:
    """‖μ1 − μ2‖² + Tr(Σ1 + Σ2 − 2 (Σ1 Σ2)^½); means (D,), covariances (D, D).

    (Σ1 Σ2)^½ is replaced by the symmetric (Σ1^½ Σ2 Σ1^½)^½, which has the same trace.

    >>> gaussian_transport_reference(torch.zeros(2), torch.eye(2), torch.ones(2), 4 * torch.eye(2))
    tensor(4.)
    """
    root1 = _symmetric_root(cov1)
    root = _symmetric_root(root1 @ cov2 @ root1)
    return (mu1 - mu2).square().sum() + torch.trace(cov1 + cov2 - 2 * root)


def _symmetric_root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


@torch.library.custom_op("mdcv::gaussian_transport", mutates_args=())
def solve_gaussian_transport(
    mu1: Tensor, cov1: Tensor, mu2: Tensor, cov2: Tensor, tolerance: float, with_maps: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The distance, the map A from 1 to 2, and the one from 2 to 1; the maps empty unless asked.

    All in float64. `tolerance` is the share of a covariance's largest entry up to which asymmetry
    and negative eigenvalues pass as rounding. The gradient in a covariance needs the maps.

    One body serves every device: on a GPU torch.linalg hands the factorizations to cuSOLVER, and
    no matrix leaves it. The host reads the few numbers that decide whether the input is finite,
    symmetric and definite, and waits for them, as torch.linalg.eigvalsh itself waits to see that
    it converged.
    """
    check_finite("mu1", mu1)
    check_finite("mu2", mu2)
    unit1, scale1 = _to_unit_scale("cov1", cov1, tolerance)
    unit2, scale2 = _to_unit_scale("cov2", cov2, tolerance)
    root1, root2 = _root("cov1", unit1, tolerance), _root("cov2", unit2, tolerance)
    if with_maps:
        left, singular, right = torch.linalg.svd(root1.T @ root2, full_matrices=False)
        ratio = (scale2 / scale1) ** 0.5
        map12 = _transport(root2 @ right.T, singular) * ratio
        map21 = _transport(root1 @ left, singular) / ratio
    else:
        cov, root = (unit1, root2) if root2.shape[1] <= root1.shape[1] else (unit2, root1)
        singular = torch.linalg.eigvalsh(_congruence(cov, root)).clamp(min=0).sqrt()
        map12, map21 = cov1.new_empty(0), cov2.new_empty(0)
    root_trace = scale1**0.5 * scale2**0.5 * singular.sum()
    spread = torch.trace(cov1) + torch.trace(cov2) - 2 * root_trace
    return (mu1 - mu2).square().sum() + spread.clamp(min=0), map12, map21


@solve_gaussian_transport.register_fake
def _(mu1, cov1, mu2, cov2, tolerance, with_maps):
    shape = cov1.shape if with_maps else (0,)
    return mu1.new_empty(()), cov1.new_empty(shape), cov2.new_empty(shape)


def _remember(ctx, inputs, output) -> None:
    mu1, _, mu2, _, _, ctx.with_maps = inputs
    ctx.save_for_backward(mu1 - mu2, output[1], output[2])


def _backward(ctx, grad, *_):
    shift, map12, map21 = ctx.saved_tensors
    grad_mu = 2 * grad * shift
    if not ctx.with_maps:
        return grad_mu, None, -grad_mu, None, None, None
    eye = torch.eye(len(shift), dtype=shift.dtype, device=shift.device)
    return grad_mu, grad * (eye - map12), -grad_mu, grad * (eye - map21), None, None


solve_gaussian_transport.register_autograd(_backward, setup_context=_remember)


def _to_unit_scale(name: str, cov: Tensor, tolerance: float) -> tuple[Tensor, float]:
    """The exactly symmetric covariance with largest entry 1, and the scale taken out of it.

    Products of two such matrices can neither overflow nor vanish.
    """
    low, high = torch.aminmax(cov)
    if not math.isfinite(low.item() - high.item()):
        check_finite(name, cov)
    scale = max(-low.item(), high.item())
    scale = scale if scale > torch.finfo(cov.dtype).tiny else 1.0
    both = cov + cov.T
    low, high = torch.aminmax(torch.sub(both, cov, alpha=2))
    asymmetry = max(-low.item(), high.item())
    if asymmetry > tolerance * scale:
        raise ValueError(
            f"{name} is not symmetric: two mirrored entries differ by {asymmetry:.3g}, "
            f"where the largest entry is {scale:.3g}; expected a covariance"
        )
    return both.mul_(0.5 / scale), scale


def _root(name: str, cov: Tensor, tolerance: float) -> Tensor:
    """R of full column rank with R Rᵀ = cov: the Cholesky factor, unless cov is singular."""
    root, failed = torch.linalg.cholesky_ex(cov)
    if not failed:
        return root
    eye = torch.eye(len(cov), dtype=cov.dtype, device=cov.device)
    if torch.linalg.cholesky_ex(cov + tolerance * eye).info:
        lowest = torch.linalg.eigvalsh(cov)[0]
        raise ValueError(
            f"{name} has a negative eigenvalue, {lowest:.3g} of its largest entry; "
            "expected a covariance"
        )
    root = _pivoted_root(cov) if cov.device.type == "cpu" else _spectral_root(cov)
    return root[:, : len(cov) - 1]  # since Cholesky failed, the last column could only be rounding


def _pivoted_root(cov: Tensor) -> Tensor:
    """Cholesky on the largest variance left at each step, until what is left is rounding."""
    from scipy.linalg.lapack import dpstrf

    factor, order, rank, _ = dpstrf(cov.numpy(), lower=1)
    root = torch.zeros(len(cov), rank, dtype=cov.dtype)
    root[torch.from_numpy(order).long() - 1] = torch.from_numpy(factor).tril()[:, :rank]
    return root


def _spectral_root(cov: Tensor) -> Tensor:
    """Eigenvectors times the roots of their eigenvalues, the largest first, without rounding."""
    values, vectors = torch.linalg.eigh(cov)
    kept = values > len(cov) * torch.finfo(cov.dtype).eps * values[-1]
    return (vectors[:, kept] * values[kept].sqrt()).flip(1)


def _congruence(cov: Tensor, root: Tensor) -> Tensor:
    """The lower triangle of Rᵀ Σ R, in blocks that skip the zeros above R's diagonal.

    A root with fewer columns than rows is no triangle and is multiplied as it is.
    """
    size, rank = root.shape
    if rank < size:
        return root.T @ cov @ root
    step = -(-size // 4)
    half, product = torch.empty_like(cov), torch.empty_like(cov)
    for j in range(0, size, step):
        half[:, j : j + step] = cov[:, j:] @ root[j:, j : j + step]
    for i in range(0, size, step):
        product[i : i + step, : i + step] = root[i:, i : i + step].T @ half[i:, : i + step]
    return product


def _transport(carried: Tensor, singular: Tensor) -> Tensor:
    """C diag(σ)⁻¹ Cᵀ, where σ of rounding size count as 0 and have the inverse 0."""
    largest = singular.max() if len(singular) else 0.0
    inside = singular > len(carried) * torch.finfo(singular.dtype).eps * largest
    carried = carried[:, inside]
    return (carried / singular[inside]) @ carried.T
