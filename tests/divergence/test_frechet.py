"""The Fréchet distance between Gaussians."""

from __future__ import annotations

import warnings

import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdcv.divergence import frechet_distance
from mdcv.kernels.gaussian_transport import gaussian_transport_reference
from mdcv.seeds import generator

D = 6


def gaussian(seed: int, dim: int = D, rank: int | None = None):
    """A mean and a covariance of full rank, or of the rank asked for."""
    draw = generator(seed)
    rank = 2 * dim if rank is None else rank
    factor = torch.randn(dim, rank, generator=draw, dtype=torch.float64)
    mu = torch.randn(dim, generator=draw, dtype=torch.float64)
    return mu, factor @ factor.T / max(rank, 1)


def pair(rank1: int | None = None, rank2: int | None = None):
    return [*gaussian(1, rank=rank1), *gaussian(2, rank=rank2)]


def with_gradient(*tensors):
    return [t.detach().clone().requires_grad_() for t in tensors]


def by_scipy(mu1, cov1, mu2, cov2):
    """The definition as it stands, with the root of the product that is not symmetric."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = scipy.linalg.sqrtm((cov1 @ cov2).numpy()).real
    return (mu1 - mu2).square().sum() + torch.trace(cov1 + cov2 - 2 * torch.from_numpy(root))


def test_variances_along_the_axes_compare_their_roots(device):
    mu1, mu2 = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 0.0, 6.0])
    sigma1, sigma2 = torch.tensor([1.0, 2.0, 5.0]), torch.tensor([3.0, 0.5, 5.0])
    distance = frechet_distance(
        *(t.to(device) for t in (mu1, sigma1.square().diag(), mu2, sigma2.square().diag()))
    )
    expected = (mu1 - mu2).square().sum() + (sigma1 - sigma2).square().sum()
    torch.testing.assert_close(distance, expected.to(device))


def test_one_dimension_is_the_shift_and_the_difference_of_deviations():
    distance = frechet_distance(*(torch.tensor(v) for v in ([1.0], [[4.0]], [4.0], [[25.0]])))
    torch.testing.assert_close(distance, torch.tensor(9.0 + 9.0))


def test_commuting_covariances_compare_the_roots_of_their_eigenvalues():
    basis = torch.linalg.qr(gaussian(3)[1]).Q
    variances1, variances2 = torch.rand(2, D, generator=generator(4), dtype=torch.float64)
    cov1, cov2 = ((basis * v) @ basis.T for v in (variances1, variances2))
    expected = (variances1.sqrt() - variances2.sqrt()).square().sum()
    zero = torch.zeros(D, dtype=torch.float64)
    torch.testing.assert_close(frechet_distance(zero, cov1, zero, cov2), expected)


@pytest.mark.parametrize("ranks", [(None, None), (2, None), (None, 3), (2, 3), (0, 4), (0, 0)])
def test_agrees_with_the_reference_and_with_scipy_for_every_rank(ranks, device):
    arguments = pair(*ranks)
    distance = frechet_distance(*(t.to(device) for t in arguments))
    assert distance.device.type == device
    distance = distance.cpu()
    torch.testing.assert_close(
        distance, gaussian_transport_reference(*arguments), rtol=1e-6, atol=1e-6
    )
    torch.testing.assert_close(distance, by_scipy(*arguments), rtol=1e-5, atol=1e-5)


def test_agrees_with_torchmetrics_on_many_dimensions():
    fid = pytest.importorskip("torchmetrics.image.fid", reason="torchmetrics is not installed")
    arguments = [*gaussian(5, dim=70), *gaussian(6, dim=70)]
    torch.testing.assert_close(frechet_distance(*arguments), fid._compute_fid(*arguments))


@pytest.mark.parametrize("rank", [None, 1, 3])
def test_a_gaussian_is_at_distance_zero_from_itself(rank):
    mu, cov = gaussian(1, rank=rank)
    distance = frechet_distance(mu, cov, mu, cov)
    assert distance >= 0
    torch.testing.assert_close(distance, torch.zeros_like(distance), rtol=0, atol=1e-7)


covariances = st.tuples(
    st.integers(0, 10**6), st.integers(0, 4), st.sampled_from([1e-120, 1e-6, 1, 1e120])
)


@settings(deadline=None, max_examples=60)
@given(first=covariances, second=covariances)
def test_symmetric_never_negative_and_the_same_after_a_rotation(first, second):
    (seed1, rank1, size1), (seed2, rank2, size2) = first, second
    mu1, cov1 = gaussian(seed1, dim=4, rank=rank1)
    mu2, cov2 = gaussian(seed2, dim=4, rank=rank2)
    cov1, cov2 = size1 * cov1, size2 * cov2
    forth, back = frechet_distance(mu1, cov1, mu2, cov2), frechet_distance(mu2, cov2, mu1, cov1)
    assert forth >= 0
    slack = 1e-6 * max(1.0, size1, size2)
    torch.testing.assert_close(forth, back, rtol=1e-6, atol=slack)
    turn = torch.linalg.qr(gaussian(seed1 + 1, dim=4)[1]).Q
    turned = frechet_distance(turn @ mu1, turn @ cov1 @ turn.T, turn @ mu2, turn @ cov2 @ turn.T)
    torch.testing.assert_close(turned, forth, rtol=1e-6, atol=slack)


def test_gradient_is_that_of_finite_differences():
    assert torch.autograd.gradcheck(frechet_distance, with_gradient(*pair()))


def test_gradient_in_the_covariance_is_identity_minus_the_transport_map():
    mu1, cov1, mu2, cov2 = pair()
    _, leaf, _, _ = arguments = with_gradient(mu1, cov1, mu2, cov2)
    frechet_distance(*arguments).backward()
    carry = torch.eye(D, dtype=cov1.dtype) - leaf.grad
    torch.testing.assert_close(carry @ cov1 @ carry, cov2)  # it carries the first onto the second
    assert torch.linalg.eigvalsh(carry)[0] > 0


def test_gradient_vanishes_where_the_gaussians_are_equal():
    mu, cov = gaussian(1)
    arguments = with_gradient(mu, cov, mu, cov)
    frechet_distance(*arguments).backward()
    for leaf in arguments:
        torch.testing.assert_close(leaf.grad, torch.zeros_like(leaf), rtol=0, atol=1e-9)


@pytest.mark.parametrize("ranks", [(2, None), (None, 1), (3, 3), (0, 2), (0, 0)])
def test_gradient_is_finite_for_singular_covariances(ranks):
    arguments = with_gradient(*pair(*ranks))
    distance = frechet_distance(*arguments)
    torch.testing.assert_close(distance, frechet_distance(*(a.detach() for a in arguments)))
    distance.backward()
    for leaf in arguments:
        assert leaf.grad.isfinite().all()
        assert leaf.grad.abs().max() < 100


def test_gradient_is_exact_where_a_singular_covariance_keeps_its_directions():
    """Σ = F Fᵀ with a thin F: moving F moves Σ only where the derivative is finite."""
    mu1, _, mu2, cov2 = pair()
    factor = torch.randn(D, 3, generator=generator(9), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda f: frechet_distance(mu1, f @ f.T, mu2, cov2), (factor,))


def test_gradient_is_finite_where_the_covariances_share_no_direction():
    zero, along_x = torch.zeros(2).double(), torch.tensor([[2.0, 0.0], [0.0, 0.0]]).double()
    arguments = with_gradient(zero, along_x, zero, along_x.flip(0, 1))
    frechet_distance(*arguments).backward()
    torch.testing.assert_close(arguments[1].grad, torch.eye(2).double())


def test_directions_without_variance_have_the_documented_gradient():
    zero = torch.zeros(2, dtype=torch.float64)
    flat, round_ = torch.tensor([[4.0, 0.0], [0.0, 0.0]]).double(), torch.eye(2).double()
    _, leaf, _, _ = arguments = with_gradient(zero, flat, zero, round_)
    frechet_distance(*arguments).backward()
    torch.testing.assert_close(leaf.grad, torch.tensor([[0.5, 0.0], [0.0, 1.0]]).double())


def test_a_nearly_singular_covariance_keeps_an_accurate_gradient():
    """Equal small variances call for no change, however small: there I − A is 0, not 1."""
    zero, cov = torch.zeros(3).double(), torch.tensor([1.0, 1e-5, 1e-9]).double().diag()
    _, leaf, _, _ = arguments = with_gradient(zero, cov, zero, cov)
    frechet_distance(*arguments).backward()
    torch.testing.assert_close(leaf.grad, torch.zeros_like(cov), rtol=0, atol=1e-6)


@pytest.mark.parametrize("position", range(4))
def test_gradient_in_one_argument_does_not_need_the_others(position, device):
    arguments = [t.to(device) for t in pair()]
    leaves = with_gradient(*arguments)
    frechet_distance(*leaves).backward()
    leaf = arguments[position].requires_grad_()
    frechet_distance(*arguments).backward()
    torch.testing.assert_close(leaf.grad, leaves[position].grad)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_follows_the_inputs_and_the_work_is_done_in_float64(dtype, device):
    arguments = [t.to(device, dtype) for t in pair()]
    before = [t.clone() for t in arguments]
    distance = frechet_distance(*arguments)
    assert distance.dtype == dtype and distance.shape == () and distance.device.type == device
    expected = frechet_distance(*(t.double() for t in arguments)).to(dtype)
    torch.testing.assert_close(distance, expected, rtol=0, atol=0)
    for now, then in zip(arguments, before, strict=True):
        assert torch.equal(now, then)


def test_single_precision_statistics_of_a_singular_set_are_taken_as_rounded():
    features = torch.randn(5, 40, generator=generator(3)) + 100
    cov = torch.cov(features.T)  # of rank 4; rounding leaves eigenvalues below 0
    assert torch.linalg.eigvalsh(cov.double())[0] < 0
    distance = frechet_distance(features.mean(0), cov, features.mean(0), cov)
    torch.testing.assert_close(distance, torch.tensor(0.0), rtol=0, atol=1e-3)


def test_half_precision_covariances_of_a_singular_set_are_taken_as_rounded():
    for dtype in (torch.float16, torch.bfloat16):
        arguments = [t.to(dtype) for t in pair(2, 2)]
        assert torch.linalg.eigvalsh(arguments[1].double())[0] < -1e-4
        expected = frechet_distance(*pair(2, 2)).to(dtype)
        torch.testing.assert_close(frechet_distance(*arguments), expected, rtol=0.05, atol=0.05)


@pytest.mark.usefixtures("at_the_door")
def test_compiles_as_one_graph():
    arguments = pair()
    compiled = torch.compile(frechet_distance, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(*with_gradient(*arguments)), frechet_distance(*arguments))


def changed(position: int, value) -> list:
    arguments = pair()
    arguments[position] = value
    return arguments


def entry(index, value: float):
    cov = torch.eye(D, dtype=torch.float64)
    cov[index] = value
    return cov


REFUSED = [
    (changed(0, torch.zeros(1, D)), r"mu1 has shape \(1, 6\); expected \(D,\)"),
    (changed(1, torch.zeros(D)), r"cov1 has shape \(6,\); expected \(D, D\)"),
    (changed(3, torch.zeros(D, D + 1)), r"mu2 has shape \(6,\), cov2 \(6, 7\)"),
    (changed(1, torch.zeros(D - 1, D - 1)), r"mu1 has shape \(6,\), cov1 \(5, 5\)"),
    ([*gaussian(1, dim=4), *gaussian(2, dim=5)], r"mu2 has shape \(5,\); expected \(4,\) as mu1"),
    ([torch.zeros(0), torch.zeros(0, 0)] * 2, "with D >= 1"),
    (changed(2, torch.zeros(D)), "mu2 has dtype torch.float32"),
    (changed(3, torch.eye(D)), "cov2 has dtype torch.float32"),
    (changed(3, torch.eye(D, dtype=torch.int64)), "cov2 has dtype torch.int64"),
    (changed(1, "cov"), "cov1 is str"),
    (changed(0, torch.full((D,), torch.nan).double()), "mu1 holds NaN"),
    (changed(1, entry((2, 3), torch.nan)), "cov1 holds NaN"),
    (changed(3, entry((2, 2), torch.inf)), "cov2 holds NaN or infinity"),
    (changed(1, entry((2, 3), 0.5)), "cov1 is not symmetric: two mirrored entries differ by 0.5"),
    (changed(3, entry((2, 2), -0.5)), "cov2 has a negative eigenvalue, -0.5"),
    (changed(1, -torch.eye(D).double()), "cov1 has a negative eigenvalue"),
]


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(("arguments", "words"), REFUSED)
def test_bad_input_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        frechet_distance(*arguments)


def test_an_indefinite_matrix_hidden_by_the_other_is_refused():
    """Congruence with a flat covariance would shrink the bad direction to rounding size."""
    flat = torch.diag(torch.tensor([1.0, 1e-13])).double()
    wrong = torch.diag(torch.tensor([1.0, -0.5])).double()
    zero = torch.zeros(2).double()
    with pytest.raises(ValueError, match="cov1 has a negative eigenvalue"):
        frechet_distance(zero, wrong, zero, flat)
