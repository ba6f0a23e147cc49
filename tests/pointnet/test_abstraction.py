import math

import pytest
import torch

from mdcv.pointnet import SetAbstraction
from mdcv.points import farthest_point_sample
from mdcv.seeds import generator


def layer(in_features=0, **options):
    options = {"centers": 6, "radius": 0.9, "neighbors": 8} | options
    return SetAbstraction(in_features, [8, 16], rng=generator(0), **options)


def by_hand(net, points, features):
    """The definition, one ball at a time."""
    chosen = farthest_point_sample(points, net.centers)
    out = []
    for b in range(len(points)):
        for c in chosen[b].tolist():
            offset = points[b] - points[b, c]
            near = (offset.norm(dim=1) <= net.radius).nonzero().flatten()[: net.neighbors]
            rows = offset[near] if features is None else torch.cat([offset, features[b]], 1)[near]
            out.append(net.h.layers(rows).max(dim=0).values)
    return torch.stack(out).view(len(points), net.centers, -1)


@pytest.mark.parametrize("with_features", [False, True])
def test_agrees_with_the_definition(device, cloud, settled, with_features):
    net = settled(layer(2 if with_features else 0)).to(device).double()
    points = cloud(2, 60, 3, dtype=torch.float64).to(device)
    features = cloud(2, 60, 2, seed=1, dtype=torch.float64).to(device) if with_features else None
    centers, pooled = net(points, features)
    chosen = farthest_point_sample(points, 6)
    assert all(centers[b].equal(points[b, chosen[b]]) for b in range(2))
    torch.testing.assert_close(pooled, by_hand(net, points, features))


def test_features_do_not_change_when_the_cloud_moves(settled):
    points = torch.randint(0, 1024, (2, 100, 3), generator=generator(0)) / 1024
    net = settled(layer(radius=0.3))
    here, there = net(points), net(points + torch.tensor([32.0, -8.0, 512.0]))
    assert here.features.equal(there.features)


def test_features_do_change_when_the_cloud_is_scaled(cloud, settled):
    net = settled(layer())
    points = cloud(1, 100, 3)
    assert not net(points).features.allclose(net(2 * points).features)


def test_places_that_no_point_fills_take_no_part(cloud, settled):
    net, wide = settled(layer(radius=0.3)), settled(layer(radius=0.3, neighbors=50))
    points = cloud(2, 40, 3)
    torch.testing.assert_close(net(points).features, wide(points).features)


def test_empty_places_do_not_weigh_in_the_statistics(cloud):
    few, many = layer(radius=1.0, neighbors=40), layer(radius=1.0, neighbors=60)
    points = cloud(2, 40, 3)
    assert torch.cdist(points, points).lt(1.0).sum(dim=-1).float().mean() > 4
    few(points), many(points)
    mean, other = few.h.layers[1].running_mean, many.h.layers[1].running_mean
    torch.testing.assert_close(mean, other)


def test_an_infinite_ball_is_a_pointnet_around_each_center(cloud, settled):
    net = settled(layer(centers=1, radius=math.inf, neighbors=40))
    points = cloud(3, 40, 3)
    pooled = net.h(points - points[:, :1]).amax(dim=1, keepdim=True)
    assert net(points).features.equal(pooled)


def test_gradients_reach_points_and_features(cloud, settled):
    net = settled(layer(2, centers=2)).double()
    points = cloud(1, 7, 3, dtype=torch.float64).requires_grad_()
    features = cloud(1, 7, 2, seed=1, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda p, f: net(p, f).features, (points, features))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(device, cloud, dtype):
    centers, features = layer().eval().to(device, dtype)(cloud(2, 30, 3, dtype=dtype).to(device))
    assert centers.dtype == features.dtype == dtype


@pytest.mark.usefixtures("at_the_door")
def test_refusals(cloud):
    for options in ({"centers": 0}, {"neighbors": 0}, {"radius": -0.1}, {"radius": math.nan}):
        with pytest.raises(ValueError, match="expected"):
            layer(**options)
    points = cloud(2, 20, 3)
    with pytest.raises(ValueError, match="at least 6 points"):
        layer()(points[:, :5])
    with pytest.raises(ValueError, match="2 features per point; expected 0"):
        layer()(points, points[..., :2])
    with pytest.raises(ValueError, match="0 features per point; expected 2"):
        layer(2)(points)
    with pytest.raises(ValueError, match="a row for every point"):
        layer(2)(points, points[:, :9, :2])
    with pytest.raises(ValueError, match="NaN"):
        layer()(points * torch.nan)
    with pytest.raises(ValueError, match=r"expected \(B, N, 3\)"):
        layer()(points[..., :2])
