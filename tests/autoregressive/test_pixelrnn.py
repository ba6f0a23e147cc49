"""The row LSTM."""

from __future__ import annotations

import pytest
import torch

from mdcv.autoregressive import PixelRNN, RowLSTM, RowLSTMCell, dependence
from mdcv.seeds import generator


def test_a_row_of_one_pixel_is_the_lstm_everyone_knows():
    """PyTorch orders its gates i, f, g, o; ours are o, f, i, g as in the paper."""
    torch.manual_seed(0)
    cell = RowLSTMCell(3, kernel_size=1).double()
    peer = torch.nn.LSTMCell(3, 3).double()
    order = torch.cat([torch.arange(3) + 3 * k for k in (2, 1, 3, 0)])
    with torch.no_grad():
        peer.weight_ih.copy_(cell.from_input.weight[order, :, 0, 0])
        peer.bias_ih.copy_(cell.from_input.bias[order])
        peer.weight_hh.copy_(cell.from_state.weight[order, :, 0])
        peer.bias_hh.zero_()
    x = torch.randn(5, 3, 4, 1, generator=generator(1), dtype=torch.float64)
    state, expected = cell.start(x), None
    for i, from_input in enumerate(cell.from_input(x).unbind(dim=2)):
        state = cell(from_input, state)
        expected = peer(x[:, :, i, 0], expected)
        torch.testing.assert_close(state.hidden[:, :, 0], expected[0])
        torch.testing.assert_close(state.memory[:, :, 0], expected[1])


def test_a_pixel_sees_its_left_and_a_triangle_above_that_widens_with_every_row():
    torch.manual_seed(0)
    layer = RowLSTM(1, kernel_size=3).double()
    images = torch.randn(2, 1, 5, 9, generator=generator(2), dtype=torch.float64)
    at = dependence(layer, images)[3 * 9 + 4].view(5, 9)  # row 3, column 4
    rows, columns = torch.meshgrid(torch.arange(5), torch.arange(9), indexing="ij")
    up, right = 3 - rows, columns - 4
    # Within a row the masked input reaches one to the left; the state spreads one per row.
    expected = (up >= 0) & (right <= up) & (right >= -up - 1)
    assert torch.equal(at, expected)


def test_memory_carries_further_down_than_layers_would():
    torch.manual_seed(0)
    model = PixelRNN(channels=4, layers=1).double()
    images = torch.rand(2, 1, 12, 2, generator=generator(3), dtype=torch.float64)
    assert dependence(model, images)[-1, 0]


@pytest.mark.usefixtures("at_the_door")
def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match=r"kernel_size is \(1, 4\)"):
        RowLSTMCell(2, kernel_size=4)
