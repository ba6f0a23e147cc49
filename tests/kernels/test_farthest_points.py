import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdcv.kernels.farthest_points import farthest_points_reference, pick_farthest_points


def test_the_reference_on_a_line():
    points = torch.tensor([[[0.0], [1.0], [2.0], [10.0], [6.0]]])
    # 10 is 10 away from 0; then 6 is 4 away from 10, and 2 is 2 away from 0.
    assert farthest_points_reference(points, 5, 0).tolist() == [[0, 3, 4, 2, 1]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("b", "n", "d", "k", "start"),
    [
        (1, 1, 3, 1, 0),
        (2, 16, 3, 16, 3),
        (2, 40, 2, 40, 39),
        (3, 300, 1, 300, 2),
        (1, 5000, 3, 200, 4),
    ],
)
def test_the_body_agrees_with_the_reference(device, dtype, kind, make_cloud, b, n, d, k, start):
    points = make_cloud(kind, (b, n, d), 0, dtype).to(device)
    found = pick_farthest_points(points, k, start)
    assert found.equal(farthest_points_reference(points, k, start))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_small_integer_clouds_agree_with_the_definition(data):
    n, d = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 3))
    point = st.lists(st.integers(-2, 2), min_size=d, max_size=d)
    points = data.draw(st.lists(point, min_size=n, max_size=n))
    start = data.draw(st.integers(0, n - 1))
    picks = [start]
    while len(picks) < n:
        gap = {
            i: min(sum((a - b) ** 2 for a, b in zip(p, points[s], strict=True)) for s in picks)
            for i, p in enumerate(points)
            if i not in picks
        }
        picks.append(max(gap, key=lambda i: (gap[i], -i)))
    found = pick_farthest_points(torch.tensor([points], dtype=torch.float32), n, start)
    assert found.tolist() == [picks]


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_do_not_change_the_result(make_cloud, threads):
    points = make_cloud("normal", (4, 4000, 3), 0)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = pick_farthest_points(points, 1100, 0)
    finally:
        torch.set_num_threads(before)
    assert found.equal(farthest_points_reference(points, 1100, 0))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(bad):
    points = torch.zeros(1, 4, 3)
    points[0, 2, 1] = bad
    with pytest.raises(ValueError, match="points holds NaN or infinity"):
        pick_farthest_points(points, 2, 0)


def test_the_door_is_a_good_citizen_of_torch(make_cloud):
    torch.library.opcheck(pick_farthest_points, (make_cloud("normal", (2, 30, 3), 0), 5, 1))
