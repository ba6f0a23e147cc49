"""The Triton bodies for regions: compiled on a GPU, or by Triton's interpreter without one."""

import pytest
import torch

from mdcv.kernels.roi_align import roi_align_reference
from mdcv.kernels.roi_pool import roi_pool_reference
from mdcv.seeds import generator

pytestmark = pytest.mark.usefixtures("triton_device")

DTYPES = (torch.float32, torch.float64)


def make_case(shape, k: int, dtype, device) -> tuple[torch.Tensor, torch.Tensor]:
    """A map, and regions at halves inside it, across its border, and without area."""
    input = torch.randn(shape, generator=generator(0), dtype=torch.float64)
    numbers = torch.randint(-4, 24, (k, 4), generator=generator(1)) / 2
    low, high = torch.minimum(*numbers.split(2, 1)), torch.maximum(*numbers.split(2, 1))
    image = torch.randint(shape[0], (k, 1), generator=generator(2))
    low[0], high[0] = 1.5, 1.5
    return input.to(device, dtype), torch.cat([image, low, high], dim=1).to(device, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("ratio", [-1, 2])
@pytest.mark.parametrize(("shape", "bins"), [((2, 5, 7, 18), (3, 2)), ((1, 1, 1, 1), (1, 1))])
def test_align_agrees_with_the_reference(device, dtype, aligned, ratio, shape, bins):
    from mdcv.kernels.roi_align_gpu import roi_align_backward_gpu, roi_align_gpu

    input, rois = make_case(shape, 4, dtype, device)
    options = 0.5, ratio, aligned
    input.requires_grad_()
    expected = roi_align_reference(input, rois, *bins, *options)
    weight = torch.rand(expected.shape, generator=generator(3), dtype=torch.float64)
    weight = weight.to(device, dtype)
    (gradient,) = torch.autograd.grad((weight * expected).sum(), input)
    found = roi_align_gpu(input.detach(), rois, *bins, *options)
    torch.testing.assert_close(found, expected.detach())
    torch.testing.assert_close(roi_align_backward_gpu(weight, rois, shape, *options), gradient)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_align_takes_half_precision_and_adds_up_in_float32(device, dtype):
    from mdcv.kernels.roi_align_gpu import roi_align_backward_gpu, roi_align_gpu

    input, rois = make_case((2, 3, 6, 7), 3, torch.float32, device)
    options = 1.0, 2, True
    means = roi_align_gpu(input.to(dtype), rois, 2, 2, *options)
    expected = roi_align_reference(input.to(dtype).float(), rois, 2, 2, *options)
    torch.testing.assert_close(means, expected.to(dtype))
    assert roi_align_backward_gpu(means, rois, input.shape, *options).dtype == dtype


def test_align_over_a_billion_cells_does_not_take_a_billion_steps(device):
    from mdcv.kernels.roi_align_gpu import roi_align_gpu

    ones = torch.ones(1, 1, 4, 4, dtype=torch.float64, device=device)
    rois = torch.tensor([[0.0, -1e9, 0.0, 1e9, 4.0]], dtype=torch.float64, device=device)
    means = roi_align_gpu(ones, rois, 1, 1, 1.0, -1, False)
    torch.testing.assert_close(means.item(), 5 / 2e9)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "bins"), [((2, 5, 7, 18), (3, 2)), ((1, 1, 1, 1), (1, 1))])
def test_pool_agrees_with_the_reference(device, dtype, shape, bins):
    from mdcv.kernels.roi_pool_gpu import roi_pool_gpu

    input, rois = make_case(shape, 6, dtype, device)
    input = input.round()
    values, winners = roi_pool_gpu(input, rois, *bins, 0.5)
    expected = roi_pool_reference(input, rois, *bins, 0.5)
    assert values.equal(expected[0]) and winners.equal(expected[1])


def test_pool_lets_nan_win(device):
    from mdcv.kernels.roi_pool_gpu import roi_pool_gpu

    input = torch.arange(9.0, device=device).reshape(1, 1, 3, 3)
    input[0, 0, 1, 1] = float("nan")
    rois = torch.tensor([[0.0, 0.0, 0.0, 2.0, 2.0]], device=device)
    values, winners = roi_pool_gpu(input, rois, 1, 1, 1.0)
    assert values.isnan().all() and winners.item() == 4
