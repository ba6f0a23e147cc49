"""The Triton bodies for boxes: compiled on a GPU, or by Triton's interpreter without one."""

import pytest
import torch

from mdcv.kernels.box_overlap import box_overlap_reference
from mdcv.kernels.box_suppression import box_suppression_reference
from mdcv.seeds import generator

pytestmark = pytest.mark.usefixtures("triton_device")

DTYPES = (torch.float32, torch.float64)


def make_boxes(n: int, seed: int, dtype, device) -> torch.Tensor:
    numbers = torch.rand(n, 4, generator=generator(seed), dtype=torch.float64)
    numbers[::5, 2] = 0
    return torch.cat([8 * numbers[:, :2], 8 * numbers[:, :2] + 3 * numbers[:, 2:]], 1).to(
        device, dtype
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (1, 1), (17, 130)])
def test_overlap_agrees_with_the_reference(device, dtype, shape):
    from mdcv.kernels.box_overlap_gpu import box_overlap_gpu

    boxes1, boxes2 = (make_boxes(n, i, dtype, device) for i, n in enumerate(shape))
    assert box_overlap_gpu(boxes1, boxes2).equal(box_overlap_reference(boxes1, boxes2))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [0, 1, 64, 65, 150])
@pytest.mark.parametrize("threshold", [0.1, 0.5])
def test_suppression_agrees_with_the_reference(device, dtype, n, threshold):
    from mdcv.kernels.box_suppression_gpu import box_suppression_gpu

    boxes = make_boxes(n, 0, dtype, device)
    scores = torch.randint(20, (n,), generator=generator(1)).to(device, dtype)
    groups = torch.randint(2, (n,), generator=generator(2)).to(device)
    for some in (groups, torch.zeros_like(groups)):
        expected = box_suppression_reference(boxes, scores, some, threshold)
        assert box_suppression_gpu(boxes, scores, some, threshold).equal(expected)
    assert box_suppression_gpu(boxes, scores, None, threshold).equal(expected)


def test_a_chain_is_settled_from_the_top_across_tiles(device):
    from mdcv.kernels.box_suppression_gpu import box_suppression_gpu

    left = torch.arange(150.0, device=device)
    boxes = torch.stack([left, left * 0, left + 3, left * 0 + 1], dim=1)
    assert box_suppression_gpu(boxes, -left, None, 0.4).tolist() == list(range(0, 150, 2))
