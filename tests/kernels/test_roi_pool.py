import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdcv.kernels.roi_pool import pool_regions, return_to_winners, roi_pool_reference
from mdcv.seeds import generator

DTYPES = (torch.float32, torch.float64)


def make_input(shape, seed: int = 0, dtype=torch.float64) -> torch.Tensor:
    """Whole numbers, so that there are ties in most bins."""
    return torch.randint(-5, 5, shape, generator=generator(seed)).to(dtype)


def make_regions(k: int, images: int, extent: float, seed: int, dtype=torch.float64):
    """Regions of all sizes at halves and quarters, across the border and beyond it too."""
    numbers = torch.rand(k, 4, generator=generator(seed), dtype=torch.float64)
    low = (4 * (1.6 * extent * numbers[:, :2] - 0.4 * extent)).round() / 4
    size = (4 * extent * numbers[:, 2:] ** 2).round() / 4
    image = torch.randint(images, (k, 1), generator=generator(seed + 1))
    return torch.cat([image, low, low + size], dim=1).to(dtype)


def edges_by_hand(low: float, high: float, bins: int, i: int, extent: int) -> tuple[int, int]:
    first, last = (int(math.copysign(math.floor(abs(v) + 0.5), v)) for v in (low, high))
    size = max(last - first + 1, 1)
    begin, end = first + i * size // bins, first - (-(i + 1) * size // bins)
    return min(max(begin, 0), extent), min(max(end, 0), extent)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_both_agree_with_the_definition_by_hand(data):
    height, width, bins_y, bins_x = (data.draw(st.integers(1, 5)) for _ in range(4))
    corner = st.integers(-12, 28).map(lambda n: n / 4)
    box = [data.draw(corner) for _ in range(4)]
    low, high = zip(*(sorted(box[axis::2]) for axis in (0, 1)), strict=True)
    image = make_input((1, 1, height, width), data.draw(st.integers(0, 99)))
    rois = torch.tensor([[0.0, *low, *high]], dtype=torch.float64)
    cells = image[0, 0].tolist()
    values, winners = pool_regions(image, rois, bins_y, bins_x, 0.5)
    reference = roi_pool_reference(image, rois, bins_y, bins_x, 0.5)
    for i in range(bins_y):
        for j in range(bins_x):
            top, bottom = edges_by_hand(low[1] / 2, high[1] / 2, bins_y, i, height)
            left, right = edges_by_hand(low[0] / 2, high[0] / 2, bins_x, j, width)
            ranked = [
                (-cells[y][x], y * width + x)
                for y in range(top, bottom)
                for x in range(left, right)
            ]
            best, cell = min(ranked, default=(0, -1))
            for found in ((values, winners), reference):
                assert found[0][0, 0, i, j] == -best
                assert found[1][0, 0, i, j] == cell


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("shape", "bins", "k"),
    [((2, 3, 9, 33), (3, 2), 12), ((1, 130, 17, 5), (7, 7), 9), ((3, 1, 1, 1), (2, 5), 5)],
)
def test_the_body_agrees_with_the_reference(device, dtype, shape, bins, k):
    input = make_input(shape, 0, dtype).to(device)
    rois = make_regions(k, shape[0], 2.0 * max(shape[2:]), 1, dtype).to(device)
    values, winners = pool_regions(input, rois, *bins, 0.5)
    expected = roi_pool_reference(input, rois, *bins, 0.5)
    assert values.equal(expected[0]) and winners.equal(expected[1])


def test_halves_are_rounded_away_from_zero(device):
    ramp = torch.arange(9.0, device=device).expand(1, 1, 1, 9)
    # 0.5 and 2.5 become 1 and 3, where rounding to even would take 0 and 2.
    rois = torch.tensor([[0.0, 0.5, 0.0, 0.5, 0.0], [0.0, 2.5, 0.0, 2.5, 0.0]], device=device)
    assert pool_regions(ramp, rois, 1, 1, 1.0)[0].flatten().tolist() == [1, 3]


def test_a_number_just_below_a_half_is_not_rounded_up(device):
    below = torch.tensor(0.5).nextafter(torch.tensor(0.0)).item()
    ramp = torch.arange(9.0, device=device).expand(1, 1, 1, 9)
    rois = torch.tensor([[0.0, below, 0.0, below, 0.0]], device=device)
    assert pool_regions(ramp, rois, 1, 1, 1.0)[0].item() == 0


def test_a_bin_beside_the_map_is_zero_and_has_no_winner(device):
    input = torch.full((1, 2, 3, 3), -7.0, device=device, requires_grad=True)
    rois = torch.tensor([[0.0, 5.0, 0.0, 8.0, 2.0]], device=device)
    values, winners = pool_regions(input, rois, 2, 2, 1.0)
    assert not values.any()
    assert (winners == -1).all()
    values.sum().backward()
    assert not input.grad.any()


def test_nan_wins_over_every_number(device):
    input = torch.arange(9.0, device=device).reshape(1, 1, 3, 3)
    input[0, 0, 1, 1] = float("nan")
    rois = torch.tensor([[0.0, 0.0, 0.0, 2.0, 2.0]], device=device)
    values, winners = pool_regions(input, rois, 1, 1, 1.0)
    assert values.isnan().all() and winners.item() == 4


def test_gradients_are_those_of_plain_autograd(device):
    input = make_input((2, 5, 8, 19)).to(device).requires_grad_()
    rois = make_regions(15, 2, 30.0, 1).to(device)
    weight = torch.rand(15, 5, 3, 4, generator=generator(2), dtype=torch.float64).to(device)

    def gradient(values):
        return torch.autograd.grad((weight * values).sum(), input)[0]

    expected = gradient(roi_pool_reference(input, rois, 3, 4, 0.5)[0])
    torch.testing.assert_close(gradient(pool_regions(input, rois, 3, 4, 0.5)[0]), expected)


def test_gradients_agree_with_finite_differences_once_and_twice(device):
    input = torch.randn(2, 2, 4, 5, generator=generator(0), dtype=torch.float64).to(device)
    input.requires_grad_()
    rois = make_regions(4, 2, 8.0, 3).to(device)

    def maxima(input):
        return pool_regions(input, rois, 2, 3, 0.5)[0]

    assert torch.autograd.gradcheck(maxima, (input,))
    assert torch.autograd.gradgradcheck(maxima, (input,))


@pytest.mark.parametrize("threads", [2, 16])
def test_threads_do_not_change_a_bit(threads):
    input = make_input((2, 70, 12, 20), 0, torch.float32).requires_grad_()
    rois = make_regions(100, 2, 20.0, 1, torch.float32)
    weight = torch.rand(100, 70, 5, 5, generator=generator(2))
    before = torch.get_num_threads()
    found = []
    for count in (1, threads):
        torch.set_num_threads(count)
        try:
            values, winners = pool_regions(input, rois, 5, 5, 1.0)
            found.append((values, winners, *torch.autograd.grad((weight * values).sum(), input)))
        finally:
            torch.set_num_threads(before)
    assert all(a.equal(b) for a, b in zip(*found, strict=True))


def test_any_memory_format_gives_the_same_and_inputs_stay_as_they_are():
    input, rois = make_input((2, 6, 9, 8)), make_regions(7, 2, 9.0, 1)
    expected = pool_regions(input, rois, 3, 3, 1.0)
    copies = input.clone(), rois.clone()
    last = input.contiguous(memory_format=torch.channels_last)
    gaps = make_input((2, 6, 18, 24))[:, :, ::2, ::3].copy_(input)
    for some in (input, last, gaps):
        found = pool_regions(some, rois.t().contiguous().t(), 3, 3, 1.0)
        assert found[0].equal(expected[0]) and found[1].equal(expected[1])
    assert input.equal(copies[0]) and rois.equal(copies[1])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_keeps_its_numbers(device, dtype):
    input = make_input((1, 3, 9, 9), 0, dtype).to(device).requires_grad_()
    rois = make_regions(6, 1, 9.0, 1, torch.float32).to(device)
    values, _ = pool_regions(input, rois, 2, 2, 1.0)
    expected = pool_regions(input.detach().float(), rois, 2, 2, 1.0)[0]
    assert values.dtype == dtype and values.float().equal(expected)
    (grad,) = torch.autograd.grad(values.sum(), input)
    assert grad.dtype == dtype and grad.any()


@pytest.mark.parametrize("bad", [[0.0, 3.0, 0.0, 1.0, 1.0], [2.0, 0.0, 0.0, 1.0, 1.0]])
def test_a_bad_region_is_refused_or_on_a_gpu_nan_throughout(device, bad):
    input = make_input((2, 3, 5, 5)).to(device)
    rois = torch.tensor([[1.0, 0.0, 0.0, 2.0, 2.0], bad], dtype=torch.float64, device=device)
    if device == "cpu":
        with pytest.raises(ValueError, match=r"boxes\[[01]\]"):
            pool_regions(input, rois, 2, 2, 1.0)
        return
    values, _ = pool_regions(input, rois, 2, 2, 1.0)
    assert values[1].isnan().all() and not values[0].isnan().any()


@pytest.mark.parametrize(("images", "k", "channels"), [(2, 0, 3), (0, 0, 3), (2, 4, 0)])
def test_nothing_to_pool_gives_nothing(device, images, k, channels):
    input = torch.zeros(images, channels, 5, 5, device=device, requires_grad=True)
    rois = make_regions(k, max(images, 1), 5.0, 0, torch.float32).to(device)
    values, winners = pool_regions(input, rois, 2, 3, 1.0)
    assert values.shape == winners.shape == (k, channels, 2, 3)
    values.sum().backward()
    assert input.grad.shape == input.shape and not input.grad.any()


@pytest.mark.parametrize("requires_grad", [False, True])
def test_the_doors_are_good_citizens_of_torch(requires_grad):
    input = make_input((2, 3, 5, 6)).requires_grad_(requires_grad)
    rois = make_regions(4, 2, 6.0, 1)
    torch.library.opcheck(pool_regions, (input, rois, 2, 3, 1.0))
    grad = torch.rand(4, 3, 2, 3, generator=generator(1)).requires_grad_(requires_grad)
    winners = pool_regions(input, rois, 2, 3, 1.0)[1]
    torch.library.opcheck(return_to_winners, (grad, winners, rois.float(), 2, 5, 6))
