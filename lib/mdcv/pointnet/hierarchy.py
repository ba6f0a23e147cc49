"""PointNet++: PointNets within PointNets, from small neighborhoods to the whole shape."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mdcv.pointnet.abstraction import SetAbstraction
from mdcv.pointnet.doors import check_points
from mdcv.pointnet.head import classifier_head
from mdcv.pointnet.perceptron import PointMLP
from mdcv.pointnet.propagation import FeaturePropagation
from mdcv.pointnet.symmetric import pool_points


class _Hierarchy(nn.Module):
    """Two set abstractions and a PointNet over what is left: (B, N, 3) to a feature (B, 256)."""

    def __init__(
        self,
        num_classes: int,
        *,
        centers: tuple[int, int] = (128, 32),
        radii: tuple[float, float] = (0.25, 0.5),
        neighbors: int = 16,
        head: Sequence[int] = (128,),
        dropout: float | int = 0.0,
        rng: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if len(centers) != 2 or len(radii) != 2:
            raise ValueError(f"centers is {centers!r}, radii {radii!r}; expected two of each")
        self.near = SetAbstraction(
            0, [32, 32, 64], centers=centers[0], radius=radii[0], neighbors=neighbors, rng=rng
        )
        self.far = SetAbstraction(
            64, [64, 64, 128], centers=centers[1], radius=radii[1], neighbors=neighbors, rng=rng
        )
        self.whole = PointMLP([3 + 128, 128, 256], rng=rng)
        known, per_point = self.way_to_the_head(rng)
        self.head = classifier_head([known, *head], num_classes, dropout, rng, norm=per_point)

    def way_to_the_head(self, rng: torch.Generator | None) -> tuple[int, bool]:
        """How many features the head is given, and whether it is given them for every point."""
        return 256, False

    def levels(self, points: Tensor) -> tuple[Tensor, ...]:
        """Centers and features of both levels, and the feature of the whole cloud."""
        check_points("points", points, 3, least=self.near.centers, like=self)
        near = self.near(points)
        far = self.far(near.points, near.features)
        whole = pool_points(self.whole(torch.cat([far.points, far.features], dim=-1)))
        return (*near, *far, whole)

    def global_feature(self, points: Float[Tensor, "b n 3"]) -> Float[Tensor, "b k"]:
        """One vector per cloud."""
        return self.levels(points)[-1]


class PointNet2Classifier(_Hierarchy):
    """One logit per class for every cloud, (B, N, 3) to (B, C), from features of neighborhoods.

    N points  →  128 centers  →  32 centers  →  one vector  →  logits

    Args:
        num_classes: C.
        centers: how many points the first and the second abstraction keep.
        radii: of their balls, in the unit of the points; the defaults are meant for the unit ball.
        neighbors: points that a ball holds at most.
        head: hidden widths of the classifier.
        dropout: share of the units before the last layer that training leaves out.
        rng: where the initial weights come from; `None` means PyTorch's default generator.

    Raises:
        ValueError: a size or an option is out of range; when called, fewer points than the first
            abstraction keeps, another last axis than 3, another dtype or device than the network,
            or NaN or infinity.

    Source: Qi, Yi, Su and Guibas 2017 (PointNet++), arXiv:1706.02413, section 3 and appendix B
    (single scale), narrower: there 512 and 128 centers, radii 0.2 and 0.4, 32 and 64 neighbors.

    >>> PointNet2Classifier(6).eval()(torch.rand(2, 200, 3)).shape
    torch.Size([2, 6])
    """

    def forward(self, points: Float[Tensor, "b n 3"]) -> Float[Tensor, "b c"]:
        return self.head(self.global_feature(points))


class PointNet2Segmenter(_Hierarchy):
    """One logit per class for every point, (B, N, 3) to (B, N, C): down to a vector and back up.

    Args:
        num_classes, centers, radii, neighbors, head, dropout, rng: as in the classifier.

    Raises:
        ValueError: as in the classifier.

    Source: Qi, Yi, Su and Guibas 2017 (PointNet++), arXiv:1706.02413, section 3.4 and figure 2.

    >>> PointNet2Segmenter(14).eval()(torch.rand(2, 200, 3)).shape
    torch.Size([2, 200, 14])
    """

    def way_to_the_head(self, rng: torch.Generator | None) -> tuple[int, bool]:
        self.to_near = FeaturePropagation(256 + 128 + 64, [128, 128], rng=rng)
        self.to_points = FeaturePropagation(128 + 3, [64, 64], rng=rng)
        return 64, True

    def forward(self, points: Float[Tensor, "b n 3"]) -> Float[Tensor, "b n c"]:
        near, near_features, far, far_features, whole = self.levels(points)
        repeated = whole.unsqueeze(1).expand(-1, far.shape[1], -1)
        known = torch.cat([far_features, repeated], dim=-1)
        known = self.to_near(near, far, known, skip=near_features)
        return self.head(self.to_points(points, near, known, skip=points))
