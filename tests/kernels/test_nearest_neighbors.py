import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdcv.kernels import nearest_neighbors as door
from mdcv.kernels.arithmetic import squared_distances
from mdcv.kernels.nearest_neighbors import find_nearest_neighbors, nearest_neighbors_reference

DTYPES = (torch.float32, torch.float64)


def assert_same(found, expected):
    """Distances to the last bit, and so the same winner of every tie."""
    assert found[0].equal(expected[0])
    assert found[1].equal(expected[1])


def test_the_reference_on_a_line():
    x = torch.tensor([[[0.0], [5.0]]])
    y = torch.tensor([[[-2.0], [1.0], [2.0], [7.0]]])
    squared, indices = nearest_neighbors_reference(x, y, 3)
    assert squared.tolist() == [[[1.0, 4.0, 4.0], [4.0, 9.0, 16.0]]]
    assert indices.tolist() == [[[1, 0, 2], [3, 2, 1]]]


def test_the_reference_is_the_same_in_pieces(monkeypatch, make_cloud):
    x, y = make_cloud("lattice", (2, 50, 3), 0), make_cloud("lattice", (2, 30, 3), 1)
    whole = nearest_neighbors_reference(x, y, 4)
    monkeypatch.setattr(door, "rows_at_a_time", lambda batch, columns: 7)
    assert_same(nearest_neighbors_reference(x, y, 4), whole)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("b", "n", "m", "d", "k"),
    [
        (1, 1, 1, 3, 1),
        (2, 7, 16, 3, 16),
        (2, 40, 17, 2, 5),
        (3, 100, 300, 1, 2),
        (1, 200, 300, 8, 7),
        (1, 300, 4099, 3, 1),
        (1, 30, 2000, 20, 2),
        (1, 20, 200, 3, 64),
        (1, 20, 200, 3, 150),
    ],
)
def test_the_body_agrees_with_the_reference(device, dtype, kind, make_cloud, b, n, m, d, k):
    x = make_cloud(kind, (b, n, d), 0, dtype).to(device)
    y = make_cloud(kind, (b, m, d), 1, dtype).to(device)
    assert_same(find_nearest_neighbors(x, y, k, True), nearest_neighbors_reference(x, y, k))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_small_integer_clouds_agree_with_the_definition(data):
    """Ties and duplicates everywhere: the winner is found by hand, in Python integers."""
    n, m, d = (data.draw(st.integers(1, high)) for high in (6, 40, 3))
    point = st.lists(st.integers(-3, 3), min_size=d, max_size=d)
    x = data.draw(st.lists(point, min_size=n, max_size=n))
    y = data.draw(st.lists(point, min_size=m, max_size=m))
    k = data.draw(st.integers(1, m))
    dtype = data.draw(st.sampled_from(DTYPES))
    squared, indices = find_nearest_neighbors(
        torch.tensor([x], dtype=dtype), torch.tensor([y], dtype=dtype), k, True
    )
    for i, p in enumerate(x):
        ranked = sorted(
            (sum((a - b) ** 2 for a, b in zip(p, q, strict=True)), j) for j, q in enumerate(y)
        )
        assert list(zip(squared[0, i].tolist(), indices[0, i].tolist(), strict=True)) == ranked[:k]


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("batch", [1, 4])
def test_threads_do_not_change_the_result(make_cloud, threads, batch):
    x, y = make_cloud("normal", (batch, 6000, 3), 0), make_cloud("normal", (batch, 500, 3), 1)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = find_nearest_neighbors(x, y, 2, True)
    finally:
        torch.set_num_threads(before)
    assert_same(found, nearest_neighbors_reference(x, y, 2))


def test_ten_thousand_equal_points_are_found_without_looking_at_each(make_cloud):
    y = make_cloud("one place", (1, 10_000, 3), 0)
    squared, indices = find_nearest_neighbors(y, y.flip(1), 3, True)
    assert not squared.any()
    assert indices.unique(dim=1).tolist() == [[[0, 1, 2]]]


def test_gaps_in_memory_do_not_matter(make_cloud):
    x = make_cloud("normal", (3, 2, 40), 0).permute(1, 2, 0)[:, ::2]
    y = make_cloud("normal", (3, 2, 40), 1).permute(1, 2, 0).flip(1)
    assert not x.is_contiguous()
    assert_same(find_nearest_neighbors(x, y, 2, True), nearest_neighbors_reference(x, y, 2))


def test_inputs_are_left_as_they_are(make_cloud):
    x, y = make_cloud("normal", (1, 300, 3), 0), make_cloud("normal", (1, 200, 3), 1)
    copies = x.clone(), y.clone()
    find_nearest_neighbors(x, y, 1, False)
    assert x.equal(copies[0]) and y.equal(copies[1])


def test_distances_beyond_the_largest_number_are_infinite_with_the_lowest_indices():
    x = torch.tensor([[[1e30]]])
    y = torch.full((1, 20, 1), -1e30)
    squared, indices = find_nearest_neighbors(x, y, 3, True)
    assert squared.isinf().all()
    assert indices.tolist() == [[[0, 1, 2]]]


@pytest.mark.parametrize("shape", [(0, 5, 3), (2, 0, 3)])
def test_nothing_to_ask_gives_nothing(shape):
    y = torch.zeros(shape[0], 4, 3)
    squared, indices = find_nearest_neighbors(torch.zeros(shape), y, 2, True)
    assert squared.shape == indices.shape == (shape[0], shape[1], 2)


def test_points_without_coordinates_coincide():
    squared, indices = find_nearest_neighbors(torch.zeros(1, 2, 0), torch.zeros(1, 5, 0), 2, True)
    assert not squared.any()
    assert indices.tolist() == [[[0, 1], [0, 1]]]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("side", [0, 1])
def test_what_is_not_finite_is_refused_or_spreads_through_its_own_set(make_cloud, bad, side):
    sets = [make_cloud("normal", (3, 50, 3), 0), make_cloud("normal", (3, 60, 3), 1)]
    clean = find_nearest_neighbors(*sets, 2, False)[0]
    sets[side][1, 7, 2] = bad
    with pytest.raises(ValueError, match=f"{'xy'[side]} holds NaN or infinity"):
        find_nearest_neighbors(*sets, 2, True)
    squared, indices = find_nearest_neighbors(*sets, 2, False)
    assert squared[1].isnan().all()
    assert squared[[0, 2]].equal(clean[[0, 2]])
    assert indices.min() >= 0 and indices.max() < 60


def test_gradients_are_those_of_the_winning_pairs(device, make_cloud):
    x = make_cloud("normal", (2, 5, 3), 0, torch.float64).to(device).requires_grad_()
    y = make_cloud("normal", (2, 7, 3), 1, torch.float64).to(device).requires_grad_()

    def distances(x, y):
        return find_nearest_neighbors(x, y, 3, False)[0]

    assert torch.autograd.gradcheck(distances, (x, y))
    assert torch.autograd.gradgradcheck(distances, (x, y))
    # The same by plain autograd, through the whole table.
    weight = torch.rand(2, 5, 3, dtype=torch.float64, device=device)
    ours = torch.autograd.grad((weight * distances(x, y)).sum(), (x, y))
    table = squared_distances(x, y).sort(dim=-1).values[..., :3]
    theirs = torch.autograd.grad((weight * table).sum(), (x, y))
    torch.testing.assert_close(ours, theirs)


def test_only_the_gradients_that_are_asked_for_are_made(make_cloud):
    x, y = make_cloud("normal", (1, 9, 3), 0), make_cloud("normal", (1, 8, 3), 1)
    for one, other in ((x, y), (y, x)):
        one.requires_grad_()
        find_nearest_neighbors(x, y, 1, False)[0].sum().backward()
        assert one.grad.any() and other.grad is None
        one.requires_grad_(False).grad = None


@pytest.mark.parametrize("requires_grad", [False, True])
def test_the_door_is_a_good_citizen_of_torch(make_cloud, requires_grad):
    x = make_cloud("normal", (2, 9, 3), 0).requires_grad_(requires_grad)
    y = make_cloud("normal", (2, 8, 3), 1).requires_grad_(requires_grad)
    torch.library.opcheck(find_nearest_neighbors, (x, y, 3, False))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_data_loader_workers_may_search_after_their_parent_did(make_cloud):
    y = make_cloud("normal", (1, 3000, 3), 1)

    class Nearest(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return 4

        def __getitem__(self, item: int) -> torch.Tensor:
            torch.set_num_threads(2)
            x = make_cloud("normal", (1, 6000, 3), item)
            return find_nearest_neighbors(x, y, 1, True)[1][0, :, 0]

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        here = torch.stack([Nearest()[item] for item in range(4)])
        loader = torch.utils.data.DataLoader(
            Nearest(), batch_size=2, num_workers=2, multiprocessing_context="fork", timeout=60
        )
        there = torch.cat(list(loader))
    finally:
        torch.set_num_threads(before)
    assert there.equal(here)
