import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdcv.kernels import ball_query as door
from mdcv.kernels.ball_query import ball_query_reference, collect_ball, squared_limit

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def test_the_reference_on_a_line():
    points = torch.tensor([[[0.0], [5.0], [1.0], [2.0], [-2.0]]])
    centers = torch.tensor([[[0.0], [9.0]]])
    found = ball_query_reference(points, centers, 2.0, 3)
    assert found.tolist() == [[[0, 2, 3], [-1, -1, -1]]]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("radius", [0.0, 0.5, 1.0, math.sqrt(2), 3.0, math.inf])
def test_the_body_agrees_with_the_reference(device, dtype, kind, make_cloud, radius):
    for b, n, c, d, k in (
        (1, 1, 3, 3, 2),
        (2, 40, 7, 2, 5),
        (3, 500, 20, 3, 16),
        (1, 30, 9, 3, 40),
    ):
        points = make_cloud(kind, (b, n, d), 0, dtype).to(device)
        centers = make_cloud(kind, (b, c, d), 1, dtype).to(device)
        found = collect_ball(points, centers, radius, k)
        assert found.equal(ball_query_reference(points, centers, radius, k))


def test_the_reference_is_the_same_in_pieces(monkeypatch, make_cloud):
    points, centers = make_cloud("normal", (2, 60, 3), 0), make_cloud("normal", (2, 30, 3), 1)
    whole = ball_query_reference(points, centers, 1.0, 4)
    monkeypatch.setattr(door, "rows_at_a_time", lambda batch, columns: 7)
    assert ball_query_reference(points, centers, 1.0, 4).equal(whole)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_small_integer_clouds_agree_with_the_definition(data):
    n, d, k = (
        data.draw(st.integers(1, 40)),
        data.draw(st.integers(1, 3)),
        data.draw(st.integers(1, 9)),
    )
    point = st.lists(st.integers(-3, 3), min_size=d, max_size=d)
    points = data.draw(st.lists(point, min_size=n, max_size=n))
    center = data.draw(point)
    squared_radius = data.draw(st.integers(0, 12))
    inside = [
        i
        for i, p in enumerate(points)
        if sum((a - b) ** 2 for a, b in zip(p, center, strict=True)) <= squared_radius
    ]
    dtype = data.draw(st.sampled_from((torch.float32, torch.float64)))
    found = collect_ball(
        torch.tensor([points], dtype=dtype),
        torch.tensor([[center]], dtype=dtype),
        math.sqrt(squared_radius),
        k,
    )
    assert found.tolist() == [[(inside + [-1] * k)[:k]]]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("radius", [0.0, 1e-3, 0.1, 1 / 3, 1.0, 2.5, 1e4])
def test_the_squared_limit_is_the_last_number_inside(dtype, radius):
    limit = squared_limit(radius, dtype)
    edge = torch.tensor(radius, dtype=dtype)

    def distance(squared: float) -> torch.Tensor:
        return torch.tensor(math.sqrt(squared), dtype=torch.float64).to(dtype)

    assert distance(limit) <= edge < distance(math.nextafter(limit, math.inf))


def test_the_door_is_a_good_citizen_of_torch(make_cloud):
    points, centers = make_cloud("normal", (2, 30, 3), 0), make_cloud("normal", (2, 4, 3), 1)
    torch.library.opcheck(collect_ball, (points, centers, 1.0, 5))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("side", [0, 1])
def test_what_is_not_finite_is_refused(bad, side):
    sets = [torch.zeros(1, 4, 3), torch.zeros(1, 2, 3)]
    sets[side][0, 1, 1] = bad
    with pytest.raises(ValueError, match=f"{('points', 'centers')[side]} holds NaN or infinity"):
        collect_ball(*sets, 1.0, 2)
