"""Wasserstein distance on the line."""

from __future__ import annotations

import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st

from mdcv.divergence import wasserstein_1d
from mdcv.seeds import generator


def samples(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def test_a_shift_is_its_own_distance_for_every_order(device):
    x = samples(2, 7).to(device)
    for p in (1, 1.5, 2, 30):
        moved = wasserstein_1d(x, x.flip(-1) + torch.tensor(-3.0), p=p)
        torch.testing.assert_close(moved, torch.full((2,), 3.0, dtype=x.dtype, device=device))


def test_known_values_tell_the_orders_apart():
    x, y = torch.tensor([0.0, 4.0, 1.0]), torch.tensor([2.0, 9.0, 1.0])  # moves 1, 1, 5 once sorted
    for p, expected in ((1, 7 / 3), (2, 3.0), (3, (127 / 3) ** (1 / 3))):
        torch.testing.assert_close(wasserstein_1d(x, y, p=p), torch.tensor(expected))


def test_agrees_with_scipy_row_by_row():
    x, y = samples(3, 11), 2 * samples(3, 11, seed=1) + 1
    expected = [scipy.stats.wasserstein_distance(a, b) for a, b in zip(x, y, strict=True)]
    torch.testing.assert_close(wasserstein_1d(x, y), torch.tensor(expected, dtype=x.dtype))


def test_sorting_is_the_best_of_all_assignments():
    import itertools

    x, y = samples(5), samples(5, seed=1)
    for p in (1, 2, 2.5):
        plans = [
            (x - y[list(order)]).abs().pow(p).mean() for order in itertools.permutations(range(5))
        ]
        torch.testing.assert_close(wasserstein_1d(x, y, p=p), torch.stack(plans).min() ** (1 / p))


numbers = st.lists(st.floats(-100, 100, width=32), min_size=4, max_size=4)


@given(x=numbers, y=numbers, z=numbers, p=st.floats(1, 20))
def test_it_is_a_metric_on_samples(x, y, z, p):
    x, y, z = (torch.tensor(v, dtype=torch.float64) for v in (x, y, z))
    torch.testing.assert_close(wasserstein_1d(x, y, p=p), wasserstein_1d(y, x, p=p))
    assert wasserstein_1d(x, x.flip(0), p=p) == 0
    around = wasserstein_1d(x, z, p=p) + wasserstein_1d(z, y, p=p)
    assert wasserstein_1d(x, y, p=p) <= around + 1e-9


def test_moves_too_long_or_too_short_to_square_are_no_trouble():
    for size in (1e300, 1e-300):
        x = torch.tensor([0.0, size], dtype=torch.float64)
        y = torch.tensor([size, 8 * size], dtype=torch.float64)
        torch.testing.assert_close(
            wasserstein_1d(x, y, p=2) / size, torch.tensor(5.0, dtype=x.dtype)
        )


@pytest.mark.parametrize("p", [1, 2, 3.5])
def test_gradient_is_exact_and_finite_where_samples_coincide(p):
    x, y = samples(2, 5).requires_grad_(), samples(2, 5, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: wasserstein_1d(a, b, p=p), (x, y))
    same = x.detach().clone().requires_grad_()
    wasserstein_1d(same, x.detach(), p=p).sum().backward()
    torch.testing.assert_close(same.grad, torch.zeros_like(same))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_follows_and_nan_stays_in_its_row(dtype):
    x, y = samples(3, 6).to(dtype), samples(3, 6, seed=1).to(dtype)
    x[1, 2] = torch.nan
    for p in (1, 2):
        distance = wasserstein_1d(x, y, p=p)
        assert distance.dtype == dtype
        assert distance.isnan().tolist() == [False, True, False]


@pytest.mark.usefixtures("at_the_door")
@pytest.mark.parametrize(
    ("x", "y", "p", "words"),
    [
        (torch.zeros(3), torch.zeros(4), 1, r"y has shape \(4,\); expected \(3,\)"),
        (torch.zeros(1, 3), torch.zeros(2, 3), 1, r"y has shape \(2, 3\)"),
        (torch.zeros(2, 0), torch.zeros(2, 0), 1, "at least one sample"),
        (torch.tensor(1.0), torch.tensor(1.0), 1, "at least one sample"),
        (torch.zeros(3), torch.zeros(3, dtype=torch.int64), 1, "y is torch.int64"),
        ([0.0], torch.zeros(1), 1, "x is list"),
        (torch.zeros(3), torch.zeros(3).double(), 1, "y has dtype torch.float64"),
        (torch.zeros(3), torch.zeros(3), 0.5, "p is 0.5"),
        (torch.zeros(3), torch.zeros(3), float("inf"), "p is inf"),
        (torch.zeros(3), torch.zeros(3), float("nan"), "p is nan"),
        (torch.zeros(3), torch.zeros(3), True, "p is True"),
        (torch.zeros(3), torch.zeros(3), "2", "p is '2'"),
    ],
)
def test_bad_input_is_refused(x, y, p, words):
    with pytest.raises(ValueError, match=words):
        wasserstein_1d(x, y, p=p)
