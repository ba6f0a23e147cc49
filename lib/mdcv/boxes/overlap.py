"""How large boxes are, and how much of them they share."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from mdcv.errors import check_same_kind, check_tensor
from mdcv.kernels.arithmetic import widened
from mdcv.kernels.box_checks import check_indexable
from mdcv.kernels.box_overlap import measure_overlap


def check_box_table(name: str, boxes: object, *, numbers: str = "x1, y1, x2, y2") -> None:
    """Refuses anything but a floating-point tensor (N, 4); `numbers` says what the four are.

    >>> import torch
    >>> check_box_table("boxes", torch.zeros(3, 5))
    Traceback (most recent call last):
    ValueError: boxes has shape (3, 5); expected (N, 4), as x1, y1, x2, y2
    """
    layout = f"(N, 4), as {numbers}"
    check_tensor(name, boxes, ndim=2, layout=layout)
    if boxes.shape[1] != 4:
        raise ValueError(f"{name} has shape {tuple(boxes.shape)}; expected {layout}")


def box_area(boxes: Float[Tensor, "n 4"]) -> Float[Tensor, " n"]:
    """Area of every box, (x2 - x1) · (y2 - y1): a box from 0 to 1 is one unit wide, not two.

    Args:
        boxes: x1, y1, x2, y2. An inverted box gets the product as it is, which may be negative.

    Raises:
        ValueError: boxes is not a floating-point tensor (N, 4).

    >>> import torch
    >>> box_area(torch.tensor([[0.0, 0.0, 2.0, 3.0], [1.0, 1.0, 1.0, 5.0]]))
    tensor([6., 0.])
    """
    check_box_table("boxes", boxes)
    wide = widened(boxes)
    return ((wide[:, 2] - wide[:, 0]) * (wide[:, 3] - wide[:, 1])).to(boxes.dtype)


def box_iou(boxes1: Float[Tensor, "n 4"], boxes2: Float[Tensor, "m 4"]) -> Float[Tensor, "n m"]:
    """Intersection over union of every box of one set with every box of the other.

    IoU(A, B) = |A ∩ B| / (|A| + |B| - |A ∩ B|)

    0 for boxes that are apart or only touch, and 0 where the union has no area. The gradient
    flows to both sets; where two edges coincide, each gets half.

    Args:
        boxes1, boxes2: x1, y1, x2, y2, with x1 <= x2 and y1 <= y2, in one unit.

    Returns:
        Values from 0 to 1 in the dtype of the boxes; half and bfloat16 are computed in float32.

    Raises:
        ValueError: shapes, dtypes or devices do not fit, the table would have 2^31 entries or
            more, or a box is inverted, NaN, infinite, or so large that its area would be. On a
            GPU the numbers are not looked at, since that would make the host wait: the row or
            column of such a box is NaN.

    Source: `torchvision.ops.box_iou`, to the last bit; there a union without area gives NaN, an
    inverted box some number, and half becomes float32.

    >>> import torch
    >>> box_iou(torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([[0.0, 1.0, 2.0, 3.0]]))
    tensor([[0.3333]])
    """
    check_box_table("boxes1", boxes1)
    check_box_table("boxes2", boxes2)
    check_same_kind("boxes2", boxes2, "boxes1", boxes1)
    check_indexable("the overlap table", boxes1.shape[0], boxes2.shape[0])
    return measure_overlap(widened(boxes1), widened(boxes2)).to(boxes1.dtype)
