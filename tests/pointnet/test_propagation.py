import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from mdcv.pointnet import FeaturePropagation, interpolate_features
from mdcv.seeds import generator


def test_a_known_answer(device):
    centers = torch.tensor([[[0.0, 0, 0], [3, 0, 0], [0, 0, 6]]], device=device)
    features = torch.tensor([[[0.0], [9.0], [18.0]]], device=device)
    points = torch.tensor([[[1.0, 0, 0]]], device=device)
    # Squared distances 1, 4, 37.
    expected = (9 / 4 + 18 / 37) / (1 + 1 / 4 + 1 / 37)
    assert interpolate_features(points, centers, features).item() == pytest.approx(expected)


def test_agrees_with_a_tree_and_a_loop(cloud):
    points, centers = (cloud(1, n, 3, seed=n, dtype=torch.float64) for n in (50, 20))
    features = cloud(1, 20, 4, seed=5, dtype=torch.float64)
    distance, index = cKDTree(centers[0].numpy()).query(points[0].numpy(), k=3)
    weight = distance**-2.0
    expected = np.einsum("nk,nkc->nc", weight, features[0].numpy()[index])
    expected = torch.from_numpy(expected / weight.sum(axis=1, keepdims=True))
    torch.testing.assert_close(interpolate_features(points, centers, features)[0], expected)


def test_a_point_on_a_center_has_its_feature_exactly(cloud):
    centers, features = cloud(2, 9, 3), cloud(2, 9, 5, seed=1)
    assert interpolate_features(centers, centers, features).equal(features)


def test_centers_at_one_place_share():
    centers = torch.tensor([[[1.0, 1, 1], [1, 1, 1], [2, 2, 2]]])
    features = torch.tensor([[[2.0], [4.0], [100.0]]])
    assert interpolate_features(centers[:, :1], centers, features).item() == 3.0


def test_a_constant_stays_and_nothing_leaves_the_range(cloud):
    points, centers = cloud(2, 40, 3), cloud(2, 7, 3, seed=1)
    features = cloud(2, 7, 1, seed=2)
    between = interpolate_features(points, centers, features)
    assert (between >= features.amin(dim=1, keepdim=True) - 1e-6).all()
    assert (between <= features.amax(dim=1, keepdim=True) + 1e-6).all()
    torch.testing.assert_close(
        interpolate_features(points, centers, torch.ones_like(features)),
        torch.ones_like(points[..., :1]),
    )


def test_very_close_is_no_overflow():
    centers = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [2, 0, 0]]])
    features = torch.tensor([[[5.0], [7.0], [9.0]]])
    for near in (1e-15, 1e-19, 1e-20, 1e-21, 1e-25):
        points = torch.tensor([[[near, 0, 0]]])
        assert interpolate_features(points, centers, features).item() == 5.0


def test_fewer_centers_than_neighbors(cloud):
    features = cloud(1, 1, 2, seed=1)
    one = interpolate_features(cloud(1, 4, 3), cloud(1, 1, 3, seed=3), features)
    assert one.equal(features.expand(1, 4, 2))


def test_gradients(cloud):
    points, centers = (cloud(1, n, 3, seed=n, dtype=torch.float64) for n in (4, 5))
    features = cloud(1, 5, 2, seed=1, dtype=torch.float64)
    inputs = tuple(t.requires_grad_() for t in (points, centers, features))
    assert torch.autograd.gradcheck(interpolate_features, inputs)


def test_gradients_are_finite_where_points_coincide(cloud):
    centers = cloud(1, 5, 3).requires_grad_()
    interpolate_features(centers, centers, cloud(1, 5, 2)).sum().backward()
    assert centers.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(device, cloud, dtype):
    points, centers = (cloud(1, n, 3, seed=n, dtype=dtype).to(device) for n in (9, 5))
    features = cloud(1, 5, 2, seed=1, dtype=dtype).to(device)
    found = interpolate_features(points, centers, features)
    exact = interpolate_features(points.float(), centers.float(), features.float())
    assert found.equal(exact.to(dtype))


def test_the_layer_puts_interpolated_features_before_what_was_known(cloud, settled):
    net = settled(FeaturePropagation(5 + 2, [8], rng=generator(0)))
    points, centers, features = cloud(2, 30, 3), cloud(2, 6, 3, seed=1), cloud(2, 6, 5, seed=2)
    skip = cloud(2, 30, 2, seed=3)
    rows = torch.cat([interpolate_features(points, centers, features), skip], dim=-1)
    assert net(points, centers, features, skip).equal(net.h(rows))


@pytest.mark.usefixtures("at_the_door")
def test_refusals(cloud):
    points, centers, features = cloud(2, 30, 3), cloud(2, 6, 3), cloud(2, 6, 5)
    net = FeaturePropagation(7, [8])
    with pytest.raises(ValueError, match="5 features per point; expected 7"):
        net(points, centers, features)
    with pytest.raises(ValueError, match="skip has shape"):
        net(points, centers, features, points[:, :4, :2])
    with pytest.raises(ValueError, match="empty set: centers"):
        interpolate_features(points, centers[:, :0], features[:, :0])
    with pytest.raises(ValueError, match="features has shape"):
        interpolate_features(points, centers, features[:, :3])
    with pytest.raises(ValueError, match="neighbors is 0"):
        interpolate_features(points, centers, features, neighbors=0)
    with pytest.raises(ValueError, match="NaN"):
        interpolate_features(points * torch.nan, centers, features)
    with pytest.raises(ValueError, match="in_features is 0"):
        FeaturePropagation(0, [8])
