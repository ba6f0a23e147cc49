"""Gated blocks and the two stacks."""

from __future__ import annotations

import pytest
import torch
from worlds import earlier

from mdcv.autoregressive import (
    GatedBlock,
    PixelCNN,
    PlainPixelCNN,
    RowsAbove,
    dependence,
    gate,
    shifted_down,
)
from mdcv.seeds import generator

H, W = 4, 6


def some_images(colors: int = 1, height: int = H, width: int = W) -> torch.Tensor:
    shape = (3, colors, height, width)
    return torch.rand(shape, generator=generator(1), dtype=torch.float64)


def test_shifting_down_moves_rows_and_fills_with_zeros():
    x = some_images()
    moved = shifted_down(x)
    assert torch.equal(moved[:, :, 1:], x[:, :, :-1]) and not moved[:, :, 0].any()


def test_the_gate_is_tanh_times_sigmoid():
    a, b = some_images().expand(3, 2, H, W), some_images(2)
    torch.testing.assert_close(gate(torch.cat([a, b], dim=1)), a.tanh() * b.sigmoid())


def test_rows_above_reach_as_far_right_as_left_and_never_down():
    torch.manual_seed(0)
    layer = RowsAbove(1, 1, 5).double()
    seen = dependence(layer, some_images(height=5))
    at = seen[2 * W + 3].view(5, W)  # output at row 2, column 3
    assert at[:3, 1:6].all() and not at[3:].any() and not at[:3, 0].any()


def test_the_vertical_stack_never_hears_from_the_horizontal_one():
    torch.manual_seed(0)
    block = GatedBlock(4, 3).double()
    v = some_images(4).requires_grad_()
    h = some_images(4).flip(0).clone().requires_grad_()
    above, before = block(v, h)
    assert torch.autograd.grad(above.sum(), h, allow_unused=True, retain_graph=True)[0] is None
    for leaf in (v, h):
        assert torch.autograd.grad(before.sum(), leaf, retain_graph=True)[0].any()


@pytest.mark.parametrize("colors", [1, 3])
def test_enough_gated_blocks_see_everything_before_and_nothing_else(colors):
    torch.manual_seed(0)
    width = 4
    model = PixelCNN(colors, channels=4 * colors, blocks=width).double()
    images = some_images(colors, height=3, width=width)
    assert torch.equal(dependence(model, images), earlier(3 * width * colors))


def test_plain_masked_layers_have_a_blind_spot_that_depth_does_not_cure():
    """A 3×3 kernel climbs one row per column to the right, however often it is applied."""
    torch.manual_seed(0)
    for layers in (W, 2 * W):
        model = PlainPixelCNN(channels=6, layers=layers).double()
        at = dependence(model, some_images())[3 * W + 1].view(H, W)  # row 3, column 1
        rows, columns = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
        past = (rows < 3) | ((rows == 3) & (columns < 1))
        in_reach = columns - 1 <= 3 - rows
        assert torch.equal(at, past & in_reach)
        assert (past & ~in_reach).sum() == 6


def test_a_few_gated_blocks_have_a_rectangle_for_a_field():
    torch.manual_seed(0)
    model = PixelCNN(channels=6, blocks=1).double()
    at = dependence(model, some_images(height=6, width=7))[4 * 7 + 3].view(6, 7)
    expected = torch.zeros(6, 7, dtype=torch.bool)
    expected[1:4, 1:6] = True  # 1 + 2 rows up, ±2 columns
    expected[4, 1:3] = True
    assert torch.equal(at, expected)


@pytest.mark.usefixtures("at_the_door")
def test_even_kernels_are_refused():
    with pytest.raises(ValueError, match="kernel_size is 4; expected an odd number"):
        RowsAbove(1, 1, 4)
    with pytest.raises(ValueError, match="kernel_size is 4"):
        PixelCNN(kernel_size=4)
