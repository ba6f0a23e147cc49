"""Four ways to spoil a cloud: each does what it says, and nothing else."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import kstest

from mdcv.data import noisy_cloud, outlier_cloud, rotated_cloud, thinned_cloud
from mdcv.seeds import generator

EVERY = {
    "noise": lambda points, rng: noisy_cloud(points, 0.1, generator=rng),
    "turn": lambda points, rng: rotated_cloud(points, generator=rng),
    "any turn": lambda points, rng: rotated_cloud(points, axis="any", generator=rng),
    "thin": lambda points, rng: thinned_cloud(points, 5, generator=rng),
    "outliers": lambda points, rng: outlier_cloud(points, 0.4, generator=rng),
}
every = pytest.mark.parametrize("spoil", EVERY.values(), ids=EVERY)


def clouds(b=3, n=40, seed=0):
    return torch.randn(b, n, 3, generator=generator(seed))


def test_noise_is_normal_with_the_given_spread():
    moved = noisy_cloud(torch.ones(5, 2000, 3), 0.3, generator=generator(0)) - 1
    assert kstest(moved.flatten().numpy() / 0.3, "norm").pvalue > 1e-4
    assert noisy_cloud(clouds(), 0, generator=generator(0)).equal(clouds())


@pytest.mark.parametrize("axis", ["y", "any"])
def test_a_rotation_keeps_all_distances_and_the_hand(axis):
    points = clouds(5).double()
    turned = rotated_cloud(points, axis=axis, generator=generator(1))
    torch.testing.assert_close(torch.cdist(turned, turned), torch.cdist(points, points))
    torch.testing.assert_close(turned.norm(dim=2), points.norm(dim=2))
    handed = torch.linalg.det(points[:, :3]), torch.linalg.det(turned[:, :3])
    torch.testing.assert_close(*handed)
    assert not torch.allclose(turned[0], points[0])


def test_turning_about_y_keeps_heights_and_draws_every_angle():
    points = torch.tensor([[[1.0, 0.7, 0.0]]]).double().expand(4000, 1, 3)
    turned = rotated_cloud(points, axis="y", generator=generator(2))[:, 0]
    torch.testing.assert_close(turned[:, 1], torch.full((4000,), 0.7).double())
    angle = torch.atan2(turned[:, 0], turned[:, 2]) / (2 * math.pi) + 0.5
    assert kstest(angle.numpy(), "uniform").pvalue > 1e-4


def test_any_rotation_is_uniform_over_all():
    points = torch.eye(3).double().expand(4000, 3, 3)
    axes = rotated_cloud(points, axis="any", generator=generator(3))
    # Every axis goes to a uniform point of the sphere: each of its coordinates is uniform.
    for i in range(3):
        for j in range(3):
            assert kstest((axes[:, i, j].numpy() + 1) / 2, "uniform").pvalue > 1e-4
    # The trace of a uniform rotation, 1 + 2 cos of the angle, has mean 0 and variance 1.
    trace = axes.diagonal(dim1=1, dim2=2).sum(dim=1)
    assert abs(float(trace.mean())) < 5 / math.sqrt(4000)
    assert abs(float(trace.var()) - 1) < 0.15


def test_each_cloud_has_its_own_rotation():
    points = clouds(1).expand(2, -1, -1)
    first, second = rotated_cloud(points, generator=generator(4))
    assert not torch.allclose(first, second)


def test_a_thinned_cloud_is_a_subset_in_order():
    points = torch.arange(30.0).view(2, 5, 3)
    thinned = thinned_cloud(points, 3, generator=generator(5))
    for cloud, whole in zip(thinned, points, strict=True):
        rows = [whole.tolist().index(point) for point in cloud.tolist()]
        assert rows == sorted(set(rows))
    assert thinned_cloud(points, 5, generator=generator(5)).equal(points)


def test_every_point_is_kept_as_often_as_any_other():
    points = torch.arange(8.0).view(1, 8, 1).expand(6000, 8, 3)
    kept = thinned_cloud(points, 3, generator=generator(6))[..., 0].long()
    counts = kept.flatten().bincount(minlength=8).double()
    assert float(((counts - 2250) ** 2 / 2250).sum()) < 35


@pytest.mark.parametrize(("share", "replaced"), [(0, 0), (0.25, 10), (0.26, 10), (1, 40)])
def test_a_share_of_the_points_is_replaced(share, replaced):
    points = clouds() + 9
    spoilt = outlier_cloud(points, share, generator=generator(7))
    assert (spoilt != points).all(dim=2).sum(dim=1).tolist() == [replaced] * 3


def test_outliers_fill_the_unit_ball_evenly_and_lie_anywhere_in_the_order():
    points = torch.full((400, 20, 3), 9.0).double()
    spoilt = outlier_cloud(points, 0.5, generator=generator(8))
    is_outlier = (spoilt != 9).all(dim=2)
    outliers = spoilt[is_outlier]
    assert kstest(outliers.norm(dim=1).numpy() ** 3, "uniform").pvalue > 1e-4
    assert kstest((outliers[:, 0] / outliers.norm(dim=1)).numpy() / 2 + 0.5, "uniform").pvalue > (
        1e-4
    )
    share = is_outlier.double().mean(dim=0)
    assert float((share - 0.5).abs().max()) < 5 * 0.5 / 20


@every
def test_inputs_stay_as_they_are_and_a_seed_repeats(spoil):
    points = clouds()
    before = points.clone()
    first, again, other = (spoil(points, generator(s)) for s in (1, 1, 2))
    assert points.equal(before)
    assert first.equal(again) and not first.equal(other)


@every
def test_dtype_and_device_are_those_of_the_points(spoil, device):
    points = clouds().double().to(device)
    spoilt = spoil(points, generator(0))
    assert spoilt.dtype == torch.float64 and spoilt.device.type == device


@every
@pytest.mark.parametrize("shape", [(4, 3), (2, 4, 2), (2, 0, 3)])
def test_what_is_no_cloud_is_refused(spoil, shape, at_the_door):
    with pytest.raises(ValueError, match=r"points has shape .*; expected \(B, N, 3\)"):
        spoil(torch.zeros(shape), generator(0))


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (lambda p, g: noisy_cloud(p, -0.1, generator=g), "sigma"),
        (lambda p, g: noisy_cloud(p, float("nan"), generator=g), "sigma"),
        (lambda p, g: rotated_cloud(p, axis="z", generator=g), "axis"),
        (lambda p, g: thinned_cloud(p, 41, generator=g), "keep"),
        (lambda p, g: thinned_cloud(p, 0, generator=g), "keep"),
        (lambda p, g: outlier_cloud(p, 1.1, generator=g), "share"),
        (lambda p, g: outlier_cloud(p, -0.1, generator=g), "share"),
    ],
)
def test_options_out_of_range_are_refused(wrong, name, at_the_door):
    with pytest.raises(ValueError, match=f"{name} is .*; expected"):
        wrong(clouds(), generator(0))
