"""PointNet: one label for a cloud, or one for each of its points."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from mdcv.pointnet.encoder import PointEncoder
from mdcv.pointnet.symmetric import pool_points


class PointNetClassifier(PointEncoder):
    """One logit per class for every cloud: (B, N, D) to (B, C), whatever the order of the points.

    logits = γ( max over i of h(x_i) )

    The defaults are small and train in seconds on the course's own shapes. The sizes of the paper
    are `early=(64, 64), late=(64, 128, 1024), head=(512, 256), transforms="both", dropout=0.3`.

    Args:
        num_classes: C.
        in_features: D, 3 for coordinates alone.
        early, late: widths of h before and after the place of the feature transform.
        head: hidden widths of γ.
        transforms: T-Nets for nothing, for the input, or for input and features. Those of features
            want `orthogonality_penalty` in the loss.
        pooling: the maximum is PointNet; sum and mean are there to compare.
        dropout: share of the units before the last layer that training leaves out.
        rng: where the initial weights come from; `None` means PyTorch's default generator.

    Raises:
        ValueError: a size is not an integer >= 1 or an option is unknown; when called, a cloud that
            is empty, has another last axis than D, another dtype or device than the network, or NaN
            or infinity.

    Source: Qi, Su, Mo and Guibas 2017 (PointNet), arXiv:1612.00593, section 4.2 and figure 2. Its
    head has batch normalization, ours has none, so that a batch of one cloud can be trained.

    >>> model = PointNetClassifier(6).eval()
    >>> cloud = torch.rand(1, 100, 3)
    >>> bool(model(cloud).equal(model(cloud.flip(1))))
    True
    """

    def forward(self, points: Float[Tensor, "b n d"]) -> Float[Tensor, "b c"]:
        return self.head(self.global_feature(points))


class PointNetSegmenter(PointEncoder):
    """One logit per class for every point: (B, N, D) to (B, N, C), in the order of the points.

    logits_i = γ( local feature of x_i,  max over j of h(x_j) )

    The global feature is repeated for every point: without it no point would know of any other.

    Args:
        num_classes: C.
        in_features, early, late, head, transforms, pooling, dropout, rng: as in the classifier.

    Raises:
        ValueError: as in the classifier.

    Source: Qi, Su, Mo and Guibas 2017 (PointNet), arXiv:1612.00593, section 4.2 and figure 2.

    >>> PointNetSegmenter(14)(torch.rand(2, 100, 3)).shape
    torch.Size([2, 100, 14])
    """

    per_point = True

    def forward(self, points: Float[Tensor, "b n d"]) -> Float[Tensor, "b n c"]:
        encoding = self.encode(points)
        whole = pool_points(encoding.features, self.pooling).unsqueeze(1)
        repeated = whole.expand(-1, points.shape[1], -1)
        return self.head(torch.cat([encoding.local, repeated], dim=-1))
