"""Non-maximum suppression: one box for one object."""

from __future__ import annotations

from numbers import Real

from jaxtyping import Float, Int, Integer
from torch import Tensor

from mdcv.boxes.overlap import check_box_table
from mdcv.errors import check_same_kind, check_tensor
from mdcv.kernels.arithmetic import widened
from mdcv.kernels.box_checks import check_indexable
from mdcv.kernels.box_suppression import suppress_boxes


def nms(
    boxes: Float[Tensor, "n 4"], scores: Float[Tensor, " n"], iou_threshold: int | float
) -> Int[Tensor, " kept"]:
    """Indices of the boxes that stay, by descending score.

    From the highest score down: a box that is still there stays, and removes every other whose
    IoU with it exceeds the threshold. IoU equal to the threshold removes nothing. Among equal
    scores the lower index comes first.

    Args:
        boxes: x1, y1, x2, y2, with x1 <= x2 and y1 <= y2. One without area always stays.
        scores: one per box, of the same dtype; infinity is a score too.
        iou_threshold: from 0 to 1; compared in the precision of the IoU.

    Returns:
        Indices into `boxes`, int64. How many depends on the data: on a GPU the host waits.

    Raises:
        ValueError: shapes, dtypes or devices do not fit, the threshold is not in [0, 1], a score
            is NaN, or a box is inverted, NaN, infinite, or so large that its area would be.

    Source: `torchvision.ops.nms`. There the CPU compares a float32 IoU with the threshold in
    float64, so that an IoU of exactly 0.1, 0.3 or 0.6 "exceeds" it; its GPU agrees with ours.

    >>> import torch
    >>> boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 4.0, 3.0], [9.0, 9.0, 10.0, 10.0]])
    >>> nms(boxes, torch.tensor([0.5, 0.9, 0.7]), iou_threshold=0.5)
    tensor([1, 2])
    """
    _check(boxes, scores, iou_threshold)
    return suppress_boxes(widened(boxes), widened(scores), None, float(iou_threshold))


def batched_nms(
    boxes: Float[Tensor, "n 4"],
    scores: Float[Tensor, " n"],
    idxs: Integer[Tensor, " n"],
    iou_threshold: int | float,
) -> Int[Tensor, " kept"]:
    """`nms` within each group: a box removes only others with the same entry in `idxs`.

    Groups are compared as they are. Boxes are not moved apart by an offset per group, which
    would cost precision, and go wrong for negative coordinates.

    Args:
        boxes, scores, iou_threshold: as for `nms`.
        idxs: the class (or image) of each box, any integers.

    Returns:
        Indices into `boxes`, int64, by descending score over all groups.

    Raises:
        ValueError: as for `nms`, and where idxs is not one integer per box.

    Source: `torchvision.ops.batched_nms`; the set is the same, ties are ordered by index here.

    >>> import torch
    >>> boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 4.0, 3.0], [0.0, 0.0, 4.0, 4.0]])
    >>> batched_nms(boxes, torch.tensor([0.5, 0.9, 0.7]), torch.tensor([0, 0, 1]), 0.5)
    tensor([1, 2])
    """
    _check(boxes, scores, iou_threshold)
    if not isinstance(idxs, Tensor) or idxs.dtype.is_floating_point or idxs.dtype.is_complex:
        came = idxs.dtype if isinstance(idxs, Tensor) else type(idxs).__name__
        raise ValueError(f"idxs is {came}; expected a tensor of integers")
    if idxs.shape != scores.shape or idxs.device != scores.device:
        raise ValueError(
            f"idxs has shape {tuple(idxs.shape)} on {idxs.device}; expected "
            f"{tuple(scores.shape)} on {scores.device}, one integer per box"
        )
    return suppress_boxes(widened(boxes), widened(scores), idxs.long(), float(iou_threshold))


def _check(boxes: object, scores: object, iou_threshold: object) -> None:
    check_box_table("boxes", boxes)
    check_tensor("scores", scores, ndim=1, layout="(N,)")
    if scores.shape[0] != boxes.shape[0]:
        raise ValueError(
            f"scores has shape {tuple(scores.shape)}; expected ({boxes.shape[0]},), one per box"
        )
    check_same_kind("scores", scores, "boxes", boxes)
    check_share("iou_threshold", iou_threshold)
    check_indexable("boxes", *boxes.shape)


def check_share(name: str, value: object) -> None:
    """Refuses anything but a number from 0 to 1.

    >>> check_share("iou_threshold", 50)
    Traceback (most recent call last):
    ValueError: iou_threshold is 50; expected a number from 0 to 1
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    # NaN fails the comparison, and so is refused.
    if not is_number or not 0 <= value <= 1:
        raise ValueError(f"{name} is {value!r}; expected a number from 0 to 1")
