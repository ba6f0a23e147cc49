"""A network on an unordered set of matches that tells the good from the bad."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from mdcv.errors import check_integer, check_same_kind, check_tensor
from mdcv.pointnet.eight_point import weighted_eight_point
from mdcv.pointnet.epipolar import check_pairs
from mdcv.pointnet.perceptron import PointMLP


def context_normalize(
    features: Float[Tensor, "b m k"], *, eps: float = 1e-3
) -> Float[Tensor, "b m k"]:
    """Every feature with the mean 0 and the variance 1 over the points of its own set.

    (f_ik - mean over j of f_jk) / √(variance over j of f_jk + eps)

    The only place where the points of a set learn of each other; it does not care about order.

    Args:
        features: one row per point.
        eps: added to the variance.

    Raises:
        ValueError: not (B, M, K), or an empty set.

    Source: Yi, Trulls, Ono, Lepetit, Salzmann and Fua 2018, "Learning to find good
    correspondences", arXiv:1711.05971, section 3.2.

    >>> context_normalize(torch.tensor([[[1.0], [3.0]]]), eps=0.0)
    tensor([[[-1.],
             [ 1.]]])
    """
    check_tensor("features", features, ndim=3, layout="(B, M, K)")
    if features.shape[1] == 0:
        raise ValueError(
            f"empty set: features has shape {tuple(features.shape)}; expected at least one point"
        )
    centered = features - features.mean(dim=1, keepdim=True)
    return centered / (centered.square().mean(dim=1, keepdim=True) + eps).sqrt()


class _Residual(nn.Module):
    """x + twice (linear, context normalization, batch normalization, ReLU)."""

    def __init__(self, width: int, rng: torch.Generator | None) -> None:
        super().__init__()
        self.linear = nn.ModuleList(
            PointMLP([width, width], norm=False, linear_end=True, rng=rng) for _ in range(2)
        )
        self.norm = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(2))

    def forward(self, x: Float[Tensor, "b m k"]) -> Float[Tensor, "b m k"]:
        y = x
        for linear, norm in zip(self.linear, self.norm, strict=True):
            y = context_normalize(linear(y))
            y = norm(y.flatten(0, 1)).unflatten(0, y.shape[:2]).relu()
        return x + y


class OutlierNet(nn.Module):
    """One logit for every pair of matches, (B, M, 4) to (B, M): above 0 it is taken for good.

    The same layers for every pair; what a pair knows of the others comes through context
    normalization alone. So permuting the pairs permutes the logits, and any number of pairs goes.

    Args:
        width: features of each pair.
        blocks: residual blocks, with two context normalizations each.
        rng: where the initial weights come from; `None` means PyTorch's default generator.

    Raises:
        ValueError: a size is not an integer >= 1; when called, an empty set, another last axis than
            4, another dtype or device than the network, or NaN or infinity.

    Source: Yi, Trulls, Ono, Lepetit, Salzmann and Fua 2018, "Learning to find good
    correspondences", arXiv:1711.05971, figure 2, with 12 blocks of width 128.

    >>> OutlierNet(width=16, blocks=2)(torch.rand(3, 50, 4)).shape
    torch.Size([3, 50])
    """

    def __init__(
        self, *, width: int = 64, blocks: int = 5, rng: torch.Generator | None = None
    ) -> None:
        super().__init__()
        check_integer("width", width, low=1)
        check_integer("blocks", blocks, low=1)
        self.first = PointMLP([4, width], norm=False, linear_end=True, rng=rng)
        self.blocks = nn.Sequential(*[_Residual(width, rng) for _ in range(blocks)])
        self.last = PointMLP([width, 1], norm=False, linear_end=True, rng=rng)

    def forward(self, pairs: Float[Tensor, "b m 4"]) -> Float[Tensor, "b m"]:
        check_pairs(pairs, 1)
        check_same_kind("pairs", pairs, "the network", self.first.layers[0].weight)
        return self.last(self.blocks(self.first(pairs))).squeeze(-1)

    def essential(self, pairs: Float[Tensor, "b m 4"]) -> Float[Tensor, "b 3 3"]:
        """The matrix of the weighted eight-point algorithm, with weights from the logits."""
        return weighted_eight_point(pairs, match_weights(self(pairs)))


def match_weights(logits: Float[Tensor, "b m"]) -> Float[Tensor, "b m"]:
    """tanh(max(logit, 0)), with a trace of weight left for all, so that eight pairs always count.

    Source: Yi and others 2018, arXiv:1711.05971, equation 4; the trace is ours.

    >>> match_weights(torch.tensor([[-1.0, 0.0, 9.0]]))
    tensor([[1.0000e-06, 1.0000e-06, 1.0000e+00]])
    """
    return logits.relu().tanh().clamp(min=1e-6)


class OutlierLoss(NamedTuple):
    """What `outlier_loss` returns: both terms, each a single number."""

    classification: Float[Tensor, ""]
    geometry: Float[Tensor, ""]


def outlier_loss(
    logits: Float[Tensor, "b m"],
    pairs: Float[Tensor, "b m 4"],
    is_inlier: Bool[Tensor, "b m"],
    essential: Float[Tensor, "b 3 3"],
) -> OutlierLoss:
    """Is every match judged rightly, and does the geometry come out right?

    classification = cross-entropy, in which the good and the bad of a set weigh half each
    geometry       = mean over sets of min( ‖E - Ê‖², ‖E + Ê‖² ),  both of norm 1

    The sign of an essential matrix means nothing, hence the minimum.

    Args:
        logits: what `OutlierNet` returns.
        pairs: the matches.
        is_inlier: the truth.
        essential: the true matrices, at any scale.

    Raises:
        ValueError: shapes that do not fit together.

    Source: Yi and others 2018, arXiv:1711.05971, equations 7 to 9.
    """
    if logits.shape != is_inlier.shape or logits.shape != pairs.shape[:2]:
        raise ValueError(
            f"logits has shape {tuple(logits.shape)}, is_inlier {tuple(is_inlier.shape)}; "
            f"expected {tuple(pairs.shape[:2])} for both"
        )
    good = is_inlier.to(logits.dtype)
    weight = good / good.sum(dim=1, keepdim=True).clamp(min=1)
    weight = weight + (1 - good) / (1 - good).sum(dim=1, keepdim=True).clamp(min=1)
    each = F.binary_cross_entropy_with_logits(logits, good, reduction="none")
    classification = (weight * each).sum(dim=1).mean() / 2

    estimate = weighted_eight_point(pairs, match_weights(logits))
    truth = essential / torch.linalg.matrix_norm(essential, keepdim=True)
    apart = torch.minimum(
        (truth - estimate).square().sum(dim=(1, 2)), (truth + estimate).square().sum(dim=(1, 2))
    )
    return OutlierLoss(classification, apart.mean())
