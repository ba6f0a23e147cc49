"""What PointNet's classifier and segmenter share: features per point, and their maximum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mdcv.errors import check_integer, check_option
from mdcv.pointnet.doors import check_points, check_sizes
from mdcv.pointnet.head import classifier_head
from mdcv.pointnet.perceptron import PointMLP
from mdcv.pointnet.symmetric import POOLINGS, Pooling, pool_points
from mdcv.pointnet.transform import TNet, transform_points

Transforms = Literal["none", "input", "both"]


class Encoding(NamedTuple):
    """What `PointEncoder.encode` returns."""

    local: Float[Tensor, "b n l"]
    """What a point knows of itself, after the feature transform."""
    features: Float[Tensor, "b n k"]
    """What the pooling is taken over."""
    matrices: tuple[Tensor, ...]
    """The transforms that were applied, in order."""
    pooled: tuple[Tensor, ...]
    """Everything a maximum is taken over: the features inside the T-Nets first, `features` last."""


class PointEncoder(nn.Module):
    """Base of the PointNets: points (B, N, D) to features (B, N, K) and a global feature (B, K).

    [T-Net]  →  early layers  →  [T-Net]  →  late layers  →  pooling over points

    Args:
        num_classes, head, dropout: of the head that follows.
        in_features: D.
        early, late: widths of the layers before and after the place of the feature transform.
        transforms: T-Nets for nothing, for the input, or for input and features.
        pooling: how points become one vector; PointNet takes the maximum.
        rng: where the initial weights come from; `None` means PyTorch's default generator.
    """

    #: Whether the head sees each point beside the whole.
    per_point = False

    def __init__(
        self,
        num_classes: int,
        *,
        in_features: int = 3,
        early: Sequence[int] = (64, 64),
        late: Sequence[int] = (128, 256),
        head: Sequence[int] = (128,),
        transforms: Transforms = "none",
        pooling: Pooling = "max",
        dropout: float | int = 0.0,
        rng: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_integer("in_features", in_features, low=1)
        early, late = check_sizes("early", early), check_sizes("late", late)
        check_option("transforms", transforms, ("none", "input", "both"))
        check_option("pooling", pooling, POOLINGS)
        self.in_features, self.pooling = in_features, pooling
        self.input_transform = TNet(in_features, rng=rng) if transforms != "none" else None
        self.feature_transform = TNet(early[-1], rng=rng) if transforms == "both" else None
        self.early = PointMLP([in_features, *early], rng=rng)
        self.late = PointMLP([early[-1], *late], rng=rng)
        known = late[-1] + (early[-1] if self.per_point else 0)
        self.head = classifier_head([known, *head], num_classes, dropout, rng, norm=self.per_point)

    def encode(
        self, points: Float[Tensor, "b n d"], matrices: Sequence[Tensor] | None = None
    ) -> Encoding:
        """Features at every depth; `matrices` of another cloud take the place of the T-Nets' own.

        Raises:
            ValueError: a cloud that is empty, has another last axis than the network expects,
                another dtype or device than its weights, or NaN or infinity.
        """
        check_points("points", points, self.in_features, like=self)
        applied: list[Tensor] = []
        pooled: list[Tensor] = []

        def turned(rows: Tensor, tnet: TNet | None) -> Tensor:
            if tnet is None:
                return rows
            pooled.append(tnet.h(rows))
            own = tnet.matrix(pool_points(pooled[-1])) if matrices is None else None
            applied.append(matrices[len(applied)] if own is None else own)
            return transform_points(rows, applied[-1], exact=not self.training)

        local = turned(self.early(turned(points, self.input_transform)), self.feature_transform)
        features = self.late(local)
        return Encoding(local, features, tuple(applied), (*pooled, features))

    def point_features(self, points: Float[Tensor, "b n d"]) -> Float[Tensor, "b n k"]:
        """The features that the pooling is taken over."""
        return self.encode(points).features

    def global_feature(self, points: Float[Tensor, "b n d"]) -> Float[Tensor, "b k"]:
        """One vector per cloud."""
        return pool_points(self.point_features(points), self.pooling)

    def point_transforms(self, points: Float[Tensor, "b n d"]) -> tuple[Tensor, ...]:
        """The matrices that the T-Nets choose, (B, D, D) and (B, L, L), as far as there are any."""
        return self.encode(points).matrices
