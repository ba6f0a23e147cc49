import pytest
import torch

from mdcv.pointnet import PointNet2Classifier, PointNet2Segmenter
from mdcv.seeds import generator

KINDS = (PointNet2Classifier, PointNet2Segmenter)


def small(kind=PointNet2Classifier, **options):
    options = {"centers": (12, 4), "radii": (0.8, 1.6), "neighbors": 8} | options
    return kind(5, rng=generator(0), **options)


def test_shapes(device, cloud):
    points = cloud(2, 50, 3).to(device)
    assert small().to(device).eval()(points).shape == (2, 5)
    assert small(PointNet2Segmenter).to(device).eval()(points).shape == (2, 50, 5)
    assert small().to(device).eval().global_feature(points).shape == (2, 256)


def test_clouds_do_not_feel_each_other(cloud, settled):
    for kind in KINDS:
        model, points = settled(small(kind)).double(), cloud(3, 40, 3, dtype=torch.float64)
        torch.testing.assert_close(model(points)[1:2], model(points[1:2]))


def test_order_means_nothing_when_the_balls_are_not_full_and_the_first_point_stays(cloud, settled):
    points = cloud(1, 40, 3, dtype=torch.float64)
    model = settled(small(neighbors=40)).double()
    order = torch.cat([torch.zeros(1).long(), 1 + torch.randperm(39, generator=generator(2))])
    torch.testing.assert_close(model(points), model(points[:, order]))


def test_the_levels_thin_out(cloud):
    near, near_features, far, far_features, whole = small().eval().levels(cloud(2, 50, 3))
    assert near.shape == (2, 12, 3) and near_features.shape == (2, 12, 64)
    assert far.shape == (2, 4, 3) and far_features.shape == (2, 4, 128)
    assert whole.shape == (2, 256)
    # The centers of the second level are some of the first's.
    assert torch.cdist(far, near).amin(dim=-1).max() == 0


def test_every_point_of_a_segmenter_sees_the_whole(cloud, settled):
    model = settled(small(PointNet2Segmenter)).double()
    points = cloud(1, 30, 3, dtype=torch.float64)
    far = torch.cdist(points, points)[0, 7].argmax()
    moved = points.clone()
    moved[0, far] *= 1.5
    assert not model(points)[0, 7].allclose(model(moved)[0, 7])


@pytest.mark.parametrize("kind", KINDS)
def test_training_reaches_every_weight(cloud, kind):
    model = small(kind)
    model(cloud(4, 40, 3)).square().sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())
    assert all(weight.grad.isfinite().all() for weight in model.parameters())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(device, cloud, dtype):
    for kind in KINDS:
        model = small(kind).to(device, dtype).eval()
        assert model(cloud(2, 30, 3, dtype=dtype).to(device)).dtype == dtype


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize("kind", KINDS)
def test_refusals(cloud, kind):
    with pytest.raises(ValueError, match="at least 12 points"):
        small(kind)(cloud(1, 11, 3))
    with pytest.raises(ValueError, match="expected two of each"):
        small(kind, centers=(4,))
    with pytest.raises(ValueError, match="at least 12 points"):
        small(kind, centers=(4, 12)).eval()(cloud(1, 30, 3))
    with pytest.raises(ValueError, match="points has shape"):
        small(kind)(cloud(1, 30, 2))
    with pytest.raises(ValueError, match="the network"):
        small(kind)(cloud(1, 30, 3, dtype=torch.float64))
