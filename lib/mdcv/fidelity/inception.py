"""The Fréchet inception distance: two feature sets, each summed up by a Gaussian."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.divergence import frechet_distance
from mdcv.errors import check_finite, check_same_kind, check_tensor


def fid(
    real_features: Float[Tensor, "n d"], fake_features: Float[Tensor, "m d"]
) -> Float[Tensor, ""]:
    """Fréchet distance between the Gaussians fitted to two sets of feature vectors.

    d = ‖μr − μf‖² + Tr(Σr + Σf − 2 (Σr Σf)^½),  Σ with N − 1 in the denominator

    With fewer samples than features the covariances are never formed: the centered features
    A, B, divided by √(N − 1) and √(M − 1), satisfy Σr = AᵀA and Σf = BᵀB, and the trace of the
    root is the sum of the singular values of the N by M matrix A Bᵀ.

    **The value is biased upward, and badly so for few samples**: a covariance from N samples has
    rank N − 1 at most, so two sets from one distribution still differ. Below N = D no number is
    comparable with one from another N; even far above it, compare values at equal N only.

    Args:
        real_features, fake_features: one feature vector per row; for the score in the papers,
            the 2048 pooled features of Inception-v3. Nothing here is bound to that network.

    Returns:
        A number >= 0 in the features' unit squared and in their dtype, computed in float64, with
        a gradient in both sets.

    Raises:
        ValueError: fewer than two samples in a set, dimensions, dtypes or devices differ, or an
            entry is not finite.

    Source: Heusel et al. 2017, arXiv:1706.08500, equation 6; the bias: Chong and Forsyth 2020,
    arXiv:1911.07023. The form for few samples is exact; it is not in those papers.

    >>> x = torch.tensor([[0.0, 0.0], [2.0, 0.0], [1.0, 3.0]])
    >>> fid(x, x + torch.tensor([3.0, 4.0]))
    tensor(25.)
    """
    _check_features("real_features", real_features)
    _check_features("fake_features", fake_features)
    if real_features.shape[1] != fake_features.shape[1]:
        raise ValueError(
            f"fake_features has shape {tuple(fake_features.shape)}; axis D should be "
            f"{real_features.shape[1]} as in real_features, not {fake_features.shape[1]}"
        )
    check_same_kind("fake_features", fake_features, "real_features", real_features)
    real_mean, real = _center("real_features", real_features)
    fake_mean, fake = _center("fake_features", fake_features)
    real_scale, fake_scale = 1 / (len(real) - 1), 1 / (len(fake) - 1)
    if min(len(real), len(fake)) >= real.shape[1]:
        real_cov, fake_cov = real.T @ real * real_scale, fake.T @ fake * fake_scale
        distance = frechet_distance(real_mean, real_cov, fake_mean, fake_cov)
    else:
        root_trace = (real_scale * fake_scale) ** 0.5 * _nuclear_norm(real @ fake.T)
        trace = real_scale * real.square().sum() + fake_scale * fake.square().sum()
        shift = real_mean - fake_mean
        distance = shift.square().sum() + (trace - 2 * root_trace).clamp(min=0)
    return distance.to(real_features.dtype)


def _check_features(name: str, features: Tensor) -> None:
    check_tensor(name, features, ndim=2, layout="(N, D)")
    if features.shape[0] < 2 or features.shape[1] == 0:
        raise ValueError(
            f"{name} has shape {tuple(features.shape)}; expected (N, D) with N >= 2 samples, "
            "which a covariance needs, and D >= 1"
        )


def _center(name: str, features: Tensor) -> tuple[Tensor, Tensor]:
    """The mean and the features around it, in float64; one copy of the features and no more."""
    centered = features.to(torch.float64, copy=True)
    mean = centered.mean(dim=0)
    # A compiled graph cannot stop here; NaN fails in the decompositions that follow.
    if not torch.compiler.is_compiling() and not bool(torch.isfinite(mean).all()):
        check_finite(name, features)
    return mean, centered.sub_(mean)


def _nuclear_norm(cross: Tensor) -> Tensor:
    """The sum of the singular values of a cross-Gram matrix of centered sets.

    Without a gradient they come from the eigenvalues of the smaller product with itself, which is
    faster. The smallest is left out: centering takes a dimension away, so it can only be rounding.
    """
    if torch.is_grad_enabled() and cross.requires_grad:
        return torch.linalg.svdvals(cross).sum()
    cross = cross.detach() if len(cross) <= cross.shape[1] else cross.detach().T
    if cross.device.type == "cpu" and not torch.compiler.is_compiling():
        # NumPy computes one half of a product with itself, and has the quicker eigenvalues.
        rows = cross.numpy()
        squares = torch.from_numpy(np.linalg.eigvalsh(rows @ rows.T))
    else:
        squares = torch.linalg.eigvalsh(cross @ cross.T)
    return squares[1:].clamp(min=0).sqrt().sum()
