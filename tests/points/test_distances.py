import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from mdcv.points import pairwise_distances


def test_distances_on_a_grid_paper():
    x = torch.tensor([[[0.0, 0.0], [3.0, 0.0]]])
    y = torch.tensor([[[3.0, 4.0], [0.0, 0.0], [3.0, 1.0]]])
    expected = torch.tensor([[[5.0, 0.0, 10.0**0.5], [4.0, 3.0, 1.0]]])
    torch.testing.assert_close(pairwise_distances(x, y), expected)


@settings(max_examples=40, deadline=None)
@given(
    b=st.integers(0, 3),
    n=st.integers(0, 9),
    m=st.integers(0, 9),
    d=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_agrees_with_scipy_and_swaps_with_its_arguments(cloud, b, n, m, d, seed):
    x, y = (cloud(b, k, d, seed=seed + k, dtype=torch.float64) for k in (n, m))
    found = pairwise_distances(x, y)
    assert found.shape == (b, n, m)
    for i in range(b):
        torch.testing.assert_close(found[i], torch.from_numpy(cdist(x[i], y[i])).reshape(n, m))
    torch.testing.assert_close(pairwise_distances(y, x), found.transpose(1, 2))


@pytest.mark.parametrize("n", [5, 40, 300])
def test_close_points_far_from_the_origin_keep_their_digits(far_clouds, n):
    """PyTorch's cdist expands the square from 26 points on, and returns noise here."""
    x, y, near_x, near_y = far_clouds(n, n)
    found = pairwise_distances(x, y)
    torch.testing.assert_close(found, pairwise_distances(near_x, near_y).float(), rtol=1e-6, atol=0)
    assert not pairwise_distances(x, x).diagonal(dim1=1, dim2=2).any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precisions_are_computed_in_float32(device, dtype, cloud):
    x, y = (
        cloud(2, 9, 3, seed=0, dtype=dtype).to(device),
        cloud(2, 7, 3, seed=1, dtype=dtype).to(device),
    )
    found = pairwise_distances(x, y)
    assert found.dtype == dtype
    assert found.equal(pairwise_distances(x.float(), y.float()).to(dtype))


def test_gradients_are_exact_twice(device, cloud):
    x = cloud(2, 4, 3, seed=0, dtype=torch.float64).to(device).requires_grad_()
    y = cloud(2, 5, 3, seed=1, dtype=torch.float64).to(device).requires_grad_()
    assert torch.autograd.gradcheck(pairwise_distances, (x, y))
    assert torch.autograd.gradgradcheck(pairwise_distances, (x, y))


def test_gradients_are_zero_where_points_coincide(cloud):
    x = cloud(1, 4, 3, seed=0, dtype=torch.float64).requires_grad_()
    distance = pairwise_distances(x, x.detach()).diagonal(dim1=1, dim2=2)
    (first,) = torch.autograd.grad(distance.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum() + first.sum(), x)
    assert not first.any() and not second.any()


def test_gradients_are_accurate_far_from_the_origin(far_clouds):
    x, y, near_x, near_y = far_clouds()
    for points in (x, near_x):
        points.requires_grad_()
    pairwise_distances(x, y).sum().backward()
    pairwise_distances(near_x, near_y).sum().backward()
    torch.testing.assert_close(x.grad.double(), near_x.grad, rtol=1e-5, atol=1e-5)


def test_memory_is_gapped_and_inputs_are_left_alone(cloud):
    x = cloud(3, 2, 8, seed=0).permute(1, 2, 0)[:, ::2]
    copy = x.clone()
    torch.testing.assert_close(pairwise_distances(x, x), pairwise_distances(copy, copy))
    assert x.equal(copy)


def test_nan_and_infinity_never_give_a_number(cloud):
    for bad in (float("nan"), float("inf")):
        x, y = cloud(1, 3, 3, seed=0), cloud(1, 4, 3, seed=1)
        x[0, 1, 2] = bad
        found = pairwise_distances(x, y)
        assert not found[0, 1].isfinite().any()
        assert found[0, [0, 2]].isfinite().all()


def test_sets_that_do_not_go_together_are_refused(mismatch, at_the_door):
    x, y, message = mismatch
    with pytest.raises(ValueError, match=message):
        pairwise_distances(x, y)
