import numpy as np
import pytest
import torch

from mdcv.data import correspondences
from mdcv.pointnet import weighted_eight_point
from mdcv.pointnet.eight_point import _LeastEigenvector
from mdcv.seeds import generator


def exact_matches(count=4, matches=30, **options):
    """In float64 the rays of float32 matches are off by 1e-8; enough for these tests."""
    options = {"inlier_share": 1, "noise": 0} | options
    found = correspondences(count, matches=matches, generator=generator(0), **options)
    return found.pairs.double(), found.is_inlier, found.essential.double()


def apart(a, b):
    """The distance of two matrices of norm 1 whose signs mean nothing."""
    return torch.minimum((a - b).flatten(1).norm(dim=1), (a + b).flatten(1).norm(dim=1))


@pytest.mark.parametrize("matches", [8, 30])
def test_exact_pairs_give_the_essential_matrix(device, matches):
    pairs, _, essential = exact_matches(matches=matches)
    found = weighted_eight_point(pairs.to(device)).cpu()
    # Eight pairs near a bad position can lose five digits.
    assert apart(found, essential).max() < (1e-3 if matches == 8 else 1e-5)
    torch.testing.assert_close(found.flatten(1).norm(dim=1), torch.ones(4).double())


def test_agrees_with_the_singular_vector_of_numpy():
    pairs, _, _ = exact_matches(noise=0.01)
    weights = torch.rand(4, 30, generator=generator(1), dtype=torch.float64)
    found = weighted_eight_point(pairs, weights)
    for b in range(4):
        one = np.ones((30, 1))
        first, second = (np.hstack([pairs[b, :, s].numpy(), one]) for s in (slice(2), slice(2, 4)))
        table = np.stack([np.outer(q, p).ravel() for p, q in zip(first, second, strict=True)])
        null = np.linalg.svd(weights[b].sqrt().numpy()[:, None] * table)[2][-1].reshape(3, 3)
        assert apart(found[b : b + 1], torch.from_numpy(null)[None]).item() < 1e-9


def test_a_weight_of_zero_is_a_pair_that_is_not_there():
    pairs, good, essential = exact_matches(inlier_share=0.5, matches=60)
    found = weighted_eight_point(pairs, good.double())
    assert apart(found, essential).max() < 1e-4
    assert apart(weighted_eight_point(pairs), essential).min() > 0.1
    alone = torch.stack([p[g] for p, g in zip(pairs, good, strict=True)])
    torch.testing.assert_close(found, weighted_eight_point(alone), atol=1e-8, rtol=0)


def test_whole_weights_are_repetition_and_scale_does_not_matter():
    pairs, _, _ = exact_matches(noise=0.01)
    weights = torch.ones(4, 30, dtype=torch.float64)
    weights[:, :5] = 3
    repeated = torch.cat([pairs, pairs[:, :5], pairs[:, :5]], dim=1)
    expected = weighted_eight_point(repeated)
    torch.testing.assert_close(weighted_eight_point(pairs, weights), expected)
    torch.testing.assert_close(weighted_eight_point(pairs, 1e-9 * weights), expected)


def test_order_means_nothing_and_the_sign_is_fixed():
    pairs, _, _ = exact_matches(noise=0.01)
    found = weighted_eight_point(pairs)
    torch.testing.assert_close(found, weighted_eight_point(pairs.flip(1)))
    flat = found.flatten(1)
    assert (flat.gather(1, flat.abs().argmax(dim=1, keepdim=True)) > 0).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_lower_precisions_are_computed_in_float64(dtype):
    pairs = exact_matches(noise=0.01)[0].to(dtype)
    found = weighted_eight_point(pairs)
    assert found.dtype == dtype
    assert found.equal(weighted_eight_point(pairs.double()).to(dtype))


def test_gradients():
    pairs, _, _ = exact_matches(2, 12, noise=0.02)
    weights = 0.5 + torch.rand(2, 12, generator=generator(1), dtype=torch.float64)
    inputs = (pairs.requires_grad_(), weights.requires_grad_())
    assert torch.autograd.gradcheck(weighted_eight_point, inputs, atol=1e-4)


def test_the_gradient_survives_equal_eigenvalues_elsewhere():
    matrix = torch.diag(torch.tensor([1.0, 5.0, 5.0, 5.0]).double())[None].requires_grad_()
    vector = _LeastEigenvector.apply(matrix)[0]
    vector[0, 1].backward()
    # ∂v = -(M - λ)⁺ ∂M v moves towards the second axis by -∂M_21 / (5 - 1), shared by symmetry.
    expected = torch.zeros(4, 4).double()
    expected[0, 1] = expected[1, 0] = -1 / 8
    torch.testing.assert_close(matrix.grad[0], expected)


@pytest.mark.usefixtures("at_the_door")
def test_refusals():
    pairs = torch.rand(2, 9, 4)
    weights = torch.ones(2, 9)
    for bad in (pairs[:, :7], pairs[..., :3], pairs * torch.nan, pairs[0]):
        with pytest.raises(ValueError, match="pairs"):
            weighted_eight_point(bad)
    few = weights.clone()
    few[1, :2] = 0
    cases = (weights[:, :8], weights.double(), -weights, weights * torch.nan, weights / 0, few)
    for bad in cases:
        with pytest.raises(ValueError, match="weights"):
            weighted_eight_point(pairs, bad)
