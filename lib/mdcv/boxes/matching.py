"""Which object each anchor should learn, and on which anchors a detector learns."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mdcv.boxes.overlap import box_iou, check_box_table
from mdcv.boxes.suppression import check_share
from mdcv.errors import check_integer, check_same_kind
from mdcv.kernels.arithmetic import widened
from mdcv.kernels.box_checks import check_boxes

#: What stands in place of an object's index.
BACKGROUND, IGNORED = -1, -2


def match_anchors(
    anchors: Float[Tensor, "a 4"],
    objects: Float[Tensor, "n 4"],
    *,
    high: int | float = 0.7,
    low: int | float = 0.3,
    keep_best: bool = True,
) -> Int[Tensor, " a"]:
    """For every anchor the index of the object it belongs to, or -1 (background), or -2 (ignored).

    An anchor looks at the object that it overlaps most, the first of equals:

    IoU >= high: it belongs to that object
    IoU < low: background
    between: ignored, neither the one nor the other

    With `keep_best`, an anchor that reaches the greatest IoU which some object has with any
    anchor belongs to its own best object, however small the IoU. So an object that no anchor
    fits well is learned too. Its anchor may overlap a neighbor more, and then goes there.

    Args:
        anchors, objects: x1, y1, x2, y2, in one unit. Without objects all is background.
        high, low: from 0 to 1, low <= high; compared in the precision of the IoU.

    Raises:
        ValueError: shapes, dtypes or devices do not fit, a box is inverted or not finite, or the
            thresholds are not as said.

    Source: Ren et al. 2015, arXiv:1506.01497, section 3.1.2; torchvision's `Matcher`. There an
    object that touches no anchor reaches its greatest IoU, 0, with all of them, and makes each a
    positive example; here it finds none.

    >>> import torch
    >>> anchors = torch.tensor([[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 4.0, 2.0], [8.0, 8.0, 9.0, 9.0]])
    >>> match_anchors(anchors, anchors[:1])
    tensor([ 0, -2, -1])
    """
    check_share("high", high)
    check_share("low", low)
    if low > high:
        raise ValueError(f"low is {low}, high is {high}; expected low <= high")
    for name, boxes in (("anchors", anchors), ("objects", objects)):
        check_box_table(name, boxes)
        check_boxes(name, widened(boxes))
    check_same_kind("objects", objects, "anchors", anchors)
    overlap = box_iou(anchors, objects)
    if overlap.numel() == 0:
        return torch.full((len(anchors),), BACKGROUND, device=anchors.device)
    best_overlap, best_object = overlap.max(dim=1)
    matches = best_object.masked_fill(best_overlap < high, IGNORED)
    matches = matches.masked_fill(best_overlap < low, BACKGROUND)
    if keep_best:
        is_best = (overlap == overlap.amax(dim=0)) & (overlap > 0)
        matches = torch.where(is_best.any(dim=1), best_object, matches)
    return matches


def sample_matches(
    matches: Int[Tensor, " a"],
    count: int,
    *,
    positive_share: int | float = 0.5,
    generator: torch.Generator | None = None,
) -> tuple[Int[Tensor, " p"], Int[Tensor, " q"]]:
    """Anchors to learn from, drawn at random: indices of positive ones, and of background ones.

    Background outnumbers objects by hundreds, and would drown them in the loss. So at most
    count · positive_share positives (rounded down) are drawn, and background fills up to
    `count`. Where there are too few of either, all are taken, and the sample is smaller.

    Args:
        matches: as `match_anchors` gives them; -2 is never drawn.
        count: how many to draw.
        positive_share: from 0 to 1.
        generator: of the device of `matches`; None takes PyTorch's own.

    Returns:
        Indices into `matches`, each ascending, none twice.

    Raises:
        ValueError: matches is not a tensor (A,) of int64 from -2 up, count is not an integer
            from 1 up, or positive_share is not in [0, 1].

    Source: Girshick 2015, arXiv:1504.08083, section 2.3 (a quarter); Ren et al. 2015,
    arXiv:1506.01497, section 3.1.3 (a half).

    >>> import torch
    >>> positive, negative = sample_matches(torch.tensor([-1, 3, -2, -1, -1]), 3)
    >>> positive, len(negative)
    (tensor([1]), 2)
    """
    if not isinstance(matches, Tensor) or matches.dtype != torch.int64 or matches.ndim != 1:
        came = (
            f"{matches.dtype} {tuple(matches.shape)}"
            if isinstance(matches, Tensor)
            else type(matches).__name__
        )
        raise ValueError(f"matches is {came}; expected a tensor (A,) of torch.int64")
    check_integer("count", count, low=1)
    check_share("positive_share", positive_share)
    if matches.numel() and int(matches.min()) < IGNORED:
        raise ValueError(f"matches holds {int(matches.min())}; expected integers from -2 up")

    def draw(candidates: Tensor, most: int) -> Tensor:
        order = torch.randperm(len(candidates), generator=generator, device=matches.device)
        return candidates[order[:most].sort().values]

    positive = draw((matches >= 0).nonzero().squeeze(1), int(count * positive_share))
    negative = draw((matches == BACKGROUND).nonzero().squeeze(1), count - len(positive))
    return positive, negative
