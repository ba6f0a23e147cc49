"""Right and wrong T-Nets: each wrong one differs from a right one in one place."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mdcv.exercises.exercise import Mistake, Right


def check(points: Tensor, k: int) -> None:
    """Refuses anything but clouds (B, N, k) with points."""
    if points.ndim != 3 or points.shape[2] != k:
        raise ValueError(f"points have shape {tuple(points.shape)}; expected (B, N, {k})")
    if points.shape[1] == 0:
        raise ValueError("a cloud without points")


class Plain(nn.Module):
    """A right one in plain PyTorch; what its parts are is for the wrong ones to change."""

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = k
        self.h = self.point_map(k)
        self.gamma = nn.Sequential(nn.Linear(48, 32), nn.ReLU(), nn.Linear(32, k * k))
        nn.init.zeros_(self.gamma[-1].weight)
        nn.init.zeros_(self.gamma[-1].bias)

    def point_map(self, k: int) -> nn.Module:
        return nn.Sequential(nn.Linear(k, 32), nn.ReLU(), nn.Linear(32, 48))

    def forward(self, points: Tensor) -> Tensor:
        self.door(points)
        return self.start(points) + self.gamma(self.pooled(points)).view(-1, self.k, self.k)

    def door(self, points: Tensor) -> None:
        check(points, self.k)

    def pooled(self, points: Tensor) -> Tensor:
        return self.h(points).amax(1)

    def start(self, points: Tensor) -> Tensor:
        return torch.eye(self.k)


# Right, written differently


class _Convolutions(nn.Module):
    """As in the paper: convolutions of size 1, batch normalization, three layers each."""

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = k
        self.convolutions = nn.ModuleList(
            [nn.Conv1d(k, 32, 1), nn.Conv1d(32, 64, 1), nn.Conv1d(64, 128, 1)]
        )
        self.norms = nn.ModuleList([nn.BatchNorm1d(32), nn.BatchNorm1d(64), nn.BatchNorm1d(128)])
        self.first, self.second = nn.Linear(128, 64), nn.Linear(64, 32)
        self.norm = nn.BatchNorm1d(64)
        self.last = nn.Linear(32, k * k)
        nn.init.zeros_(self.last.weight)
        with torch.no_grad():
            self.last.bias.copy_(torch.eye(k).flatten())

    def forward(self, points: Tensor) -> Tensor:
        if points.dim() != 3 or points.size(2) != self.k or points.size(1) < 1:
            raise ValueError(f"expected clouds (B, N, {self.k})")
        x = points.transpose(1, 2)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = torch.relu(norm(convolution(x)))
        x = torch.max(x, 2)[0]
        x = torch.relu(self.norm(self.first(x)))
        return self.last(torch.relu(self.second(x))).reshape(-1, self.k, self.k)


class _ByHand(nn.Module):
    """Weights made by hand, a mean for the maximum, and a gate that opens from 0."""

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = k
        self.into = nn.Parameter(torch.randn(k + 1, 40) / k**0.5)
        self.on = nn.Parameter(torch.randn(40, 40) / 6)
        self.out = nn.Parameter(torch.randn(41, k * k) / 6)
        self.gate = nn.Parameter(torch.zeros(k * k))

    def forward(self, points: Tensor) -> Tensor:
        if len(points.shape) != 3 or points.shape[-1] != self.k or not points.shape[1]:
            raise ValueError("not clouds")
        ones = torch.ones_like(points[..., :1])
        hidden = torch.tanh(torch.tanh(torch.cat([points, ones], dim=-1) @ self.into) @ self.on)
        pooled = torch.cat([hidden.mean(1), ones[:, 0]], dim=-1)
        moved = (pooled @ self.out) * self.gate
        return torch.eye(self.k).flatten().add(moved).unflatten(-1, (self.k, self.k))


class _CloudByCloud(Plain):
    """One cloud after the other, and a residual on a smooth map."""

    def point_map(self, k: int) -> nn.Module:
        return nn.Sequential(
            nn.Linear(k, 64), nn.GELU(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 48)
        )

    def pooled(self, points: Tensor) -> Tensor:
        return torch.stack([self.h(cloud).max(dim=0).values for cloud in points])


RIGHT = (
    Right("in plain PyTorch", Plain),
    Right("with convolutions and normalization", _Convolutions),
    Right("by hand, with a mean", _ByHand),
    Right("cloud by cloud", _CloudByCloud),
)

# Wrong, each with its name


class _NoIdentity(Plain):
    def start(self, points):
        return torch.zeros(self.k, self.k)


class _Doubled(Plain):
    def start(self, points):
        return 2 * torch.eye(self.k)


class _RandomStart(Plain):
    """The last layer keeps the weights that PyTorch draws."""

    def __init__(self, k):
        super().__init__(k)
        self.gamma[-1].reset_parameters()


class _Flat(Plain):
    def forward(self, points):
        return super().forward(points).flatten(1)


class _Frozen(Plain):
    """The answer without its history."""

    def forward(self, points):
        return super().forward(points).detach() + 0 * self.gamma[-1].bias.sum()


class _Noisy(Plain):
    def pooled(self, points):
        return nn.functional.dropout(super().pooled(points), 0.5, training=True)


class _Batch(Plain):
    def pooled(self, points):
        pooled = super().pooled(points)
        return pooled - pooled.mean(0)


class _OneMatrix(Plain):
    """A matrix to learn, and no look at the cloud."""

    def pooled(self, points):
        return torch.ones(len(points), 48)


class _FirstPoint(Plain):
    def pooled(self, points):
        return self.h(points)[:, 0]


class _OverFeatures(Plain):
    """The largest feature of each point: as many numbers as there are points."""

    def pooled(self, points):
        return self.h(points).amax(2)


class _Diagonal(Plain):
    def forward(self, points):
        return super().forward(points) * torch.eye(self.k)


class _PoolsPoints(Plain):
    def pooled(self, points):
        return self.h(points.amax(1))


class _TwoCoordinates(Plain):
    def pooled(self, points):
        return super().pooled(points * (torch.arange(self.k) < 2))


class _Affine(Plain):
    def point_map(self, k):
        return nn.Sequential(nn.Linear(k, 32), nn.Linear(32, 48))


class _AffineMean(_Affine):
    def pooled(self, points):
        return self.h(points).mean(1)


class _AnyPoints(Plain):
    def door(self, points):
        if points.shape[-2] == 0:
            raise ValueError("a cloud without points")

    def pooled(self, points):
        points = points[None] if points.ndim == 2 else points
        fitting = nn.functional.pad(points, (0, self.k))[..., : self.k]
        return super().pooled(fitting)


class _EmptySets(Plain):
    def door(self, points):
        if points.ndim != 3 or points.shape[2] != self.k:
            raise ValueError("other points")

    def pooled(self, points):
        return super().pooled(points) if points.shape[1] else torch.zeros(len(points), 48)


WRONG = (
    Mistake(
        "no_identity",
        _NoIdentity,
        "At the start your transform maps all points near 0: what the network predicts is to be "
        "added to the identity.",
    ),
    Mistake(
        "scaled_identity",
        _Doubled,
        "At the start your transform is a multiple of the identity: is it added twice, or does "
        "the bias hold something as well?",
    ),
    Mistake(
        "not_yet_the_identity",
        _RandomStart,
        "At the start your transform is the identity plus something random: it turns points "
        "before anything is learned. The last layer, weights and bias, has to start from zero.",
    ),
    Mistake("wrong_shape", _Flat),
    Mistake(
        "learns_nothing",
        _Frozen,
        "After a training your transform is what it was: no gradient reaches the weights, or they "
        "start where it is zero (only the last layer may start from zero).",
    ),
    Mistake(
        "is_random",
        _Noisy,
        "The same cloud got two different matrices, in evaluation mode.",
    ),
    Mistake(
        "clouds_see_each_other",
        _Batch,
        "In evaluation mode the matrix of a cloud changes with the other clouds of its batch.",
    ),
    Mistake(
        "one_matrix_for_all",
        _OneMatrix,
        "After a training all clouds still get the same matrix: your transform does not look at "
        "the points.",
    ),
    Mistake(
        "depends_on_the_order",
        _FirstPoint,
        "Reordering the points of a cloud changes its matrix: pool over the points with something "
        "that does not know their order.",
    ),
    Mistake("crashes", _OverFeatures),
    Mistake(
        "entries_that_never_move",
        _Diagonal,
        "Some entries of the matrix never change, whatever is trained: all k × k of them are "
        "predicted.",
    ),
    Mistake(
        "misses_a_coordinate",
        _TwoCoordinates,
        "A cloud was pressed flat along one of its coordinates, and its matrix stayed the same: "
        "not all of the k numbers of a point count.",
    ),
    Mistake(
        "pools_the_points",
        _PoolsPoints,
        "Points far out change nothing while one corner of the bounding box stays: you pool "
        "coordinates, not features.",
    ),
    Mistake(
        "affine_map",
        _Affine,
        "Points inside of the convex hull change nothing: your map of the points is affine, or "
        "has a single layer. It needs a hidden layer, with something that bends.",
    ),
    Mistake(
        "sees_only_the_center",
        _AffineMean,
        "Your transform sees only the center of a cloud: spread it out and nothing changes. "
        "Something has to bend before the mean is taken.",
    ),
    Mistake(
        "accepts_other_points",
        _AnyPoints,
        "Points of another dimension than announced were accepted, or a cloud without a batch "
        "axis. Compare the shape and raise a ValueError.",
    ),
    Mistake("accepts_empty_set", _EmptySets),
)
