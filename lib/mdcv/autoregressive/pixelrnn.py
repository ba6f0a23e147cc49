"""PixelRNN: a recurrent cell that goes down the image, a whole row at each step."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mdcv.autoregressive.masks import MaskedConv2d
from mdcv.autoregressive.model import PixelModel
from mdcv.autoregressive.pixelcnn import as_logits, head


class RowState(NamedTuple):
    """What a row hands to the next one: its output and its memory."""

    hidden: Float[Tensor, "b c w"]
    memory: Float[Tensor, "b c w"]


class RowLSTMCell(nn.Module):
    """The row LSTM: from the state of the row above and this row's input to this row's state.

    [o, f, i, g] = K_ss ∗ h_{i−1} + K_is ∗ x_i
    c_i = σ(f) ⊙ c_{i−1} + σ(i) ⊙ tanh(g),   h_i = σ(o) ⊙ tanh(c_i)

    Both convolutions run along the row. K_is is masked (kind B), for x_i lies in the row that is
    being predicted; K_ss is not, for all of the row above is past. A pixel therefore sees a
    triangle above it that widens by (kernel_size − 1) / 2 on both sides with every row.

    Args:
        channels: of input and state, a multiple of `colors`.
        kernel_size: odd, of both convolutions.
        colors: channels of the image.

    Source: van den Oord, Kalchbrenner and Kavukcuoglu 2016, arXiv:1601.06759, section 3.1 and
    equation 3.

    >>> cell = RowLSTMCell(4, kernel_size=3)
    >>> state = cell.start(torch.zeros(2, 4, 6, 5))
    >>> cell(cell.from_input(torch.zeros(2, 4, 6, 5))[:, :, 0], state).hidden.shape
    torch.Size([2, 4, 5])
    """

    def __init__(self, channels: int, *, kernel_size: int = 3, colors: int = 1) -> None:
        super().__init__()
        self.from_input = MaskedConv2d(
            channels, 4 * channels, (1, kernel_size), kind="B", colors=colors, parts=4
        )
        self.from_state = nn.Conv1d(
            channels, 4 * channels, kernel_size, padding=kernel_size // 2, bias=False
        )

    def start(self, features: Float[Tensor, "b c h w"]) -> RowState:
        """The state before the first row: zeros."""
        zeros = torch.zeros_like(features[:, :, 0])
        return RowState(zeros, zeros)

    def forward(self, from_input: Float[Tensor, "b four_c w"], state: RowState) -> RowState:
        """One step down. `from_input` is row i of `self.from_input(x)`, computed for all rows."""
        o, f, i, g = (from_input + self.from_state(state.hidden)).chunk(4, dim=1)
        memory = torch.sigmoid(f) * state.memory + torch.sigmoid(i) * torch.tanh(g)
        return RowState(torch.sigmoid(o) * torch.tanh(memory), memory)


class RowLSTM(nn.Module):
    """A layer that walks a `RowLSTMCell` down the rows, with a residual connection around it."""

    def __init__(self, channels: int, *, kernel_size: int = 3, colors: int = 1) -> None:
        super().__init__()
        self.cell = RowLSTMCell(channels, kernel_size=kernel_size, colors=colors)
        self.project = MaskedConv2d(channels, channels, 1, kind="B", colors=colors)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        state, rows = self.cell.start(x), []
        for from_input in self.cell.from_input(x).unbind(dim=2):
            state = self.cell(from_input, state)
            rows.append(state.hidden)
        return x + self.project(torch.stack(rows, dim=2))


class PixelRNN(PixelModel):
    """PixelRNN with row LSTMs: as exact as PixelCNN, with rows in sequence even in training.

    Memory carries information down any number of rows, where each convolution of a PixelCNN
    carries it a fixed step. The price is a pass whose length is the height of the image.

    Args:
        colors, levels, channels, kernel_size: as for `PixelCNN`.
        layers: row LSTMs, one on top of the other.

    Source: van den Oord, Kalchbrenner and Kavukcuoglu 2016, arXiv:1601.06759, sections 3.1 to 3.3.

    >>> PixelRNN(channels=8, layers=1)(torch.zeros(3, 1, 6, 6)).shape
    torch.Size([3, 2, 1, 6, 6])
    """

    def __init__(
        self,
        colors: int = 1,
        levels: int = 2,
        *,
        channels: int = 32,
        layers: int = 2,
        kernel_size: int = 3,
    ) -> None:
        super().__init__(colors, levels)
        self.read = MaskedConv2d(colors, channels, 7, kind="A", colors=colors)
        self.layers = nn.ModuleList(
            RowLSTM(channels, kernel_size=kernel_size, colors=colors) for _ in range(layers)
        )
        self.head = head(channels, colors, levels)

    def forward(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b l c h w"]:
        h = self.read(2 * images - 1)
        for layer in self.layers:
            h = layer(h)
        return as_logits(self.head(h), self.colors)
