"""Mistakes that no list names are caught all the same, and right answers that look odd pass."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mdcv.exercises import get, judge
from mdcv.exercises.a5_pointnet import point_net_variants as point_nets
from mdcv.exercises.a5_pointnet import t_net_variants as t_nets
from mdcv.exercises.a5_pointnet.set_function_variants import set_function
from mdcv.pointnet import distinct_count, uniform_hash

# Right answers that look odd


def by_heap(hashes, *, k=1):
    """NumPy, a partial sort, and a number made into a tensor at the end."""
    values = np.unique(hashes.numpy())
    if k < 1 or not np.all((values > 0) & (values < 1)):
        raise ValueError("k or a hash is out of range")
    if len(values) < k:
        return hashes.new_tensor(len(values))
    return hashes.new_tensor(max(k - 1, 1) / np.partition(values, k - 1)[k - 1])


def by_a_double_negative(points, h, gamma, *, pooling="max"):
    if points.ndim != 3 or points.shape[1] == 0 or pooling not in ("max", "sum", "mean"):
        raise ValueError("points or pooling")
    features = h(points)
    if pooling == "max":
        return gamma(-torch.min(-features, dim=1).values)
    total = torch.einsum("bnk->bk", features)
    return gamma(total if pooling == "sum" else total / points.shape[1])


def by_singular_values(transform):
    """Σ (1 − σ²)², in another basis the same number."""
    if transform.ndim != 3 or transform.shape[1] != transform.shape[2] or not len(transform):
        raise ValueError("expected square matrices")
    squares = torch.linalg.eigvalsh(transform @ transform.mT)
    return (1 - squares).square().sum() / len(transform)


def by_index(features):
    if features.ndim != 3 or features.shape[1] == 0 or not torch.equal(features, features):
        raise ValueError("features")
    critical = torch.zeros(features.shape[:2]).bool()
    rows = torch.arange(len(features))[:, None]
    critical[rows, torch.argmax(features, dim=1)] = True
    return critical


def by_broadcasting_zeros(features, head):
    if features.ndim != 3 or not features.shape[1]:
        raise ValueError("features")
    whole = torch.zeros_like(features) + features.amax(1)[:, None]
    return head(torch.stack([features, whole], dim=2).flatten(2))


class OneLayer(point_nets.Plain):
    """A point map of one layer: it bends, and that is enough."""

    def point_map(self):
        return nn.Sequential(nn.Linear(3, 96), nn.ReLU())


class Normalized(point_nets.Plain):
    """Layer normalization, and clouds moved to their own center first."""

    def point_map(self):
        return nn.Sequential(nn.Linear(3, 64), nn.LayerNorm(64), nn.GELU(), nn.Linear(64, 96))

    def point_features(self, points):
        self.door(points)
        turned = points @ self.input_transform(points)
        return self.h(turned - turned.mean(1, keepdim=True))


class SharedNorm(point_nets.Plain):
    """Batch normalization over all points of all clouds."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.norm = nn.BatchNorm1d(96)

    def point_features(self, points):
        features = super().point_features(points)
        return self.norm(features.flatten(0, 1)).unflatten(0, points.shape[:2])


class Gated(t_nets.Plain):
    """Attention over the points in place of a maximum."""

    def pooled(self, points):
        features = self.h(points)
        return (features * features.softmax(1)).sum(1)


class Nearest(nn.Module):
    """No network at all: the class of the known cloud with the smallest Chamfer distance."""

    def __init__(self, points, labels, num_classes):
        super().__init__()
        self.points, self.labels, self.num_classes = points[:, ::2], labels, num_classes

    def forward(self, points):
        answers = []
        for cloud in points:
            table = torch.cdist(cloud[None], self.points)
            apart = table.amin(1).mean(1) + table.amin(2).mean(1)
            nearest = torch.full((self.num_classes,), torch.inf)
            nearest = nearest.scatter_reduce(0, self.labels, apart, "amin")
            answers.append(-20 * nearest.clamp(max=5))
        return torch.stack(answers)


def by_neighbors(points, labels, num_classes):
    fits = len(points) == len(labels) > 0
    if not fits or not bool(((labels >= 0) & (labels < num_classes)).all()):
        raise ValueError("clouds and labels")
    return Nearest(points, labels, num_classes)


@pytest.mark.parametrize(
    ("name", "implementation"),
    [
        ("distinct_count", by_heap),
        ("set_function", by_a_double_negative),
        ("orthogonality_penalty", by_singular_values),
        ("critical_points", by_index),
        ("segment_points", by_broadcasting_zeros),
        ("PointNet", OneLayer),
        ("PointNet", Normalized),
        ("PointNet", SharedNorm),
        ("TNet", Gated),
        ("train_pointnet", by_neighbors),
    ],
)
def test_an_odd_right_answer_passes(name, implementation):
    outcome = judge(name, implementation, seed=5)
    assert outcome.passed, outcome.message


# Mistakes without a name


def harmonic(hashes, *, k=1):
    """Divides by a harmonic mean of the smallest hashes."""
    if k < 1 or not bool(((hashes > 0) & (hashes < 1)).all()):
        raise ValueError("k or a hash")
    smallest = hashes.unique()[:k]
    if len(smallest) < k:
        return hashes.new_tensor(float(len(smallest)))
    return max(k - 1, 1) * (1 / smallest).mean()


def two_largest(points, h, gamma, *, pooling="max"):
    if pooling != "max":
        return set_function(points, h, gamma, pooling=pooling)
    if points.ndim != 3 or not points.shape[1]:
        raise ValueError("points")
    return gamma(h(points).topk(min(2, points.shape[1]), dim=1).values.mean(1))


def with_a_root_inside(transform):
    if transform.ndim != 3 or transform.shape[1] != transform.shape[2] or not len(transform):
        raise ValueError("expected square matrices")
    gram = transform @ transform.mT
    return (torch.eye(len(gram[0])).to(gram) - gram).square().sum((1, 2)).add(1e-3).mean()


def of_half_the_features(features):
    if features.ndim != 3 or features.shape[1] == 0 or bool(features.isnan().any()):
        raise ValueError("features")
    half = features[:, :, : -(-features.shape[2] // 2)]
    return torch.zeros(features.shape[:2]).bool().scatter(1, half.argmax(1), True)


def whole_of_the_others(features, head):
    """The maximum over all points but the last."""
    if features.ndim != 3 or not features.shape[1]:
        raise ValueError("features")
    whole = features[:, : max(features.shape[1] - 1, 1)].amax(1, keepdim=True)
    return head(torch.cat([features, whole.expand_as(features)], dim=2))


class Rounded(point_nets.Plain):
    """Half of the cloud is enough for it."""

    def global_feature(self, points):
        return self.point_features(points)[:, : -(-points.shape[1] // 2)].amax(1)


class Squashed(point_nets.Plain):
    def forward(self, points):
        return super().forward(points).sigmoid()


class CutBeforeTheHead(point_nets.Plain):
    def global_feature(self, points):
        return super().global_feature(points).detach()


class CutBeforeTheTurn(point_nets.Plain):
    def input_transform(self, points):
        return self.t_net(points).detach()


class TurnsByPart(t_nets.Plain):
    """Looks at the first four points."""

    def pooled(self, points):
        return self.h(points[:, :4]).amax(1)


class AllZero(t_nets.Plain):
    """Every layer starts from zero, and stays there."""

    def __init__(self, k):
        super().__init__(k)
        for parameter in self.gamma.parameters():
            nn.init.zeros_(parameter)


def of_two_coordinates(points, labels, num_classes):
    """Presses the shapes flat, which is not enough for six kinds of them."""
    fits = len(points) == len(labels) > 0
    if not fits or not bool(((labels >= 0) & (labels < num_classes)).all()):
        raise ValueError("clouds and labels")

    class Line(nn.Module):
        def forward(self, x):
            return x[..., :1].amax(1) * torch.linspace(-1, 1, num_classes)

    return Line()


@pytest.mark.parametrize(
    ("name", "implementation"),
    [
        ("distinct_count", harmonic),
        ("set_function", two_largest),
        ("orthogonality_penalty", with_a_root_inside),
        ("critical_points", of_half_the_features),
        ("segment_points", whole_of_the_others),
        ("PointNet", Rounded),
        ("PointNet", Squashed),
        ("PointNet", CutBeforeTheHead),
        ("PointNet", CutBeforeTheTurn),
        ("TNet", TurnsByPart),
        ("TNet", AllZero),
        ("train_pointnet", of_two_coordinates),
    ],
)
def test_an_unlisted_mistake_is_caught(name, implementation):
    outcome = judge(name, implementation, seed=5)
    assert not outcome.passed
    assert outcome.score < 0.75, outcome.message


@pytest.mark.parametrize(
    ("network", "named"),
    [
        (CutBeforeTheHead, "transform_without_use"),
        (CutBeforeTheTurn, "transform_without_use"),
        (Rounded, "depends_on_the_order"),
    ],
)
def test_a_mistake_in_other_words_gets_its_name(network, named):
    assert judge("PointNet", network, seed=3).misconception == named


# The references are the library's


@pytest.mark.parametrize("k", [1, 5, 64])
def test_counting_hashes_is_what_the_library_does_with_a_stream(k):
    stream = torch.arange(300).repeat(3)[torch.randperm(900)]
    mine = get("distinct_count").reference(uniform_hash(stream, seed=2), k=k)
    assert math.isclose(mine.item(), distinct_count(stream, k=k, seed=2), rel_tol=1e-12)


def test_the_segment_reference_has_the_shape_that_its_head_gives():
    features, head = torch.rand(2, 7, 4), nn.Linear(8, 3)
    came = get("segment_points").reference(features, head)
    whole = features.max(dim=1).values[1]
    torch.testing.assert_close(came[1, 5], head(torch.cat([features[1, 5], whole])))


def test_a_plain_network_learns_the_shapes_and_no_other_seed_does():
    from mdcv.exercises.a5_pointnet import shapes
    from mdcv.exercises.a5_pointnet.train_pointnet_variants import trained
    from mdcv.exercises.cases import Draw

    torch.manual_seed(0)
    here, elsewhere = (shapes.shapes(Draw(seed, "test")) for seed in (1, 2))
    assert here.labels.tolist() == sorted(here.labels.tolist())
    model = trained(here.points, here.labels, shapes.CLASSES).eval()
    with torch.no_grad():
        shares = [
            (model(some.unseen).argmax(1) == some.unseen_labels).double().mean().item()
            for some in (here, elsewhere)
        ]
    assert shares[0] > 0.9 > 0.6 > shares[1]
    assert F.cross_entropy(model(here.unseen), here.unseen_labels) < 0.5
