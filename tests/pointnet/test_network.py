import itertools

import pytest
import torch

from mdcv.pointnet import PointNetClassifier, PointNetSegmenter
from mdcv.seeds import generator

TRANSFORMS = ("none", "input", "both")


def small(kind=PointNetClassifier, **options):
    return kind(4, early=(8, 8), late=(16, 24), head=(12,), rng=generator(0), **options)


@pytest.mark.parametrize("transforms", TRANSFORMS)
def test_every_order_of_a_set_gets_the_same_logits(device, cloud, settled, transforms):
    model = settled(small(transforms=transforms)).to(device)
    points = cloud(1, 5, 3).to(device)
    orders = torch.tensor(list(itertools.permutations(range(5))), device=device)
    logits = model(points[0][orders])
    assert logits.equal(logits[:1].expand_as(logits))


@pytest.mark.parametrize("transforms", TRANSFORMS)
def test_a_segmenter_permutes_with_its_points(device, cloud, settled, transforms):
    model = settled(small(PointNetSegmenter, transforms=transforms)).to(device)
    points = cloud(2, 90, 3).to(device)
    order = torch.randperm(90, generator=generator(1)).to(device)
    assert model(points)[:, order].equal(model(points[:, order]))


def test_every_point_of_a_segmenter_sees_the_whole(cloud, settled):
    model = settled(small(PointNetSegmenter)).double()
    points = cloud(1, 6, 3, dtype=torch.float64)
    slope = torch.autograd.functional.jacobian(lambda p: model(p)[0, 0], points)[:, 0]
    reached = slope.abs().sum(dim=(0, 2)) > 0
    assert reached[1:].any()


def test_training_mode_is_invariant_up_to_rounding(cloud):
    model = small(transforms="both").double().train()
    points = cloud(3, 20, 3, dtype=torch.float64)
    torch.testing.assert_close(model(points), model(points.flip(1)))


def test_the_network_is_not_affine_in_its_points(cloud, settled):
    model = settled(small()).double()
    a, b = cloud(2, 1, 30, 3, dtype=torch.float64)
    middle = model((a + b) / 2) - (model(a) + model(b)) / 2
    assert middle.abs().max() > 1e-3


@pytest.mark.parametrize("pooling", ["max", "sum", "mean"])
def test_the_global_feature_is_what_the_pooling_makes_of_the_points(cloud, settled, pooling):
    model = settled(small(pooling=pooling))
    points = cloud(2, 30, 3)
    features = model.point_features(points)
    assert features.shape == (2, 30, 24)
    expected = features.max(dim=1).values if pooling == "max" else getattr(features, pooling)(dim=1)
    torch.testing.assert_close(model.global_feature(points), expected)
    torch.testing.assert_close(model(points), model.head(expected))


def test_transforms_are_applied_in_order(cloud, settled):
    model = settled(small(transforms="both"))
    points = cloud(2, 30, 3)
    first, second = model.point_transforms(points)
    assert first.shape == (2, 3, 3) and second.shape == (2, 8, 8)
    early = model.early(points @ first)
    torch.testing.assert_close(model.point_features(points), model.late(early @ second))
    torch.testing.assert_close(model.encode(points).local, early @ second)


def test_transforms_that_are_the_identity_change_nothing(cloud):
    plain, turned = small().eval(), small(transforms="both").eval()
    turned.load_state_dict(plain.state_dict(), strict=False)
    points = cloud(2, 30, 3)
    torch.testing.assert_close(plain(points), turned(points))
    assert plain.point_transforms(points) == ()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("kind", [PointNetClassifier, PointNetSegmenter])
def test_other_precisions(device, cloud, settled, kind, dtype):
    model = settled(small(kind, transforms="both"))
    points = cloud(2, 40, 3).to(device)
    expected = model.to(device)(points)
    logits = model.to(dtype)(points.to(dtype))
    assert logits.dtype == dtype
    torch.testing.assert_close(logits.float(), expected, rtol=0.1, atol=0.1)


def test_gradients(cloud, settled):
    model = settled(PointNetClassifier(2, early=(4,), late=(5,), head=(), transforms="both"))
    points = cloud(2, 6, 3, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(model.double(), points)


def test_one_point_one_class_and_other_features():
    assert PointNetClassifier(1, in_features=6).eval()(torch.rand(1, 1, 6)).shape == (1, 1)
    assert PointNetSegmenter(2).eval()(torch.rand(1, 1, 3)).shape == (1, 1, 2)
    assert PointNetClassifier(3).eval()(torch.rand(0, 5, 3)).shape == (0, 3)


def test_a_batch_of_one_cloud_can_be_trained(cloud):
    small(transforms="both")(cloud(1, 20, 3)).sum().backward()
    small(PointNetSegmenter)(cloud(1, 20, 3)).sum().backward()


def test_the_generator_decides_the_network_and_points_stay_as_they_were(cloud):
    points = cloud(2, 20, 3)
    before = points.clone()
    assert small(transforms="both").eval()(points).equal(small(transforms="both").eval()(points))
    assert points.equal(before)


def test_dropout_is_for_training_only(cloud):
    model = small(dropout=0.5)
    points = cloud(2, 20, 3)
    assert model.eval()(points).equal(model(points))
    model.train()
    assert not model(points).equal(model(points))


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize("kind", [PointNetClassifier, PointNetSegmenter])
def test_refusals(kind):
    for options in (
        {"num_classes": 0},
        {"num_classes": 2, "early": ()},
        {"num_classes": 2, "late": [0]},
        {"num_classes": 2, "head": [1.5]},
        {"num_classes": 2, "transforms": "yes"},
        {"num_classes": 2, "pooling": "min"},
        {"num_classes": 2, "dropout": 1.0},
        {"num_classes": 2, "in_features": 0},
    ):
        with pytest.raises(ValueError, match="expected"):
            kind(**options)
    for bad in (
        torch.zeros(5, 3),
        torch.zeros(1, 5, 4),
        torch.zeros(1, 0, 3),
        torch.zeros(1, 5, 3).double(),
        torch.full((1, 5, 3), torch.inf),
    ):
        with pytest.raises(ValueError, match="points"):
            kind(2)(bad)
