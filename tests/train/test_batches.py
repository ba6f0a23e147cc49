"""Batches: the same rows of every tensor, any row equally often."""

from __future__ import annotations

import pytest
import torch

from mdcv.seeds import generator
from mdcv.train import draw_batch


def test_rows_stay_together(device):
    x = torch.arange(20.0, device=device)
    a, b = draw_batch(7, x, x.square(), generator=generator(0, device))
    assert a.shape == (7,) and a.device.type == device
    torch.testing.assert_close(a.square(), b)


def test_one_tensor_gives_one_tensor():
    batch = draw_batch(3, torch.ones(5, 1, 8, 8), generator=generator(0))
    assert batch.shape == (3, 1, 8, 8)


def test_every_row_comes_equally_often():
    counts = draw_batch(70_000, torch.arange(7), generator=generator(0)).bincount()
    # Chi-squared with 6 degrees of freedom: above 30 once in 25,000 seeds.
    assert float(((counts - 10_000) ** 2 / 10_000).sum()) < 30


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"tensors have \[3, 4\] rows"):
        draw_batch(2, torch.ones(3), torch.ones(4))
    with pytest.raises(ValueError, match=r"tensors have \[\] rows"):
        draw_batch(2)
    with pytest.raises(ValueError, match=r"tensors have \[0\] rows"):
        draw_batch(2, torch.ones(0))
    with pytest.raises(ValueError, match="size is 0"):
        draw_batch(0, torch.ones(3))
