import pytest
import torch
from scipy.spatial import cKDTree

from mdcv.points import nearest_neighbors


def test_neighbors_on_a_line_with_a_tie():
    x = torch.tensor([[[0.0], [5.0]]])
    y = torch.tensor([[[-2.0], [1.0], [2.0], [7.0]]])
    squared, indices = nearest_neighbors(x, y, 3)
    assert squared.tolist() == [[[1.0, 4.0, 4.0], [4.0, 9.0, 16.0]]]
    assert indices.tolist() == [[[1, 0, 2], [3, 2, 1]]]
    assert nearest_neighbors(x, y).indices.tolist() == [[[1], [3]]]


@pytest.mark.parametrize("k", [1, 8])
def test_agrees_with_scipy(device, cloud, k):
    x, y = (
        cloud(2, 300, 3, seed=0, dtype=torch.float64),
        cloud(2, 900, 3, seed=1, dtype=torch.float64),
    )
    found = nearest_neighbors(x.to(device), y.to(device), k)
    for b in range(2):
        distance, indices = cKDTree(y[b]).query(x[b], k=[*range(1, k + 1)])
        torch.testing.assert_close(
            found.squared_distances[b].cpu().sqrt(), torch.from_numpy(distance)
        )
        assert found.indices[b].cpu().equal(torch.from_numpy(indices))


def test_far_from_the_origin_the_right_neighbors_are_found(far_clouds):
    x, y, near_x, near_y = far_clouds(300, 200)
    found, expected = nearest_neighbors(x, y, 5), nearest_neighbors(near_x, near_y, 5)
    torch.testing.assert_close(
        found.squared_distances, expected.squared_distances.float(), rtol=1e-6, atol=0
    )
    swapped = found.indices != expected.indices  # near ties only, at the last digit
    assert swapped.float().mean() < 0.05


def test_distances_have_an_exact_gradient(cloud):
    x = cloud(2, 4, 3, seed=0, dtype=torch.float64).requires_grad_()
    y = cloud(2, 6, 3, seed=1, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, y: nearest_neighbors(x, y, 2)[0], (x, y))
    assert torch.autograd.gradgradcheck(lambda x, y: nearest_neighbors(x, y, 2)[0], (x, y))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precisions_are_computed_in_float32(device, dtype, cloud):
    x, y = (
        cloud(2, 90, 3, seed=0, dtype=dtype).to(device),
        cloud(2, 70, 3, seed=1, dtype=dtype).to(device),
    )
    found, wide = nearest_neighbors(x, y, 3), nearest_neighbors(x.float(), y.float(), 3)
    assert found.squared_distances.equal(wide.squared_distances.to(dtype))
    assert found.indices.equal(wide.indices)


def test_an_empty_batch_and_no_queries():
    squared, indices = nearest_neighbors(torch.zeros(0, 4, 3), torch.zeros(0, 5, 3), 2)
    assert squared.shape == indices.shape == (0, 4, 2)
    assert nearest_neighbors(torch.zeros(2, 0, 3), torch.zeros(2, 5, 3)).indices.shape == (2, 0, 1)
    assert indices.dtype == torch.int64


@pytest.mark.parametrize("k", [0, -1, 6, 1.0, None, True])
def test_k_out_of_range_is_refused(at_the_door, k):
    with pytest.raises(ValueError, match=r"k is .*expected an integer from 1 to 5"):
        nearest_neighbors(torch.zeros(1, 3, 2), torch.zeros(1, 5, 2), k)


def test_an_empty_set_to_search_is_refused():
    with pytest.raises(ValueError, match="empty set: y"):
        nearest_neighbors(torch.zeros(1, 3, 2), torch.zeros(1, 0, 2))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("side", [0, 1])
def test_nan_and_infinity_are_refused(cloud, bad, side):
    sets = [cloud(2, 4, 3, seed=0), cloud(2, 4, 3, seed=1)]
    sets[side][1, 2, 0] = bad
    with pytest.raises(ValueError, match=f"{'xy'[side]} holds NaN or infinity"):
        nearest_neighbors(*sets)


def test_sets_that_do_not_go_together_are_refused(mismatch, at_the_door):
    x, y, message = mismatch
    with pytest.raises(ValueError, match=message):
        nearest_neighbors(x, y)
