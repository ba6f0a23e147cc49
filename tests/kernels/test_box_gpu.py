"""The Triton bodies without a GPU, run by Triton's interpreter on a few boxes.

Where there is a GPU, the tests of the doors run the same bodies on it, and these are skipped.
"""

import os

import pytest
import torch

from mdcv.kernels.box_overlap import box_overlap_reference
from mdcv.kernels.box_suppression import box_suppression_reference
from mdcv.seeds import generator

# Triton looks at this when it is first imported, so a test would set it too late.
if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")

DTYPES = (torch.float32, torch.float64)


@pytest.fixture(autouse=True)
def _interpreted():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU: the doors' own tests run these bodies on it")
    pytest.importorskip("triton", reason="Triton is not installed")


def make_boxes(n: int, seed: int, dtype) -> torch.Tensor:
    numbers = torch.rand(n, 4, generator=generator(seed), dtype=torch.float64)
    numbers[::5, 2] = 0
    return torch.cat([8 * numbers[:, :2], 8 * numbers[:, :2] + 3 * numbers[:, 2:]], 1).to(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (1, 1), (17, 130)])
def test_overlap_agrees_with_the_reference(dtype, shape):
    from mdcv.kernels.box_overlap_gpu import box_overlap_gpu

    boxes1, boxes2 = (make_boxes(n, i, dtype) for i, n in enumerate(shape))
    assert box_overlap_gpu(boxes1, boxes2).equal(box_overlap_reference(boxes1, boxes2))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [0, 1, 64, 65, 150])
@pytest.mark.parametrize("threshold", [0.1, 0.5])
def test_suppression_agrees_with_the_reference(dtype, n, threshold):
    from mdcv.kernels.box_suppression_gpu import box_suppression_gpu

    boxes = make_boxes(n, 0, dtype)
    scores = torch.randint(20, (n,), generator=generator(1)).to(dtype)
    groups = torch.randint(2, (n,), generator=generator(2))
    for some in (groups, torch.zeros_like(groups)):
        expected = box_suppression_reference(boxes, scores, some, threshold)
        assert box_suppression_gpu(boxes, scores, some, threshold).equal(expected)
    assert box_suppression_gpu(boxes, scores, None, threshold).equal(expected)


def test_a_chain_is_settled_from_the_top_across_tiles():
    from mdcv.kernels.box_suppression_gpu import box_suppression_gpu

    left = torch.arange(150.0)
    boxes = torch.stack([left, left * 0, left + 3, left * 0 + 1], dim=1)
    assert box_suppression_gpu(boxes, -left, None, 0.4).tolist() == list(range(0, 150, 2))
