import pytest
import torch

from mdcv.points import farthest_point_sample


def test_choices_on_a_line():
    points = torch.tensor([[[0.0], [1.0], [2.0], [10.0], [6.0]]])
    assert farthest_point_sample(points, 5).tolist() == [[0, 3, 4, 2, 1]]
    assert farthest_point_sample(points, 2, start=4).tolist() == [[4, 0]]


def test_ties_go_to_the_lowest_index():
    corners = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]])
    assert farthest_point_sample(corners, 5).tolist() == [[0, 1, 2, 3, 4]]


def test_each_choice_is_the_farthest_from_those_before(device, cloud):
    points = cloud(3, 200, 3, seed=0, dtype=torch.float64).to(device)
    picks = farthest_point_sample(points, 40, start=7)
    assert picks[:, 0].tolist() == [7, 7, 7]
    for b in range(3):
        for t in range(1, 40):
            table = torch.cdist(points[b], points[b, picks[b, :t]])
            assert table.amin(dim=1).argmax() == picks[b, t]


@pytest.mark.parametrize("distinct", [1, 3])
def test_duplicates_never_repeat_an_index(cloud, distinct):
    points = cloud(2, distinct, 3, seed=0).repeat(1, 10, 1)
    picks = farthest_point_sample(points, 10 * distinct)
    assert picks.sort(dim=1).values.equal(torch.arange(10 * distinct).expand(2, -1))
    # The distinct places come first.
    assert (
        (picks[:, :distinct] % distinct)
        .sort(dim=1)
        .values.equal(torch.arange(distinct).expand(2, -1))
    )


def test_covers_evenly_what_is_dense_on_one_side(cloud):
    dense = torch.cat([0.1 * cloud(1, 900, 2, seed=0), 3 + cloud(1, 100, 2, seed=1)], dim=1)
    picks = farthest_point_sample(dense, 50)
    assert (picks >= 900).float().mean() > 0.8


def test_far_from_the_origin_the_choices_are_the_same(far_clouds):
    x, _, near_x, _ = far_clouds(300)
    picks, expected = farthest_point_sample(x, 30), farthest_point_sample(near_x, 30)
    assert picks.equal(expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precisions_choose_as_in_float32(dtype, cloud):
    points = cloud(2, 90, 3, seed=0, dtype=dtype)
    assert farthest_point_sample(points, 30).equal(farthest_point_sample(points.float(), 30))


def test_memory_with_gaps_an_empty_batch_and_a_gradient_tape(cloud):
    points = cloud(3, 2, 80, seed=0).permute(1, 2, 0)[:, ::2]
    expected = farthest_point_sample(points.clone(memory_format=torch.contiguous_format), 9)
    assert farthest_point_sample(points, 9).equal(expected)
    assert farthest_point_sample(points.clone().requires_grad_(), 9).equal(expected)
    empty = farthest_point_sample(points[:0], 9)
    assert empty.shape == (0, 9) and empty.dtype == torch.int64


@pytest.mark.parametrize("k", [0, 5, -1, 2.0, None])
def test_k_out_of_range_is_refused(at_the_door, k):
    with pytest.raises(ValueError, match=r"k is .*expected an integer from 1 to 4"):
        farthest_point_sample(torch.zeros(1, 4, 3), k)


@pytest.mark.parametrize("start", [-1, 4, 0.0, None])
def test_start_out_of_range_is_refused(at_the_door, start):
    with pytest.raises(ValueError, match=r"start is .*expected an integer from 0 to 3"):
        farthest_point_sample(torch.zeros(1, 4, 3), 2, start=start)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (torch.zeros(1, 0, 3), "empty set"),
        (torch.zeros(4, 3), "expected"),
        (torch.zeros(1, 4, 3, dtype=torch.long), "floating-point"),
        ([[[0.0]]], "expected a tensor"),
        (torch.full((1, 4, 3), float("nan")), "holds NaN"),
        (torch.full((1, 4, 3), float("inf")), "infinity"),
    ],
)
def test_bad_points_are_refused(at_the_door, points, message):
    with pytest.raises(ValueError, match=message):
        farthest_point_sample(points, 1)
