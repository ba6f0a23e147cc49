"""The Fréchet distance between Gaussians, and FID on features."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.agreement import relative_gap
from bench.case import ANYWHERE, Case, Entrant, Goal, Inputs, calling
from mdcv.seeds import generator

DIMENSIONS = 2048
LIMIT = 1e-4


def _features(n: int, seed: int) -> Tensor:
    """(n, D) float64 features whose variances fall off, as those of a network do."""
    falling = torch.arange(1, DIMENSIONS + 1, dtype=torch.float64).rsqrt()
    draws = torch.randn(n, DIMENSIONS, generator=generator(seed), dtype=torch.float64)
    return draws * falling + 0.01 * seed


def _gaussians(device: torch.device) -> Inputs:
    sets = _features(2 * DIMENSIONS, 1), _features(2 * DIMENSIONS, 2)
    (mu1, cov1), (mu2, cov2) = ((one.mean(dim=0), one.T.cov()) for one in sets)
    gaussians = {"mu1": mu1, "cov1": cov1, "mu2": mu2, "cov2": cov2}
    return {name: value.to(device) for name, value in gaussians.items()}


def _their_fid(real, fake):
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Given(torch.nn.Module):
        """Features are given, so the network in front of them hands them on."""

        num_features = DIMENSIONS

        def forward(self, features: Tensor) -> Tensor:
            return features

    def call():
        metric = FrechetInceptionDistance(feature=Given()).set_dtype(torch.float64).to(real.device)
        metric.update(real, real=True)
        metric.update(fake, real=False)
        return metric.compute()

    return call


def _values_agree(inputs: Inputs, ours: float, theirs: float) -> str | None:
    gap = relative_gap(ours, theirs)
    return None if gap <= LIMIT else f"{theirs:.6g} where ours is {ours:.6g}"


CASES = (
    Case(
        name="frechet-distance-2048",
        operation="frechet_distance",
        title="frechet_distance, D = 2048",
        inputs=_gaussians,
        ours=Entrant(
            "mdcv",
            "mdcv.divergence",
            calling("mdcv.divergence", "frechet_distance"),
            float,
            ANYWHERE,
        ),
        peers=(
            Entrant(
                "torchmetrics",
                "torchmetrics.image.fid",
                calling("torchmetrics.image.fid", "_compute_fid"),
                float,
                ANYWHERE,
            ),
        ),
        compare=_values_agree,
        tolerance="within 0.01 %",
        goals=(Goal(2, ("torchmetrics",)),),
    ),
    Case(
        name="fid-1000x2048",
        operation="fid",
        title="fid, N = 1000, D = 2048",
        inputs=lambda device: {
            "real": _features(1000, 1).to(device),
            "fake": _features(1000, 2).to(device),
        },
        ours=Entrant("mdcv", "mdcv.fidelity", calling("mdcv.fidelity", "fid"), float, ANYWHERE),
        peers=(Entrant("torchmetrics", "torchmetrics.image.fid", _their_fid, float, ANYWHERE),),
        compare=_values_agree,
        tolerance="within 0.01 %",
        goals=(Goal(20, ("torchmetrics",)),),
    ),
)
