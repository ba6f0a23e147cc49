"""Matches between two views: right ones obey the geometry, wrong ones clearly do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from skimage.transform import FundamentalMatrixTransform

from mdcv.data import correspondences, epipolar_distance
from mdcv.data.two_views import CLEAR_MISS, HALF_FIELD, LARGEST_TURN, _cameras
from mdcv.seeds import generator


def drawn(count=4, seed=0, **options):
    options = {"matches": 200, "inlier_share": 0.5, "noise": 0.0} | options
    return correspondences(count, generator=generator(seed), **options)


def test_exact_matches_satisfy_the_essential_matrix_up_to_rounding():
    found = drawn()
    one = torch.ones(4, 200, 1).double()
    first = torch.cat((found.pairs[..., :2].double(), one), dim=2)
    second = torch.cat((found.pairs[..., 2:].double(), one), dim=2)
    value = torch.einsum("bmi,bij,bmj->bm", second, found.essential.double(), first)
    assert float(value[found.is_inlier].abs().max()) < 1e-6
    distance = epipolar_distance(found.pairs, found.essential)
    assert float(distance[found.is_inlier].max()) < 1e-5
    assert float(distance[~found.is_inlier].min()) > 0.99 * CLEAR_MISS


def test_essential_matrices_have_two_equal_singular_values_and_a_zero():
    values = torch.linalg.svdvals(drawn(20).essential.double())
    expected = torch.tensor([0.5**0.5, 0.5**0.5, 0.0]).double().expand(20, 3)
    torch.testing.assert_close(values, expected, atol=1e-6, rtol=0)


def test_the_eight_point_algorithm_finds_the_matrix_from_the_right_matches():
    found = drawn(3)
    for pairs, is_inlier, truth in zip(*found, strict=True):
        points = np.c_[pairs[is_inlier].double().numpy(), np.ones(is_inlier.sum())]
        first, second = points[:, [0, 1, 4]], points[:, [2, 3, 4]]
        products = second[:, :, None] * first[:, None, :]
        matrix = np.linalg.svd(products.reshape(-1, 9))[2][-1].reshape(3, 3)
        matrix = matrix * np.sign((matrix * truth.numpy()).sum())
        np.testing.assert_allclose(matrix, truth.numpy(), atol=1e-3)


def test_distances_are_those_of_scikit_image():
    found = drawn(1, noise=0.01)
    points = found.pairs[0].double().numpy()
    model = FundamentalMatrixTransform(matrix=found.essential[0].double().numpy())
    expected = torch.from_numpy(model.residuals(points[:, :2], points[:, 2:]))
    distance = epipolar_distance(found.pairs.double(), found.essential.double())[0]
    torch.testing.assert_close(distance, expected)


def test_points_lie_before_both_cameras():
    # Triangulated depths: of λ₁ R x₁ + t = λ₂ x₂ both must be positive.
    count, seed = 6, 3
    found = drawn(count, seed=seed, inlier_share=1.0)
    rotation, translation = _cameras(count, generator(seed))
    one = torch.ones(count, 200, 1).double()
    first = torch.cat((found.pairs[..., :2].double(), one), dim=2)
    second = torch.cat((found.pairs[..., 2:].double(), one), dim=2)
    turned = first @ rotation.transpose(1, 2)
    system = torch.stack((turned, -second), dim=3)
    moved = -translation[:, None, :, None].expand(-1, 200, -1, -1)
    depths = torch.linalg.lstsq(system, moved).solution[..., 0]
    assert float(depths.min()) > 0.05
    assert float(depths[..., 0].max()) < 8.1 and float(depths[..., 0].min()) > 1.9


def test_cameras_are_rotated_moved_by_one_and_never_too_far():
    rotation, translation = _cameras(300, generator(1))
    eye = torch.eye(3).double().expand(300, 3, 3)
    torch.testing.assert_close(rotation @ rotation.transpose(1, 2), eye)
    torch.testing.assert_close(torch.linalg.det(rotation), torch.ones(300).double())
    torch.testing.assert_close(translation.norm(dim=1), torch.ones(300).double())
    trace = rotation.diagonal(dim1=1, dim2=2).sum(dim=1)
    angle = ((trace - 1) / 2).clamp(-1, 1).acos()
    assert kstest((angle / LARGEST_TURN).numpy(), "uniform").pvalue > 1e-4


@pytest.mark.parametrize(("share", "inliers"), [(0.0, 0), (0.1, 20), (0.333, 67), (1, 200)])
def test_the_share_of_right_matches_is_exact(share, inliers):
    assert drawn(3, inlier_share=share).is_inlier.sum(dim=1).tolist() == [inliers] * 3


def test_right_matches_stand_anywhere():
    is_inlier = drawn(400, matches=20, inlier_share=0.3).is_inlier
    assert float((is_inlier.double().mean(dim=0) - 0.3).abs().max()) < 5 * 0.46 / 20


def test_noise_moves_every_coordinate_by_its_spread():
    exact, moved = (drawn(2, noise=noise, inlier_share=1.0).pairs for noise in (0.0, 0.004))
    error = (moved - exact).double().flatten().numpy() / 0.004
    assert kstest(error, "norm").pvalue > 1e-4


def test_both_images_are_filled_and_left_by_nobody():
    found = drawn(8, matches=500)
    assert float(found.pairs.abs().max()) <= HALF_FIELD * (1 + 1e-6)
    wrong = found.pairs[~found.is_inlier]
    assert kstest((wrong[:, 0] / HALF_FIELD / 2 + 0.5).numpy(), "uniform").pvalue > 1e-4


def test_distance_does_not_depend_on_the_scale_of_the_matrix():
    found = drawn(2, noise=0.01)
    torch.testing.assert_close(
        epipolar_distance(found.pairs, found.essential),
        epipolar_distance(found.pairs, -7 * found.essential),
    )


def test_a_seed_gives_the_same_matches_again_and_another_seed_others():
    first, again, other = (drawn(seed=s) for s in (1, 1, 2))
    assert all(a.equal(b) for a, b in zip(first, again, strict=True))
    assert not first.pairs.equal(other.pairs)


def test_dtypes_and_the_device_are_as_told(device):
    found = correspondences(2, matches=9, generator=generator(0, device))
    assert [part.dtype for part in found] == [torch.float32, torch.bool, torch.float32]
    assert all(part.device.type == device for part in found)
    assert correspondences(0, matches=9, generator=generator(0)).pairs.shape == (0, 9, 4)


@pytest.mark.parametrize(
    "options",
    [
        {"matches": 0},
        {"inlier_share": 1.2},
        {"inlier_share": -0.1},
        {"noise": -1.0},
        {"noise": float("inf")},
    ],
    ids=str,
)
def test_options_out_of_range_are_refused_by_name(options, at_the_door):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name} is .*; expected"):
        drawn(1, **options)


@pytest.mark.parametrize(
    "shapes", [((2, 5, 3), (2, 3, 3)), ((2, 5, 4), (1, 3, 3)), ((5, 4), (3, 3))]
)
def test_matches_and_matrices_that_do_not_fit_are_refused(shapes, at_the_door):
    with pytest.raises(ValueError, match="has shape"):
        epipolar_distance(*(torch.zeros(shape) for shape in shapes))
