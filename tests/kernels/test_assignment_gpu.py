"""The auction in Triton: compiled on a GPU, or by Triton's interpreter without one."""

import pytest
import torch

from mdcv.kernels.assignment import solve_assignment

pytestmark = pytest.mark.usefixtures("triton_device")


@pytest.fixture
def small_tiles(monkeypatch):
    """Few points fit one tile; smaller tiles see to it that they do not."""
    from mdcv.kernels import auction_gpu as body

    for name, size in (("BIDDERS", 4), ("POINTS", 8), ("FEW", 1), ("POINTS_OF_ONE", 8)):
        monkeypatch.setattr(body, name, size)


def clouds(make_cloud, kind, shape, dtype, device):
    return (make_cloud(kind, shape, seed, dtype).to(device) for seed in (0, 1))


def assert_promise_is_kept(x, y, tolerance, precision, total_moved):
    from mdcv.kernels.auction_gpu import auction_gpu

    before = x.clone(), y.clone()
    permutation, gap = auction_gpu(x, y, tolerance, precision)
    assert permutation.dtype == torch.int64 and gap.dtype == torch.float64
    everyone = torch.arange(x.shape[1], device=x.device).expand(x.shape[:2])
    assert permutation.sort(dim=1).values.equal(everyone)
    optimum = total_moved(x, y, solve_assignment(x.cpu(), y.cpu(), 0.0)[0].to(x.device))
    excess = total_moved(x, y, permutation) - optimum
    assert (excess <= (gap + 1e-14) * optimum).all()
    assert (gap >= 0).all() and (gap <= tolerance).all()
    assert x.equal(before[0]) and y.equal(before[1])


@pytest.mark.parametrize(
    ("kind", "shape", "dtype", "precision", "tolerance"),
    [
        ("normal", (2, 9, 3), torch.float32, torch.float32, 0.2),
        ("lattice", (1, 9, 3), torch.float32, torch.float64, 0.1),
        ("far", (1, 6, 11), torch.float32, torch.float32, 0.2),
        ("cluster and outlier", (1, 4, 3), torch.float64, torch.float64, 0.2),
        ("line", (1, 10, 1), torch.float32, torch.float32, 0.5),
    ],
)
def test_the_auction_keeps_its_promise(
    device, small_tiles, make_cloud, total_moved, kind, shape, dtype, precision, tolerance
):
    x, y = clouds(make_cloud, kind, shape, dtype, device)
    assert_promise_is_kept(x, y, tolerance, precision, total_moved)


@pytest.mark.parametrize(
    ("kind", "shape", "dtype", "tolerance"),
    [
        ("normal", (1, 5, 2), torch.float64, 1e-6),
        ("lattice", (1, 34, 3), torch.float32, 0.9),
        ("one place", (2, 5, 3), torch.float32, 0.3),
        ("normal", (1, 1, 3), torch.float32, 0.3),
    ],
)
def test_it_keeps_it_with_the_tiles_as_shipped(
    device, make_cloud, total_moved, kind, shape, dtype, tolerance
):
    x, y = clouds(make_cloud, kind, shape, dtype, device)
    assert_promise_is_kept(x, y, tolerance, dtype, total_moved)


def test_a_loose_auction_is_not_exact_and_says_so(device, make_cloud, total_moved):
    from mdcv.kernels.auction_gpu import auction_gpu

    x, y = clouds(make_cloud, "normal", (1, 20, 3), torch.float32, device)
    permutation, gap = auction_gpu(x, y, 1.0, torch.float32)
    optimum = total_moved(x, y, solve_assignment(x.cpu(), y.cpu(), 0.0)[0].to(device))
    excess = total_moved(x, y, permutation) / optimum - 1
    assert 0 < excess <= gap <= 1


def test_a_pair_is_solved_alike_alone_and_in_a_batch(device, make_cloud):
    from mdcv.kernels.auction_gpu import auction_gpu

    x, y = clouds(make_cloud, "lattice", (3, 8, 2), torch.float32, device)
    permutation, gap = auction_gpu(x, y, 0.2, torch.float32)
    alone = auction_gpu(x[1:2], y[1:2], 0.2, torch.float32)
    assert alone[0].equal(permutation[1:2]) and alone[1].equal(gap[1:2])


def test_gaps_in_memory_change_nothing(device, make_cloud):
    from mdcv.kernels.auction_gpu import auction_gpu

    x = make_cloud("normal", (1, 2, 16), 0).to(device).mT[:, ::2]
    y = make_cloud("normal", (1, 8, 2), 1).to(device).flip(1)
    assert not x.is_contiguous()
    found = auction_gpu(x, y, 0.2, torch.float32)
    expected = auction_gpu(x.contiguous(), y.contiguous(), 0.2, torch.float32)
    assert found[0].equal(expected[0]) and found[1].equal(expected[1])


def test_equal_sets_are_at_gap_zero(device, make_cloud):
    from mdcv.kernels.auction_gpu import auction_gpu

    x = make_cloud("normal", (1, 15, 3), 0).to(device)
    permutation, gap = auction_gpu(x, x.flip(1), 0.1, torch.float32)
    assert permutation.tolist() == [list(range(14, -1, -1))] and gap.item() == 0


def test_what_rounding_hides_is_given_up_not_certified(device):
    """One far pair; the near ones are 1e-9 apart, less than float32 can tell at 1."""
    from mdcv.kernels.auction_gpu import auction_gpu

    near = torch.tensor([0.0, 2e-9, -2.0], dtype=torch.float64, device=device)
    x, y = (1 + near).reshape(1, 3, 1), (1 + near + 1e-9).reshape(1, 3, 1)
    assert auction_gpu(x, y, 0.1, torch.float32)[1].item() == torch.inf
    assert auction_gpu(x, y, 0.1, torch.float64)[1].item() <= 0.1


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize(
    ("dtype", "size"), [(torch.float32, 1e30), (torch.float64, 1e200), (torch.float64, 1e308)]
)
def test_distances_beyond_all_numbers_end_without_a_bid(device, dtype, size):
    from mdcv.kernels.auction_gpu import auction_gpu

    x = size * torch.tensor([[[0.0], [1.0]]], dtype=dtype, device=device)
    assert auction_gpu(x, -x, 0.1, dtype)[1].item() == torch.inf


@pytest.mark.parametrize("tolerance", [0.0, 0.3])
def test_tolerance_decides_between_the_auction_and_the_exact_solver(
    device, monkeypatch, make_cloud, total_moved, tolerance
):
    from mdcv.kernels import auction_gpu as body
    from mdcv.kernels.assignment_gpu import assignment_gpu

    asked = []

    def auction(x, y, tolerance, precision):
        asked.append((len(x), precision))
        return solve(x, y, tolerance, precision)

    solve = body.auction_gpu
    monkeypatch.setattr(body, "auction_gpu", auction)
    x, y = clouds(make_cloud, "normal", (2, 4, 2), torch.float32, device)
    permutation, gap = assignment_gpu(x, y, tolerance)
    assert asked == ([(2, torch.float32)] if tolerance else [])
    assert (gap <= tolerance).all() and gap.any() == (tolerance > 0)
    optimum = total_moved(x, y, solve_assignment(x.cpu(), y.cpu(), 0.0)[0].to(device))
    assert (total_moved(x, y, permutation) <= (1 + gap + 1e-14) * optimum).all()


def test_only_the_unproven_pairs_are_asked_for_again(device, monkeypatch):
    """Of three pairs the first needs float64, and the third is beyond any auction."""
    from mdcv.kernels import auction_gpu as body
    from mdcv.kernels.assignment_gpu import assignment_gpu

    seen = []

    def auction(x, y, tolerance, precision):
        seen.append(x[:, 0, 0].tolist())
        proven = x[:, 0, 0] < (1 if precision == torch.float32 else 2)
        gap = torch.where(proven, 0.05, torch.inf).double()
        return torch.arange(2, device=x.device).flip(0).repeat(len(x), 1), gap

    monkeypatch.setattr(body, "auction_gpu", auction)
    x = torch.tensor([1.0, 0.0, 2.0], device=device).reshape(3, 1, 1).repeat(1, 2, 1)
    permutation, gap = assignment_gpu(x, x, 0.1)
    assert seen == [[1.0, 0.0, 2.0], [1.0, 2.0]]
    torch.testing.assert_close(
        gap.cpu(), torch.tensor([0.05, 0.05, 0.0]).double(), check_dtype=True
    )
    assert permutation[:2].tolist() == [[1, 0], [1, 0]]


def test_no_pairs_have_no_gaps(device):
    from mdcv.kernels.assignment_gpu import assignment_gpu

    none = torch.zeros(0, 3, 2, device=device)
    permutation, gap = assignment_gpu(none, none, 0.1)
    assert permutation.shape == (0, 3) and gap.shape == (0,)
