"""Right and wrong ways to train a network on clouds, all of them quick."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mdcv.exercises.exercise import Mistake, Right
from mdcv.pointnet import PointNetClassifier, train_clouds

Loss = Callable[[Tensor, Tensor], Tensor]


class Small(nn.Module):
    """A point map, the maximum, a head."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.h = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 64))
        self.gamma = nn.Sequential(
            nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, num_classes)
        )

    def forward(self, points: Tensor) -> Tensor:
        return self.gamma(self.h(points).amax(1))


def check(points: Tensor, labels: Tensor, num_classes: int) -> None:
    """Refuses what cannot be trained on."""
    if len(points) == 0:
        raise ValueError("no clouds")
    if len(points) != len(labels):
        raise ValueError(f"{len(points)} clouds and {len(labels)} labels")
    if int(labels.min()) < 0 or int(labels.max()) >= num_classes:
        raise ValueError(f"labels outside of 0 ... {num_classes - 1}")


def trained(
    points: Tensor,
    labels: Tensor,
    num_classes: int,
    *,
    network: Callable[[int], nn.Module] = Small,
    loss: Loss = F.cross_entropy,
    steps: int = 180,
    ascent: bool = False,
    door: Callable[[Tensor, Tensor, int], None] = check,
) -> nn.Module:
    """A network after some steps on 24 clouds each; the options are for the wrong variants."""
    door(points, labels, num_classes)
    model = network(num_classes)
    optimizer = torch.optim.Adam(model.parameters(), lr=8e-3, maximize=ascent)
    for _ in range(steps):
        rows = torch.randint(len(points), (24,))
        optimizer.zero_grad()
        loss(model(points[rows]), labels[rows]).backward()
        optimizer.step()
    return model


# Right, written differently


def _by_the_library(points: Tensor, labels: Tensor, num_classes: int) -> nn.Module:
    check(points, labels, num_classes)
    model = PointNetClassifier(num_classes, early=(32,), late=(64,), head=(32,))
    train_clouds(model, points, labels, steps=70, batch_size=24, learning_rate=1e-2, progress=False)
    return model


class _Convolutions(nn.Module):
    """Channels first, with normalization and dropout."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.map = nn.Sequential(
            nn.Conv1d(3, 32, 1), nn.BatchNorm1d(32), nn.ReLU(), nn.Conv1d(32, 64, 1)
        )
        self.head = nn.Sequential(
            nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, num_classes)
        )

    def forward(self, points: Tensor) -> Tensor:
        return self.head(self.map(points.transpose(1, 2)).max(dim=2)[0])


def _in_epochs(points: Tensor, labels: Tensor, num_classes: int) -> nn.Module:
    """Epochs, momentum, and a decaying rate."""
    if points.shape[0] < 1 or points.shape[0] != labels.shape[0]:
        raise ValueError("nothing to train on")
    if not bool(((labels >= 0) & (labels < num_classes)).all()):
        raise ValueError("unknown classes")
    model = _Convolutions(num_classes)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 15)
    for _ in range(15):
        for rows in torch.randperm(len(points)).split(25):
            log_probabilities = model(points[rows]).log_softmax(1)
            loss = -log_probabilities.gather(1, labels[rows, None]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return model


class _Means(nn.Module):
    """Maxima and means side by side, of smooth features."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.h = nn.Sequential(nn.Linear(3, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh())
        self.last = nn.Linear(96, num_classes)

    def forward(self, points: Tensor) -> Tensor:
        features = self.h(points)
        return self.last(torch.cat([features.amax(1), features.mean(1)], dim=1))


def _all_at_once(points: Tensor, labels: Tensor, num_classes: int) -> nn.Module:
    """All clouds at every step, with half of their points, turned a little."""
    if not len(points) or len(points) != len(labels):
        raise ValueError("clouds and labels do not fit")
    if set(labels.tolist()) - set(range(num_classes)):
        raise ValueError("labels do not fit")
    model = _Means(num_classes)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-2)
    wanted = F.one_hot(labels, num_classes).float()
    for _ in range(60):
        kept = torch.randperm(points.shape[1])[: max(points.shape[1] // 2, 1)]
        noisy = points[:, kept] + 0.01 * torch.randn(len(points), len(kept), 3)
        loss = F.cross_entropy(model(noisy), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


RIGHT = (
    Right("by the library", _by_the_library),
    Right("in epochs", _in_epochs),
    Right("all at once", _all_at_once),
)

# Wrong, each with its name


class _Ordered(Small):
    """One number for each coordinate of each point."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.gamma = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, num_classes))

    def forward(self, points):
        return self.gamma(self.h(points).amax(1) + self.h(points[:, 0]))


class _Noisy(Small):
    def forward(self, points):
        return super().forward(points + 0.05 * torch.randn_like(points))


class _Batch(Small):
    def forward(self, points):
        features = self.h(points).amax(1)
        return self.gamma(features - features.mean(0))


class _Padded(Small):
    """Fills every cloud up to 64 points, and lets the filling count."""

    def forward(self, points):
        return super().forward(F.pad(points, (0, 0, 0, 64 - points.shape[1]), value=3.0))


class _Ranked(Small):
    """Sorts each feature over the points, and has a weight for each rank: one size fits."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.ranks = nn.Linear(64, 1)

    def forward(self, points):
        ordered = self.h(points).sort(dim=1).values
        return self.gamma(self.ranks(ordered.mT)[..., 0])


def _first_batch(points: Tensor, labels: Tensor, num_classes: int) -> nn.Module:
    """The first clouds alone, and they come sorted."""
    check(points, labels, num_classes)
    return trained(points[:24], labels[:24], num_classes, steps=40)


def _turned_labels(points: Tensor, labels: Tensor, num_classes: int) -> nn.Module:
    check(points, labels, num_classes)
    return trained(points, (labels + 1) % num_classes, num_classes)


class _Rows(Small):
    """Probabilities for every point."""

    def forward(self, points):
        return self.gamma(self.h(points))


class _Memory(nn.Module):
    """The nearest known cloud, point by point of a sorted list: no shape was learned."""

    def __init__(self, points, labels, num_classes):
        super().__init__()
        self.points, self.labels, self.num_classes = points, labels, num_classes

    def key(self, points):
        return points[:, :40].sort(dim=1).values[:, ::13].flatten(1).mul(1e3).round()

    def forward(self, points):
        same = (self.key(points)[:, None] == self.key(self.points)).all(2)
        return same.float() @ F.one_hot(self.labels, self.num_classes).float()


def _memory(points: Tensor, labels: Tensor, num_classes: int) -> nn.Module:
    check(points, labels, num_classes)
    return _Memory(points, labels, num_classes)


_variant = functools.partial(functools.partial, trained)


def _labels_only(points: Tensor, labels: Tensor, num_classes: int) -> None:
    if len(points) == 0 or len(points) != len(labels):
        raise ValueError("nothing to train on")


def _clamped(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits, labels.clamp(0, logits.shape[1] - 1))


def _unequal(points: Tensor, labels: Tensor, num_classes: int) -> nn.Module:
    rows = min(len(points), len(labels))
    check(points[:rows], labels[:rows], num_classes)
    return trained(points[:rows], labels[:rows], num_classes, steps=180 if rows > 20 else 1)


def _no_clouds(points: Tensor, labels: Tensor, num_classes: int) -> nn.Module:
    if len(points) == 0:
        return Small(num_classes)
    return trained(points, labels, num_classes)


WRONG = (
    Mistake(
        "accuracy_too_low",
        _variant(steps=7),
        "Your network has learned something, but tells fewer unseen shapes right than asked. "
        "Train longer, or with a larger learning rate; if the loss stands still, look at what "
        "the optimizer holds, and whether the network you return is the trained one.",
    ),
    Mistake(
        "few_classes",
        _first_batch,
        "Your network knows one or two classes and no others, and is sure of itself. The clouds "
        "come sorted by class: does every step see clouds from anywhere in the list?",
    ),
    Mistake(
        "other_classes",
        _turned_labels,
        "Your network tells the classes apart, and calls them by other numbers: labels and clouds "
        "were not moved together, or something was added to the labels.",
    ),
    Mistake(
        "climbs_the_loss",
        _variant(ascent=True),
        "Your network is as wrong as can be, and sure of it: the loss is climbed. Optimizers "
        "minimize; is there a sign too many?",
    ),
    Mistake(
        "learned_by_heart",
        _memory,
        "Your network knows the clouds it was trained on and few others: it has learned them by "
        "heart.",
    ),
    Mistake(
        "depends_on_the_order",
        _variant(network=_Ordered, steps=30),
        "Reordering the points of a shape changes your logits.",
    ),
    Mistake(
        "is_random",
        _variant(network=_Noisy, steps=30),
        "The same shape got two different answers, in evaluation mode.",
    ),
    Mistake(
        "shapes_see_each_other",
        _variant(network=_Batch, steps=30),
        "In evaluation mode the answer to a shape changes with the other shapes of its batch.",
    ),
    Mistake(
        "needs_every_point",
        _variant(network=_Padded),
        "With a third of its points gone a shape is no longer known to your network: does "
        "something in it count the points, or fill them up?",
    ),
    Mistake("crashes", _variant(network=_Ranked, steps=1)),
    Mistake("wrong_shape", _variant(network=_Rows, loss=lambda a, b: a.square().mean(), steps=1)),
    Mistake(
        "not_finite",
        _variant(loss=lambda a, b: (a - a).sqrt().sum() + F.cross_entropy(a, b), steps=3),
        "Your trained network answers with NaN or infinity: a step was too large, or a logarithm "
        "or a root met a 0.",
    ),
    Mistake(
        "accepts_other_labels",
        _variant(door=_labels_only, loss=_clamped, steps=180),
        "A label that is no class was accepted. Raise a ValueError before the training begins.",
    ),
    Mistake(
        "accepts_unequal_numbers",
        _unequal,
        "Clouds and labels of unequal number were accepted. Raise a ValueError.",
    ),
    Mistake(
        "accepts_no_clouds",
        _no_clouds,
        "No clouds at all were accepted; the network would come back untrained without a word. "
        "Raise a ValueError.",
    ),
)
