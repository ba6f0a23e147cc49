"""Digits drawn with a pen: procedural, seeded, labeled, at any size and in any number."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from mdcv.data.draws import normals, uniform
from mdcv.errors import check_integer, check_number

#: A stroke is a polygon line; places are (x, y) with x to the right, y down, in a unit box.
Stroke = Sequence[tuple[float, float]]

#: Images that are drawn at once; bounds the memory for distances from pixels to segments.
AT_ONCE = 64


def _arc(
    center: tuple[float, float], radii: tuple[float, float], start: int, end: int, n: int = 10
) -> list[tuple[float, float]]:
    """Points on an ellipse from one angle to another, in degrees; 0 is right, 90 is down."""
    angles = [math.radians(start + (end - start) * k / n) for k in range(n + 1)]
    return [
        (center[0] + radii[0] * math.cos(a), center[1] + radii[1] * math.sin(a)) for a in angles
    ]


#: How each digit is written. Where strokes meet, the pen is lifted.
PEN: tuple[tuple[Stroke, ...], ...] = (
    (_arc((0.5, 0.5), (0.28, 0.42), -90, 270, 20),),
    ([(0.32, 0.24), (0.54, 0.08), (0.54, 0.92)],),
    ([*_arc((0.5, 0.33), (0.26, 0.25), 190, 390, 12), (0.22, 0.92), (0.8, 0.92)],),
    (
        [
            *_arc((0.46, 0.3), (0.26, 0.22), 200, 450, 12),
            *_arc((0.46, 0.71), (0.3, 0.21), 280, 515, 12),
        ],
    ),
    ([(0.62, 0.92), (0.62, 0.08), (0.18, 0.64), (0.84, 0.64)],),
    ([(0.76, 0.08), (0.3, 0.08), (0.27, 0.44), *_arc((0.47, 0.65), (0.29, 0.27), 225, 510, 14)],),
    ([(0.66, 0.08), (0.38, 0.36), *_arc((0.5, 0.66), (0.26, 0.26), 200, 560, 18)],),
    ([(0.2, 0.08), (0.8, 0.08), (0.42, 0.92)],),
    (
        [
            *_arc((0.5, 0.29), (0.22, 0.21), 90, 450, 16),
            *_arc((0.5, 0.71), (0.27, 0.21), -90, 270, 16),
        ],
    ),
    ([*_arc((0.5, 0.33), (0.25, 0.24), 0, -360, 18), (0.72, 0.62), (0.6, 0.92)],),
)


def stroke_digits(
    n: int,
    *,
    size: int = 28,
    labels: Int[Tensor, " n"] | None = None,
    wobble: float = 1.0,
    generator: Generator | None = None,
) -> tuple[Float[Tensor, "n 1 size size"], Int[Tensor, " n"]]:
    """Images in [0, 1] with white ink, float32, and the digit that each shows, int64.

    Every digit is a pen stroke of its own: its corners tremble, it is turned, slanted, stretched
    and moved a little, and the pen is thinner or thicker. A pixel is covered by the pen as far as
    its distance to the stroke says, so the same stroke can be drawn at any size.

    Args:
        n: how many images.
        size: pixels per side, 8 or more.
        labels: which digits, from 0 to 9; drawn evenly at random without it.
        wobble: how much the hand varies; 0 draws the same image of a digit every time.
        generator: the source of randomness; the images are drawn on its device.

    Raises:
        ValueError: a number out of its range, or labels that are not n digits.

    >>> images, labels = stroke_digits(3, size=16, labels=torch.tensor([4, 0, 7]))
    >>> images.shape, labels
    (torch.Size([3, 1, 16, 16]), tensor([4, 0, 7]))
    """
    check_integer("n", n, low=0)
    check_integer("size", size, low=8)
    check_number("wobble", wobble)
    if labels is None:
        labels = (10 * uniform(n, generator)).long()
    elif labels.shape != (n,) or labels.dtype != torch.int64:
        raise ValueError(
            f"labels has shape {tuple(labels.shape)} and dtype {labels.dtype}; expected ({n},) "
            "and torch.int64"
        )
    elif n and not 0 <= int(labels.min()) <= int(labels.max()) <= 9:
        raise ValueError(f"labels holds {labels.unique().tolist()}; expected digits from 0 to 9")
    starts, ends = _segments(labels, wobble, generator)
    width = 0.055 * (1 + wobble * (0.6 * uniform((n, 1, 1), generator) - 0.2).to(starts))
    parts = zip(starts.split(AT_ONCE), ends.split(AT_ONCE), width.split(AT_ONCE), strict=True)
    images = torch.cat([_ink(*part, size) for part in parts])
    return images.unsqueeze(1).float(), labels


def _segments(
    labels: Int[Tensor, " n"], wobble: float, generator: Generator | None
) -> tuple[Float[Tensor, "n s 2"], Float[Tensor, "n s 2"]]:
    """Both ends of every segment of every digit, as the hand happens to write it today.

    Digits with fewer segments repeat their last corner, which draws nothing new.
    """
    most = max(len(stroke) for (stroke,) in PEN)
    pen = torch.tensor(
        [[*stroke, *[stroke[-1]] * (most - len(stroke))] for (stroke,) in PEN],
        dtype=torch.float64,
        device=labels.device,
    )
    n = len(labels)
    # One smooth wave over the stroke, not an error per corner: a hand does not jump.
    along = torch.linspace(0, 1, most, dtype=torch.float64, device=labels.device)
    waves = torch.stack([(math.pi * k * along).cos() for k in range(1, 4)])
    tremble = torch.einsum("nkd,ks->nsd", normals((n, 3, 2), generator).to(pen), waves)
    corners = pen[labels] - 0.5 + 0.018 * wobble * tremble
    turn, slant, wide, high = (wobble * normals((4, n), generator).to(pen)).unbind()
    turn, slant = 0.10 * turn, 0.12 * slant
    wide, high = (0.08 * wide).exp() * 0.78, (0.06 * high).exp() * 0.78
    affine = torch.stack(
        [
            torch.stack([wide * turn.cos(), high * (slant - turn.sin())], dim=1),
            torch.stack([wide * turn.sin(), high * turn.cos()], dim=1),
        ],
        dim=1,
    )
    move = 0.03 * wobble * normals((n, 1, 2), generator).to(pen)
    corners = torch.einsum("nij,nsj->nsi", affine, corners) + 0.5 + move
    return corners[:, :-1], corners[:, 1:]


def _ink(
    starts: Float[Tensor, "n s 2"],
    ends: Float[Tensor, "n s 2"],
    width: Float[Tensor, "n 1 1"],
    size: int,
) -> Float[Tensor, "n size size"]:
    """How much of each pixel lies under the pen, from the distance of its center to the stroke."""
    axis = (torch.arange(size, dtype=torch.float64, device=starts.device) + 0.5) / size
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    centers = torch.stack([x, y], dim=-1).view(1, -1, 1, 2)
    start, way = starts[:, None], (ends - starts)[:, None]
    length = way.square().sum(-1).clamp(min=1e-12)
    share = (((centers - start) * way).sum(-1) / length).clamp(0, 1)
    gap = (centers - start - share[..., None] * way).square().sum(-1).amin(dim=2).sqrt()
    return (0.5 + (width - gap.view(-1, size, size)) * size).clamp(0, 1)
