import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdcv.kernels.roi_align import align_regions, roi_align_reference, spread_over_regions
from mdcv.seeds import generator

DTYPES = (torch.float32, torch.float64)


def make_input(shape, seed: int = 0, dtype=torch.float64) -> torch.Tensor:
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64).to(dtype)


def make_regions(k: int, images: int, extent: float, seed: int, dtype=torch.float64):
    """Regions of all sizes, inside the map, across its border, and beyond it."""
    numbers = torch.rand(k, 5, generator=generator(seed), dtype=torch.float64)
    low = 1.6 * extent * numbers[:, 1:3] - 0.4 * extent
    size = extent * numbers[:, 3:5] ** 3
    size[::4, 0] = 0
    image = torch.randint(images, (k, 1), generator=generator(seed + 1))
    return torch.cat([image, low, low + size], dim=1).to(dtype)


def mean_by_hand(image, roi, bins, bin, scale, ratio, aligned) -> float:
    """One entry of the result, by the definition: loops over samples and the four cells around."""
    start, size, samples = [], [], []
    for axis in (1, 0):  # y, then x
        low, high = ((roi[1 + axis + 2 * end] * scale) - 0.5 * aligned for end in (0, 1))
        start.append(low)
        size.append(high - low if aligned else max(high - low, 1.0))
        samples.append(ratio if ratio > 0 else math.ceil(size[-1] / bins[1 - axis]))
    total = 0.0
    for i in range(samples[0]):
        for j in range(samples[1]):
            y, x = (
                start[a] + size[a] / bins[a] * (bin[a] + (s + 0.5) / samples[a])
                for a, s in ((0, i), (1, j))
            )
            if not (-1 <= y <= len(image) and -1 <= x <= len(image[0])):
                continue
            y, x = min(max(y, 0), len(image) - 1), min(max(x, 0), len(image[0]) - 1)
            for row in range(len(image)):
                for column in range(len(image[0])):
                    weight = max(0, 1 - abs(y - row)) * max(0, 1 - abs(x - column))
                    total += weight * image[row][column]
    return total / max(samples[0] * samples[1], 1)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_both_agree_with_the_definition_by_hand(data):
    height, width, bins_y, bins_x = (data.draw(st.integers(1, 4)) for _ in range(4))
    # Eighths, so that no sample is a rounding error away from a cell's border.
    corner = st.integers(-24, 56).map(lambda n: n / 8)
    box = [data.draw(corner) for _ in range(4)]
    low, high = zip(*(sorted(box[axis::2]) for axis in (0, 1)), strict=True)
    ratio, aligned = data.draw(st.sampled_from([-1, 0, 1, 2, 4])), data.draw(st.booleans())
    image = make_input((1, 1, height, width), data.draw(st.integers(0, 99)))
    roi = [0.0, *low, *high]
    rois = torch.tensor([roi], dtype=torch.float64)
    options = rois, bins_y, bins_x, 0.5, ratio, aligned
    values = image[0, 0].tolist()
    expected = [
        [
            mean_by_hand(values, roi, (bins_y, bins_x), (i, j), 0.5, ratio, aligned)
            for j in range(bins_x)
        ]
        for i in range(bins_y)
    ]
    expected = torch.tensor([[expected]], dtype=torch.float64)
    torch.testing.assert_close(roi_align_reference(image, *options), expected)
    torch.testing.assert_close(align_regions(image, *options), expected)


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("ratio", [-1, 1, 2, 3])
def test_a_ramp_is_read_at_the_centers_of_the_bins(device, aligned, ratio):
    y, x = torch.meshgrid(torch.arange(20.0), torch.arange(30.0), indexing="ij")
    ramps = torch.stack([x, y, 2 * x - 3 * y + 1]).unsqueeze(0).to(device)
    rois = torch.tensor([[0.0, 4.0, 6.0, 19.0, 30.0]], device=device)
    means = align_regions(ramps, rois, 4, 3, 0.5, ratio, aligned)
    shift = 0.5 if aligned else 0.0
    center_x = 2 + (torch.arange(3.0, device=device) + 0.5) * 7.5 / 3 - shift
    center_y = 3 + (torch.arange(4.0, device=device) + 0.5) * 12 / 4 - shift
    torch.testing.assert_close(means[0, 0], center_x.expand(4, 3))
    torch.testing.assert_close(means[0, 1], center_y[:, None].expand(4, 3))
    torch.testing.assert_close(means[0, 2], 2 * means[0, 0] - 3 * means[0, 1] + 1)


def test_small_regions_grow_to_a_cell_only_where_not_aligned(device):
    ramp = torch.arange(9.0, device=device).expand(1, 1, 9, 9)
    rois = torch.tensor([[0.0, 4.0, 4.0, 4.4, 4.4]], device=device)
    aligned = align_regions(ramp, rois, 1, 2, 1.0, 2, True)
    torch.testing.assert_close(aligned.flatten(), torch.tensor([3.6, 3.8], device=device))
    grown = align_regions(ramp, rois, 1, 2, 1.0, 2, False)
    torch.testing.assert_close(grown.flatten(), torch.tensor([4.25, 4.75], device=device))


def test_a_region_without_area_has_no_samples_of_its_own_number(device):
    ones = torch.ones(1, 1, 4, 4, device=device)
    rois = torch.tensor([[0.0, 2.0, 2.0, 2.0, 2.0]], device=device)
    assert align_regions(ones, rois, 1, 1, 1.0, -1, True).item() == 0
    assert align_regions(ones, rois, 1, 1, 1.0, 2, True).item() == 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("ratio", [-1, 1, 2, 3])
@pytest.mark.parametrize(
    ("shape", "bins", "k"),
    [((2, 3, 9, 33), (3, 2), 12), ((1, 130, 17, 5), (7, 7), 9), ((3, 1, 1, 1), (2, 5), 5)],
)
def test_the_body_agrees_with_the_reference(device, dtype, aligned, ratio, shape, bins, k):
    input = make_input(shape, 0, dtype).to(device)
    rois = make_regions(k, shape[0], 2.0 * max(shape[2:]), 1, dtype).to(device)
    options = rois, *bins, 0.5, ratio, aligned
    expected = roi_align_reference(input, *options)
    torch.testing.assert_close(align_regions(input, *options), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("ratio", [-1, 2])
def test_gradients_are_those_of_plain_autograd(device, aligned, ratio):
    input = make_input((2, 5, 8, 19)).to(device).requires_grad_()
    rois = make_regions(15, 2, 30.0, 1).to(device)
    options = rois, 3, 4, 0.5, ratio, aligned
    weight = make_input((15, 5, 3, 4), 2).to(device)

    def gradient(means):
        return torch.autograd.grad((weight * means).sum(), input)[0]

    expected = gradient(roi_align_reference(input, *options))
    torch.testing.assert_close(gradient(align_regions(input, *options)), expected)


def test_gradients_agree_with_finite_differences_once_and_twice(device):
    input = make_input((2, 2, 4, 5)).to(device).requires_grad_()
    rois = make_regions(4, 2, 8.0, 3).to(device)

    def means(input):
        return align_regions(input, rois, 2, 3, 0.5, 2, True)

    assert torch.autograd.gradcheck(means, (input,))
    assert torch.autograd.gradgradcheck(means, (input,))


@pytest.mark.parametrize("threads", [2, 3, 16])
def test_threads_do_not_change_a_bit(threads):
    """Also blocks of channels do not: with many threads they are smaller."""
    input = make_input((2, 70, 12, 20), 0, torch.float32).requires_grad_()
    rois = make_regions(100, 2, 20.0, 1, torch.float32)
    before = torch.get_num_threads()
    found = []
    for count in (1, threads):
        torch.set_num_threads(count)
        try:
            means = align_regions(input, rois, 5, 5, 1.0, 2, True)
            found.append((means, *torch.autograd.grad(means.square().sum(), input)))
        finally:
            torch.set_num_threads(before)
    assert found[0][0].equal(found[1][0]) and found[0][1].equal(found[1][1])


def test_any_memory_format_gives_the_same_and_inputs_stay_as_they_are():
    input, rois = make_input((2, 6, 9, 8)), make_regions(7, 2, 9.0, 1)
    options = 3, 3, 1.0, 2, True
    expected = align_regions(input, rois, *options)
    copies = input.clone(), rois.clone()
    last = input.contiguous(memory_format=torch.channels_last)
    gaps = make_input((2, 6, 18, 24))[:, :, ::2, ::3].copy_(input)
    spread_rois = rois.t().contiguous().t()
    for some in (input, last, gaps):
        assert align_regions(some, spread_rois, *options).equal(expected)
    assert input.equal(copies[0]) and rois.equal(copies[1])


def test_a_gradient_of_ones_that_takes_no_memory_is_read_like_any_other():
    rois = make_regions(7, 2, 9.0, 1)
    ones = torch.ones(1, 1, 1, 1, dtype=torch.float64).expand(7, 3, 2, 2)
    options = rois, 2, 9, 8, 1.0, 2, True
    assert spread_over_regions(ones, *options).equal(
        spread_over_regions(ones.contiguous(), *options)
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32_and_rounded_once(device, dtype):
    input = make_input((1, 3, 9, 9), 0, dtype).to(device).requires_grad_()
    rois = make_regions(6, 1, 9.0, 1, torch.float32).to(device)
    options = rois, 2, 2, 1.0, 3, True
    found = align_regions(input, *options)
    assert found.dtype == dtype
    wide = align_regions(input.detach().float(), *options)
    torch.testing.assert_close(found, wide.to(dtype), rtol=0, atol=0)
    (grad,) = torch.autograd.grad(found.sum(), input)
    assert grad.dtype == dtype and grad.any()


def test_a_region_of_a_billion_cells_does_not_take_a_billion_steps(device):
    ones = torch.ones(1, 1, 4, 4, dtype=torch.float64, device=device)
    rois = torch.tensor([[0.0, -1e9, 0.0, 1e9, 4.0]], dtype=torch.float64, device=device)
    means = align_regions(ones, rois, 1, 1, 1.0, -1, False)
    # Samples are a cell apart, at halves: those from -1 to 4 count, 5 of 2 · 10^9.
    torch.testing.assert_close(means.item(), 5 / 2e9)


@pytest.mark.parametrize("bad", [[0.0, 3.0, 0.0, 1.0, 1.0], [2.0, 0.0, 0.0, 1.0, 1.0]])
def test_a_bad_region_is_refused_or_on_a_gpu_nan_throughout(device, bad):
    input = make_input((2, 3, 5, 5)).to(device)
    rois = torch.tensor([[1.0, 0.0, 0.0, 2.0, 2.0], bad], dtype=torch.float64, device=device)
    if device == "cpu":
        with pytest.raises(ValueError, match=r"boxes\[[01]\]"):
            align_regions(input, rois, 2, 2, 1.0, 2, True)
        return
    means = align_regions(input, rois, 2, 2, 1.0, 2, True)
    assert means[1].isnan().all() and not means[0].isnan().any()


@pytest.mark.parametrize(("images", "k", "channels"), [(2, 0, 3), (0, 0, 3), (2, 4, 0)])
def test_nothing_to_pool_gives_nothing(device, images, k, channels):
    input = torch.zeros(images, channels, 5, 5, device=device, requires_grad=True)
    rois = make_regions(k, max(images, 1), 5.0, 0, torch.float32).to(device)
    means = align_regions(input, rois, 2, 3, 1.0, 2, True)
    assert means.shape == (k, channels, 2, 3)
    means.sum().backward()
    assert input.grad.shape == input.shape and not input.grad.any()


@pytest.mark.parametrize("requires_grad", [False, True])
def test_the_doors_are_good_citizens_of_torch(requires_grad):
    input = make_input((2, 3, 5, 6)).requires_grad_(requires_grad)
    rois = make_regions(4, 2, 6.0, 1)
    torch.library.opcheck(align_regions, (input, rois, 2, 3, 1.0, 2, True))
    grad = make_input((4, 3, 2, 3)).requires_grad_(requires_grad)
    torch.library.opcheck(spread_over_regions, (grad, rois, 2, 5, 6, 1.0, 2, True))
