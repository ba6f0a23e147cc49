"""One small training loop: a step function, a seed, a progress line, and a file to go on from."""

from mdcv.train.batches import draw_batch
from mdcv.train.checkpoint import load_checkpoint, save_checkpoint
from mdcv.train.loop import train
from mdcv.train.progress import ProgressLine

__all__ = ["ProgressLine", "draw_batch", "load_checkpoint", "save_checkpoint", "train"]
