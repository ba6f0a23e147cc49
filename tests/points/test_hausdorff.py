import pytest
import torch
from scipy.spatial.distance import directed_hausdorff

from mdcv.points import hausdorff_distance


def test_the_worst_point_decides_whichever_set_it_is_in():
    x = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]])
    y = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [2.0, 7.0]]])
    assert hausdorff_distance(x, y).tolist() == hausdorff_distance(y, x).tolist() == [7.0]


def test_agrees_with_scipy(device, cloud):
    x = cloud(5, 31, 3, seed=0, dtype=torch.float64)
    y = 2 * cloud(5, 23, 3, seed=1, dtype=torch.float64)
    expected = [
        max(directed_hausdorff(a, b)[0], directed_hausdorff(b, a)[0])
        for a, b in zip(x, y, strict=True)
    ]
    found = hausdorff_distance(x.to(device), y.to(device))
    torch.testing.assert_close(found.cpu(), torch.tensor(expected, dtype=torch.float64))


def test_is_a_metric(cloud):
    x, y, z = (cloud(20, n, 2, seed=n, dtype=torch.float64) for n in (7, 8, 9))
    xy, yz, xz = hausdorff_distance(x, y), hausdorff_distance(y, z), hausdorff_distance(x, z)
    assert (xy + yz >= xz - 1e-12).all()
    torch.testing.assert_close(xy, hausdorff_distance(y, x), rtol=0, atol=0)
    shuffled = x[:, torch.randperm(7)]
    assert hausdorff_distance(x, shuffled).tolist() == [0.0] * 20


def test_is_accurate_far_from_the_origin(far_clouds):
    x, y, near_x, near_y = far_clouds(40, 37)
    expected = hausdorff_distance(near_x, near_y).float()
    torch.testing.assert_close(hausdorff_distance(x, y), expected, rtol=1e-6, atol=0)


def test_the_gradient_touches_the_worst_pair_only(cloud):
    x = cloud(2, 5, 3, seed=0, dtype=torch.float64).requires_grad_()
    y = cloud(2, 6, 3, seed=1, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(hausdorff_distance, (x, y))
    assert torch.autograd.gradgradcheck(hausdorff_distance, (x, y))
    hausdorff_distance(x, y).sum().backward()
    assert (x.grad.any(dim=-1).sum(dim=1) == 1).all()
    assert (y.grad.any(dim=-1).sum(dim=1) == 1).all()


def test_the_gradient_of_equal_sets_is_zero(cloud):
    x = cloud(1, 5, 3, seed=0).requires_grad_()
    hausdorff_distance(x, x.detach().flip(1)).sum().backward()
    assert x.grad.equal(torch.zeros_like(x))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precisions_are_computed_in_float32(dtype, cloud):
    x, y = cloud(2, 9, 3, seed=0, dtype=dtype), cloud(2, 7, 3, seed=1, dtype=dtype)
    assert hausdorff_distance(x, y).equal(hausdorff_distance(x.float(), y.float()).to(dtype))


def test_one_point_and_an_empty_batch():
    one = torch.tensor([[[1.0, 2.0]]])
    torch.testing.assert_close(hausdorff_distance(one, one + 3), torch.tensor([18.0**0.5]))
    assert hausdorff_distance(one[:0], one[:0]).shape == (0,)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("swap", [False, True])
def test_nan_and_infinity_give_nan_in_their_own_pair(cloud, bad, swap):
    x, y = cloud(3, 4, 3, seed=0), cloud(3, 5, 3, seed=1)
    x[1, 2, 0] = bad
    found = hausdorff_distance(y, x) if swap else hausdorff_distance(x, y)
    assert found.isnan().tolist() == [False, True, False]


@pytest.mark.parametrize(("n", "m"), [(0, 3), (3, 0), (0, 0)])
def test_empty_sets_are_refused(n, m):
    with pytest.raises(ValueError, match="empty set"):
        hausdorff_distance(torch.zeros(2, n, 3), torch.zeros(2, m, 3))


def test_sets_that_do_not_go_together_are_refused(mismatch, at_the_door):
    x, y, message = mismatch
    with pytest.raises(ValueError, match=message):
        hausdorff_distance(x, y)
