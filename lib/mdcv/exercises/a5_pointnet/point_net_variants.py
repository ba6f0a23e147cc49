"""Right and wrong PointNets: each wrong one differs from a right one in one place."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mdcv import pointnet
from mdcv.exercises.a5_pointnet.t_net_variants import Plain as PlainTNet
from mdcv.exercises.a5_pointnet.t_net_variants import check
from mdcv.exercises.exercise import Mistake, Right


class Reference(pointnet.PointNetClassifier):
    """The library's, small, with a T-Net at its input."""

    def __init__(self, num_classes: int) -> None:
        sizes = {"early": (32,), "late": (64, 96), "head": (48,)}
        super().__init__(num_classes, transforms="input", **sizes)


class Plain(nn.Module):
    """A right one in plain PyTorch; what its parts are is for the wrong ones to change."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        if num_classes < 1:
            raise ValueError(f"num_classes is {num_classes}; expected at least 1")
        self.t_net = PlainTNet(3)
        self.h = self.point_map()
        self.gamma = nn.Sequential(nn.Linear(96, 48), nn.ReLU(), nn.Linear(48, num_classes))

    def point_map(self) -> nn.Module:
        return nn.Sequential(nn.Linear(3, 48), nn.ReLU(), nn.Linear(48, 96))

    def input_transform(self, points: Tensor) -> Tensor:
        return self.t_net(points)

    def point_features(self, points: Tensor) -> Tensor:
        self.door(points)
        return self.h(points @ self.input_transform(points))

    def door(self, points: Tensor) -> None:
        check(points, 3)

    def global_feature(self, points: Tensor) -> Tensor:
        return self.point_features(points).amax(1)

    def forward(self, points: Tensor) -> Tensor:
        return self.gamma(self.global_feature(points))


# Right, written differently


class _AsInThePaper(nn.Module):
    """Convolutions of size 1, normalization, dropout, and a second T-Net among the features."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        if not num_classes > 0:
            raise ValueError("no classes")
        self.input_transform, self.feature_transform = PlainTNet(3), PlainTNet(32)
        self.early = nn.Sequential(nn.Conv1d(3, 32, 1), nn.BatchNorm1d(32), nn.ReLU())
        self.late = nn.Sequential(
            nn.Conv1d(32, 64, 1), nn.BatchNorm1d(64), nn.ReLU(), nn.Conv1d(64, 128, 1)
        )
        self.norm = nn.BatchNorm1d(128)
        self.head = nn.Sequential(
            nn.Linear(128, 64),
            nn.BatchNorm1d(64),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(64, num_classes),
        )

    def point_features(self, points: Tensor) -> Tensor:
        if points.dim() != 3 or points.size(-1) != 3 or points.size(1) < 1:
            raise ValueError("expected clouds (B, N, 3)")
        turned = torch.bmm(points, self.input_transform(points))
        early = self.early(turned.transpose(1, 2)).transpose(1, 2)
        aligned = torch.bmm(early, self.feature_transform(early))
        return self.norm(self.late(aligned.transpose(1, 2))).transpose(1, 2)

    def global_feature(self, points: Tensor) -> Tensor:
        return torch.max(self.point_features(points), dim=1)[0]

    def forward(self, points: Tensor) -> Tensor:
        return self.head(self.global_feature(points))


class _CloudByCloud(Plain):
    """One cloud after the other, a running maximum, and the transform from the left."""

    def point_features(self, points: Tensor) -> Tensor:
        check(points, 3)
        matrices = self.input_transform(points)
        pairs = zip(matrices, points, strict=True)
        return torch.stack([self.h((matrix @ cloud.T).T) for matrix, cloud in pairs])

    def global_feature(self, points: Tensor) -> Tensor:
        features = self.point_features(points)
        best = features[:, 0]
        for i in range(1, points.shape[1]):
            best = torch.maximum(best, features[:, i])
        return best


class _Smooth(nn.Module):
    """Weights by hand, smooth bends, features in (-1, 1), and a transform that is mean-pooled."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        if num_classes <= 0:
            raise ValueError("classes")
        self.first = nn.Parameter(torch.randn(3, 32) / 2)
        self.shift = nn.Parameter(torch.randn(32) / 2)
        self.second = nn.Parameter(torch.randn(32, 80) / 5)
        self.turn = nn.Linear(32, 9)
        nn.init.zeros_(self.turn.weight)
        nn.init.zeros_(self.turn.bias)
        self.last = nn.Linear(80, num_classes)

    def input_transform(self, points: Tensor) -> Tensor:
        if points.ndim != 3 or points.shape[2] != 3 or points.shape[1] == 0:
            raise ValueError("not clouds")
        pooled = torch.tanh(points @ self.first + self.shift).mean(dim=1)
        return torch.eye(3) + self.turn(pooled).unflatten(1, (3, 3))

    def point_features(self, points: Tensor) -> Tensor:
        turned = torch.einsum("bni,bij->bnj", points, self.input_transform(points))
        return torch.tanh(torch.sin(turned @ self.first + self.shift) @ self.second)

    def global_feature(self, points: Tensor) -> Tensor:
        return self.point_features(points).max(dim=1).values

    def forward(self, points: Tensor) -> Tensor:
        return self.last(self.global_feature(points))


RIGHT = (
    Right("in plain PyTorch", Plain),
    Right("as in the paper", _AsInThePaper),
    Right("cloud by cloud", _CloudByCloud),
    Right("smooth, by hand", _Smooth),
)

# Wrong, each with its name


class _WholeClouds(Plain):
    def forward(self, points):
        return super().forward(points)[:, None].expand(-1, points.shape[1], -1)


class _FixedSize(Plain):
    """A layer as wide as the first cloud."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.weight = None

    def forward(self, points):
        if self.weight is None:
            self.weight = nn.Parameter(torch.randn(points.shape[1]))
        mixed = (self.point_features(points) * self.weight[:, None]).sum(1)
        return self.gamma(mixed)


class _Noisy(Plain):
    def forward(self, points):
        pooled = self.global_feature(points)
        return self.gamma(nn.functional.dropout(pooled, 0.3, training=True))


class _Batch(Plain):
    def forward(self, points):
        pooled = self.global_feature(points)
        return self.gamma(pooled - pooled.mean(0))


class _Ordered(Plain):
    def forward(self, points):
        features = self.point_features(points)
        return self.gamma(features.amax(1) + features[:, 0])


class _Probabilities(Plain):
    def forward(self, points):
        return super().forward(points).softmax(1)


class _LogProbabilities(Plain):
    def forward(self, points):
        return super().forward(points).log_softmax(1)


class _Rectified(Plain):
    def forward(self, points):
        return super().forward(points).relu()


class _RandomTurn(Plain):
    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.t_net.gamma[-1].reset_parameters()


class _NoIdentity(Plain):
    def input_transform(self, points):
        return self.t_net(points) - torch.eye(3)


class _NeighborFeatures(Plain):
    """Each point's features look at the point before it in the list."""

    def point_features(self, points):
        features = super().point_features(points)
        return features + features.roll(1, 1)

    def global_feature(self, points):
        return super().point_features(points).amax(1)


class _Mean(Plain):
    def global_feature(self, points):
        return self.point_features(points).mean(1)


class _PoolsPoints(Plain):
    def global_feature(self, points):
        return self.h(points.amax(1))


class _TwoCoordinates(Plain):
    def point_map(self):
        return nn.Sequential(_FirstTwo(), super().point_map())


class _FirstTwo(nn.Module):
    def forward(self, points):
        return points * torch.tensor([1.0, 1.0, 0.0])


class _Affine(Plain):
    def point_map(self):
        return nn.Sequential(nn.Linear(3, 48), nn.Linear(48, 96))


class _Blind(Plain):
    def forward(self, points):
        return self.gamma(torch.zeros_like(self.global_feature(points)))


class _OneFeature(Plain):
    """Looks at a single feature of the global one."""

    def forward(self, points):
        pooled = self.global_feature(points)
        seen = torch.zeros_like(pooled)
        seen[:, :1] = pooled[:, :1]
        return self.gamma(seen)


class _MeanAsWell(Plain):
    def forward(self, points):
        features = self.point_features(points)
        return self.gamma(features.amax(1) + features.mean(1))


class _Turned(Plain):
    """The transform is predicted, and nobody uses it."""

    def point_features(self, points):
        self.door(points)
        return self.h(points)


class _OneTurn(Plain):
    """A matrix to learn in place of one for every cloud."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        del self.t_net
        self.matrix = nn.Parameter(torch.eye(3))

    def input_transform(self, points):
        self.door(points)
        return self.matrix.expand(len(points), 3, 3)


class _Idle(Plain):
    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.hidden = nn.Linear(96, 96)


class _Overwhelmed(Plain):
    """Dropout of nearly everything between pooling and logits, in training."""

    def forward(self, points):
        pooled = self.global_feature(points)
        if self.training:
            return self.gamma(0 * pooled)
        return self.gamma(pooled)


class _AnyPoints(Plain):
    def door(self, points):
        if points.shape[-2] == 0:
            raise ValueError("a cloud without points")

    def point_features(self, points):
        points = points[None] if points.ndim == 2 else points
        return super().point_features(nn.functional.pad(points, (0, 3))[..., :3])


class _EmptySets(Plain):
    def forward(self, points):
        if points.ndim == 3 and points.shape[1] == 0:
            return self.gamma(torch.zeros(len(points), 96))
        return super().forward(points)


class _NoClasses(Plain):
    def __init__(self, num_classes):
        super().__init__(max(num_classes, 1))


WRONG = (
    Mistake("wrong_shape", _WholeClouds),
    Mistake("crashes", _FixedSize),
    Mistake(
        "is_random",
        _Noisy,
        "The same cloud got two different answers, in evaluation mode: is dropout a layer of its "
        "own, which knows the mode?",
    ),
    Mistake(
        "clouds_see_each_other",
        _Batch,
        "In evaluation mode the answer to a cloud changes with the other clouds of its batch.",
    ),
    Mistake(
        "depends_on_the_order",
        _Ordered,
        "Reordering the points of a cloud changes your logits: between the points and the logits "
        "something knows which point came first.",
    ),
    Mistake(
        "probabilities_for_logits",
        _Probabilities,
        "Your logits are positive and add up to 1: a softmax belongs into the loss, not into the "
        "network.",
    ),
    Mistake(
        "log_probabilities_for_logits",
        _LogProbabilities,
        "Your logits are logarithms of probabilities: log_softmax belongs into the loss, not into "
        "the network.",
    ),
    Mistake(
        "logits_never_negative",
        _Rectified,
        "Your logits are never negative, not even after a training: a ReLU or a sigmoid stands "
        "behind the last layer, and nothing belongs there.",
    ),
    Mistake(
        "not_yet_the_identity",
        _RandomTurn,
        "A fresh input_transform is not the identity: the last layer of a T-Net, weights and "
        "bias, has to start from zero.",
    ),
    Mistake(
        "no_identity",
        _NoIdentity,
        "A fresh input_transform is near 0, and maps all points to one: what is predicted is to "
        "be added to the identity.",
    ),
    Mistake(
        "features_of_others",
        _NeighborFeatures,
        "The features of a point change with the order of the others: h looks at one point alone.",
    ),
    Mistake(
        "global_is_not_the_maximum",
        _Mean,
        "global_feature is not the maximum of your point_features over the points.",
    ),
    Mistake(
        "pools_the_points",
        _PoolsPoints,
        "global_feature looks at the corner of the bounding box and at nothing else: you pool "
        "coordinates, not features.",
    ),
    Mistake(
        "misses_a_coordinate",
        _TwoCoordinates,
        "A cloud was pressed flat along one axis, and its point features stayed the same: one of "
        "the three coordinates does not count.",
    ),
    Mistake(
        "affine_map",
        _Affine,
        "Half-way between two points your features are half-way, too: the map of the points is "
        "affine, and points inside of a shape count for nothing. Something has to bend.",
    ),
    Mistake(
        "same_for_all_clouds",
        _Blind,
        "All clouds got the same logits: the network does not look at them.",
    ),
    Mistake(
        "misses_critical_points",
        _OneFeature,
        "A point was removed that leads in some feature: your global feature changed, and your "
        "logits did not. Every feature counts.",
    ),
    Mistake(
        "more_than_the_maximum",
        _MeanAsWell,
        "A point was removed that leads in no feature: your global feature stayed, and your "
        "logits changed. They follow from the global feature alone.",
    ),
    Mistake(
        "transform_without_use",
        _Turned,
        "After a training input_transform is still the identity: the points do not pass through "
        "it, or its gradient is cut.",
    ),
    Mistake(
        "one_transform_for_all",
        _OneTurn,
        "After a training all clouds have the same input_transform: it does not look at them.",
    ),
    Mistake(
        "weights_without_gradient",
        _Idle,
        "No gradient reaches some of the weights: a layer is made and not used, or the path to it "
        "is cut.",
    ),
    Mistake(
        "cannot_fit_one_batch",
        _Overwhelmed,
        "Trained on eight clouds again and again, your network does not learn their eight labels. "
        "A network that cannot remember a single batch has a cut in its path, or too few features.",
    ),
    Mistake(
        "accepts_other_points",
        _AnyPoints,
        "Points of other than three coordinates were accepted, or a cloud without a batch axis. "
        "Compare the shape and raise a ValueError.",
    ),
    Mistake("accepts_empty_set", _EmptySets),
    Mistake(
        "accepts_no_classes",
        _NoClasses,
        "A network for no class at all was made. Raise a ValueError for num_classes < 1.",
    ),
)
