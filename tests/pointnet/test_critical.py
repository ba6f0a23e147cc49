import pytest
import torch
from torch import nn

from mdcv.pointnet import PointNetClassifier, critical_points, upper_bound_set
from mdcv.seeds import generator


class Written(nn.Module):
    """A model whose features are the points themselves."""

    def point_features(self, points):
        return points


def deep(transforms="both", **options):
    return PointNetClassifier(4, transforms=transforms, rng=generator(0), **options)


def test_the_first_of_equals_is_critical():
    features = torch.tensor([[[1.0, 0.0, 2.0], [3.0, 0.0, 1.0], [3.0, -1.0, 2.0], [0.0, 0.0, 0.0]]])
    assert critical_points(Written(), features).tolist() == [[True, True, False, False]]


def test_one_point_may_be_critical_for_all():
    features = torch.tensor([[[0.0, 0.0], [9.0, 9.0], [1.0, 5.0]]])
    assert critical_points(Written(), features).tolist() == [[False, True, False]]


@pytest.mark.parametrize("transforms", ["none", "input", "both"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_critical_points_alone_reproduce_the_global_feature_to_the_last_bit(
    device, cloud, settled, transforms, dtype
):
    model = settled(deep(transforms)).to(device, dtype)
    points = cloud(3, 400, 3, dtype=dtype).to(device)
    critical = critical_points(model, points)
    whole = model.global_feature(points)
    for b in range(3):
        alone = points[b : b + 1, critical[b]]
        assert alone.shape[1] < 400
        assert model.global_feature(alone).equal(whole[b : b + 1])


def test_without_a_critical_point_the_feature_changes(cloud, settled):
    model = settled(deep("none"))
    points = cloud(1, 200, 3)
    critical = critical_points(model, points)[0]
    whole = model.global_feature(points)
    for i in critical.nonzero().flatten().tolist():
        left = torch.arange(200) != i
        changed = model.global_feature(points[:, left]) != whole
        features = model.point_features(points)[0]
        unique = (features[i] == whole[0]) & ((features == whole[0]).sum(dim=0) == 1)
        assert changed.any() == unique.any()


def test_never_more_critical_points_than_features(cloud, settled):
    model = settled(PointNetClassifier(2, early=(4,), late=(7,), rng=generator(0)))
    assert critical_points(model, cloud(5, 500, 3)).sum(dim=1).max() <= 7


def test_transforms_count_too(cloud, settled):
    model = settled(deep("both"))
    points = cloud(1, 400, 3)
    features = model.point_features(points)
    last = torch.zeros(1, 400, dtype=torch.bool).scatter_(1, features.argmax(dim=1), True)
    critical = critical_points(model, points)
    assert (critical | ~last).all() and critical.sum() > last.sum()


@pytest.mark.parametrize("transforms", ["none", "both"])
def test_all_of_the_upper_bound_set_can_join_and_nothing_changes(cloud, settled, transforms):
    model = settled(deep(transforms))
    points, candidates = cloud(2, 200, 3), 1.5 * cloud(2, 500, 3, seed=1)
    free = upper_bound_set(model, points, candidates)
    whole = model.global_feature(points)
    for b in range(2):
        assert 0 < free[b].sum() < 500
        joined = torch.cat([points[b], candidates[b, free[b]]]).unsqueeze(0)
        assert model.global_feature(joined).equal(whole[b : b + 1])


def test_each_candidate_outside_of_it_changes_something(cloud, settled):
    model = settled(deep("none"))
    points, candidates = cloud(1, 200, 3), 1.5 * cloud(1, 60, 3, seed=1)
    free = upper_bound_set(model, points, candidates)[0]
    whole = model.global_feature(points)
    for c in range(60):
        joined = torch.cat([points, candidates[:, c : c + 1]], dim=1)
        assert model.global_feature(joined).equal(whole) == bool(free[c])


def test_the_cloud_itself_is_within_its_upper_bound(cloud, settled):
    points = cloud(2, 100, 3)
    assert upper_bound_set(settled(deep()), points, points).all()


def test_no_candidates_are_fine(cloud):
    assert upper_bound_set(Written(), cloud(2, 9, 3), torch.zeros(2, 1, 3)[:, :1]).shape == (2, 1)


def test_refusals(cloud, settled):
    points = cloud(1, 10, 3)
    with pytest.raises(ValueError, match="training mode"):
        critical_points(deep().train(), points)
    with pytest.raises(ValueError, match="pooling is 'mean'"):
        critical_points(settled(deep("none", pooling="mean")), points)
    with pytest.raises(ValueError, match="candidates has dtype"):
        upper_bound_set(Written(), points, points.double())
    with pytest.raises(ValueError, match="empty set"):
        critical_points(settled(deep()), points[:, :0])
    with pytest.raises(ValueError, match="empty set"):
        critical_points(Written(), points[:, :0])
    with pytest.raises(ValueError, match="NaN"):
        critical_points(Written(), points * torch.nan)
