"""Explicit densities of images, one pixel at a time."""

from mdcv.autoregressive.dependence import dependence
from mdcv.autoregressive.gated import GatedBlock, RowsAbove, gate, shifted_down
from mdcv.autoregressive.likelihood import bits_per_dimension, log_likelihood, to_levels
from mdcv.autoregressive.masks import MaskedConv2d, causal_mask, color_of_channels
from mdcv.autoregressive.model import PixelModel
from mdcv.autoregressive.pixelcnn import PixelCNN, PlainPixelCNN
from mdcv.autoregressive.pixelrnn import PixelRNN, RowLSTM, RowLSTMCell, RowState

__all__ = [
    "GatedBlock",
    "MaskedConv2d",
    "PixelCNN",
    "PixelModel",
    "PixelRNN",
    "PlainPixelCNN",
    "RowLSTM",
    "RowLSTMCell",
    "RowState",
    "RowsAbove",
    "bits_per_dimension",
    "causal_mask",
    "color_of_channels",
    "dependence",
    "gate",
    "log_likelihood",
    "shifted_down",
    "to_levels",
]
