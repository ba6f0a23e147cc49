import pytest
import torch

from mdcv.data import correspondences, shape_clouds
from mdcv.pointnet import (
    OutlierNet,
    PointNetClassifier,
    PointNetSegmenter,
    train_clouds,
    train_outlier_net,
)
from mdcv.seeds import generator


def classifier(**options):
    return PointNetClassifier(6, early=(16,), late=(32, 64), head=(), rng=generator(0), **options)


def test_a_small_network_learns_the_six_shapes():
    clouds = shape_clouds(96, points=128, generator=generator(1))
    held_out = shape_clouds(60, points=128, generator=generator(2))
    model = classifier()
    history = train_clouds(
        model, clouds.points, clouds.labels, steps=50, subset=64, learning_rate=4e-3, progress=False
    )
    assert history["loss"].shape == (50,) and not model.training
    right = (model(held_out.points).argmax(dim=1) == held_out.labels).float().mean()
    assert right > 0.95


def test_a_segmenter_learns_from_labels_per_point():
    points = torch.rand(16, 64, 3, generator=generator(0)) - 0.5
    above = (points[..., 1] > 0).long()
    model = PointNetSegmenter(2, early=(16,), late=(16,), head=(16,), rng=generator(0))
    history = train_clouds(
        model, points, above, steps=40, batch_size=8, learning_rate=1e-2, progress=False
    )
    assert history["accuracy"][-5:].mean() > 0.9


def test_the_same_seed_trains_the_same_network():
    clouds = shape_clouds(12, points=32, generator=generator(1))
    models = [classifier() for _ in range(2)]
    for model in models:
        train_clouds(model, clouds.points, clouds.labels, steps=3, subset=16, progress=False)
    one, two = (model.state_dict() for model in models)
    assert all(one[name].equal(two[name]) for name in one)


def test_the_change_is_applied_to_every_batch():
    clouds = shape_clouds(12, points=32, generator=generator(1))
    seen = []

    def change(points, generator):
        seen.append(points.shape)
        return points + 0.01 * torch.randn(points.shape, generator=generator)

    train_clouds(
        classifier(),
        clouds.points,
        clouds.labels,
        steps=3,
        batch_size=5,
        subset=20,
        change=change,
        progress=False,
    )
    assert seen == [(5, 20, 3)] * 3


def test_the_penalty_keeps_the_feature_transform_near_orthogonal():
    clouds = shape_clouds(24, points=32, generator=generator(1))
    far = {}
    for penalty in (0.0, 10.0):
        model = classifier(transforms="both")
        options = {"steps": 15, "subset": None, "penalty": penalty, "learning_rate": 2e-2}
        train_clouds(model, clouds.points, clouds.labels, progress=False, **options)
        matrix = model.point_transforms(clouds.points)[-1]
        far[penalty] = (matrix @ matrix.mT - torch.eye(16)).abs().max().item()
    assert far[10.0] < 0.5 * far[0.0]


def test_an_outlier_net_learns_to_tell():
    pairs, good, essential = correspondences(
        24, matches=64, inlier_share=0.6, noise=0.001, generator=generator(0)
    )
    net = OutlierNet(width=16, blocks=2, rng=generator(0))
    history = train_outlier_net(
        net, pairs, good, essential, steps=60, batch_size=8, learning_rate=1e-2, progress=False
    )
    assert set(history) == {"classification", "geometry"} and not net.training
    first, last = history["classification"][:10].mean(), history["classification"][-10:].mean()
    assert last < 0.8 * first


@pytest.mark.usefixtures("at_the_door")
def test_refusals():
    points = torch.rand(4, 8, 3)
    for labels in (torch.zeros(3).long(), torch.zeros(4), torch.zeros(4, 7).long()):
        with pytest.raises(ValueError, match="labels has shape"):
            train_clouds(classifier(), points, labels, progress=False)
    with pytest.raises(ValueError, match="subset is 0"):
        train_clouds(classifier(), points, torch.zeros(4).long(), subset=0, progress=False)
    with pytest.raises(ValueError, match="steps is 0"):
        train_clouds(classifier(), points, torch.zeros(4).long(), steps=0, progress=False)
