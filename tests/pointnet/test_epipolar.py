import numpy as np
import pytest
import torch
from skimage.transform import FundamentalMatrixTransform

from mdcv.data import correspondences
from mdcv.pointnet import epipolar_residual, nearest_essential, sampson_distance
from mdcv.seeds import generator

SIDEWAYS = torch.tensor([[[0.0, 0, 0], [0, 0, -1], [0, 1, 0]]], dtype=torch.float64)


def exact_matches(count=3, matches=40, **options):
    options = {"inlier_share": 1, "noise": 0} | options
    found = correspondences(count, matches=matches, generator=generator(0), **options)
    return found.pairs.double(), found.is_inlier, found.essential.double()


def test_a_camera_that_moves_sideways_keeps_every_row():
    pairs = torch.rand(1, 20, 4, dtype=torch.float64, generator=generator(0))
    rows_apart = pairs[..., 1] - pairs[..., 3]
    torch.testing.assert_close(epipolar_residual(SIDEWAYS, pairs), rows_apart)
    # The least motion that closes a gap d is d/2 in each image: length d/√2.
    torch.testing.assert_close(sampson_distance(SIDEWAYS, pairs), rows_apart.abs() / 2**0.5)


def test_rays_of_one_point_satisfy_the_constraint():
    pairs, _, essential = exact_matches()
    zero = torch.zeros(3, 40, dtype=torch.float64)
    torch.testing.assert_close(epipolar_residual(essential, pairs), zero, atol=1e-6, rtol=0)


def test_the_convention_is_second_times_essential_times_first():
    rng = generator(3)
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=rng, dtype=torch.float64)).Q
    rotation = rotation * torch.linalg.det(rotation)
    t = torch.tensor([0.3, -0.2, 0.5], dtype=torch.float64)
    cross = torch.tensor([[0, -t[2], t[1]], [t[2], 0, -t[0]], [-t[1], t[0], 0]])
    first = torch.rand(10, 3, generator=rng, dtype=torch.float64) + torch.tensor([0, 0, 4.0])
    second = first @ rotation.T + t
    pairs = torch.cat([first[:, :2] / first[:, 2:], second[:, :2] / second[:, 2:]], dim=1)[None]
    residual = epipolar_residual((cross.double() @ rotation)[None], pairs)
    torch.testing.assert_close(residual, torch.zeros_like(residual), atol=1e-12, rtol=0)


def test_agrees_with_scikit_image():
    pairs, _, essential = exact_matches(noise=0.01, inlier_share=0.5)
    for b in range(3):
        theirs = FundamentalMatrixTransform(essential[b].numpy()).residuals(
            pairs[b, :, :2].numpy(), pairs[b, :, 2:].numpy()
        )
        ours = sampson_distance(essential[b : b + 1], pairs[b : b + 1])[0]
        torch.testing.assert_close(ours, torch.from_numpy(np.asarray(theirs)))


def test_it_is_the_distance_to_the_constraint_to_first_order():
    """A Newton iteration on the true nearest satisfying pair, for small gaps."""
    pairs, _, essential = exact_matches(1, 12)
    pairs = pairs + 1e-4 * torch.randn(pairs.shape, generator=generator(2), dtype=torch.float64)
    moved = pairs.clone()
    for _ in range(20):
        moved = moved.detach().requires_grad_()
        gap = epipolar_residual(essential, moved)
        (slope,) = torch.autograd.grad(gap.sum(), moved)
        # The point of the linearized constraint that is nearest to where we started.
        lead = gap + (slope * (pairs - moved)).sum(dim=-1)
        moved = pairs - slope * (lead / slope.square().sum(dim=-1)).unsqueeze(-1)
    exact = (moved - pairs).norm(dim=-1).detach()
    torch.testing.assert_close(sampson_distance(essential, pairs), exact, rtol=1e-3, atol=1e-9)


def test_the_scale_of_the_matrix_does_not_matter():
    pairs, _, essential = exact_matches(noise=0.01)
    torch.testing.assert_close(
        sampson_distance(-7 * essential, pairs), sampson_distance(essential, pairs)
    )


def test_two_epipoles_are_at_distance_zero():
    forward = torch.tensor([[[0.0, -1, 0], [1, 0, 0], [0, 0, 0]]])
    pairs = torch.zeros(1, 1, 4, requires_grad=True)
    distance = sampson_distance(forward, pairs)
    distance.sum().backward()
    assert distance.item() == 0.0 and pairs.grad.isfinite().all()


def test_the_nearest_essential_has_two_equal_singular_values_and_norm_one(device):
    matrix = torch.randn(20, 3, 3, generator=generator(1)).to(device)
    essential = nearest_essential(matrix)
    singular = torch.linalg.svdvals(essential)
    expected = torch.tensor([0.5**0.5, 0.5**0.5, 0.0], device=device).expand(20, 3)
    torch.testing.assert_close(singular, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(nearest_essential(3 * essential), essential, atol=1e-5, rtol=0)


def test_no_other_essential_is_nearer():
    matrix = torch.randn(1, 3, 3, generator=generator(4), dtype=torch.float64)
    nearest = nearest_essential(matrix)

    def gap(essential):  # at the best scale of the essential matrix
        along = (essential * matrix).sum(dim=(1, 2), keepdim=True)
        along = along / essential.square().sum(dim=(1, 2), keepdim=True)
        return (along * essential - matrix).square().sum(dim=(1, 2))

    others = nearest_essential(torch.randn(5000, 3, 3, generator=generator(5), dtype=torch.float64))
    near = nearest_essential(matrix + 0.1 * others)
    assert (gap(others) >= gap(nearest)).all() and (gap(near) >= gap(nearest) - 1e-12).all()


@pytest.mark.usefixtures("at_the_door")
def test_refusals():
    pairs, essential = torch.rand(2, 5, 4), torch.rand(2, 3, 3)
    for bad in (pairs[..., :3], pairs[0], pairs * torch.nan):
        with pytest.raises(ValueError, match="pairs"):
            sampson_distance(essential, bad)
    for bad in (essential[:1], essential[..., :2], essential.double()):
        with pytest.raises(ValueError, match="essential"):
            sampson_distance(bad, pairs)
    for bad in (torch.zeros(1, 3, 4), torch.zeros(1, 3, 3), torch.full((1, 3, 3), torch.nan)):
        with pytest.raises(ValueError, match="matri"):
            nearest_essential(bad)
