import pytest
import torch

from mdcv.boxes import box_area, box_iou
from mdcv.seeds import generator


def make_boxes(n: int, seed: int, dtype=torch.float32) -> torch.Tensor:
    corner = 10 * torch.rand(n, 2, generator=generator(seed))
    size = 5 * torch.rand(n, 2, generator=generator(seed + 1))
    return torch.cat([corner, corner + size], dim=1).to(dtype)


def test_a_box_from_0_to_1_is_one_unit_wide(device):
    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], [1.0, 2.0, 4.0, 4.0], [2.0, 2.0, 2.0, 9.0]])
    assert box_area(boxes.to(device)).tolist() == [1, 6, 0]


def test_overlaps_that_can_be_counted(device):
    boxes1 = torch.tensor([[0.0, 0.0, 2.0, 2.0], [3.0, 3.0, 3.0, 3.0]], device=device)
    boxes2 = torch.tensor([[1.0, 0.0, 3.0, 2.0], [2.0, 2.0, 4.0, 4.0]], device=device)
    expected = torch.tensor([[1 / 3, 0.0], [0.0, 0.0]], device=device)
    torch.testing.assert_close(box_iou(boxes1, boxes2), expected)


def test_overlap_is_symmetric_one_on_itself_and_blind_to_place_and_scale(device):
    boxes1, boxes2 = make_boxes(9, 0).to(device), make_boxes(8, 1).to(device)
    overlap = box_iou(boxes1, boxes2)
    assert (overlap > 0).any() and (overlap >= 0).all() and (overlap <= 1).all()
    assert overlap.equal(box_iou(boxes2, boxes1).T)
    torch.testing.assert_close(box_iou(boxes1, boxes1).diagonal(), torch.ones_like(boxes1[:, 0]))
    torch.testing.assert_close(box_iou(4 * boxes1 - 8, 4 * boxes2 - 8), overlap)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32_where_areas_do_not_overflow(device, dtype):
    boxes = torch.tensor([[0.0, 0.0, 512.0, 512.0], [0.0, 0.0, 512.0, 256.0]], dtype=dtype)
    overlap = box_iou(boxes.to(device), boxes.to(device))
    assert overlap.dtype == dtype
    assert overlap.tolist() == [[1, 0.5], [0.5, 1]]


def test_the_gradient_pulls_a_box_over_its_target(device):
    box = torch.tensor([[1.0, 0.0, 3.0, 2.0]], device=device, requires_grad=True)
    target = torch.tensor([[0.0, 0.0, 2.0, 2.0]], device=device)
    box_iou(box, target).sum().backward()
    # I = (2 - x1) · 2 and U = 4 + (x2 - x1) · 2 - I at x1 = 1, x2 = 3; dIoU = (U dI - I dU) / U².
    assert box.grad[0, 0].item() == pytest.approx((6 * -2 - 2 * 0) / 36)
    assert box.grad[0, 2].item() == pytest.approx((6 * 0 - 2 * 2) / 36)


def test_it_compiles_into_one_graph_with_its_gradient(at_the_door):
    boxes1, boxes2 = make_boxes(5, 0).requires_grad_(), make_boxes(4, 1)
    compiled = torch.compile(box_iou, fullgraph=True, backend="aot_eager")
    overlap = compiled(boxes1, boxes2)
    assert overlap.equal(box_iou(boxes1, boxes2))
    (ours,) = torch.autograd.grad(overlap.sum(), boxes1)
    (theirs,) = torch.autograd.grad(box_iou(boxes1, boxes2).sum(), boxes1)
    torch.testing.assert_close(ours, theirs)


def test_torchvision_gives_the_same_bits(peer):
    boxes1, boxes2 = make_boxes(200, 0), make_boxes(300, 1)
    assert box_iou(boxes1, boxes2).equal(peer.box_iou(boxes1, boxes2))
    assert box_area(boxes1).equal(peer.box_area(boxes1))


@pytest.mark.parametrize(
    ("boxes2", "message"),
    [
        (torch.zeros(3, 5), r"boxes2 has shape \(3, 5\); expected \(N, 4\)"),
        (torch.zeros(4), r"boxes2 has shape \(4,\)"),
        (torch.zeros(3, 4, dtype=torch.int64), "boxes2 has dtype torch.int64"),
        (torch.zeros(3, 4, dtype=torch.float64), "expected torch.float32 as boxes1"),
        (torch.zeros(3, 4, device="meta"), "boxes2 is on meta"),
        ([[0.0, 0.0, 1.0, 1.0]], "boxes2 is list"),
        (torch.zeros(1, 4).expand(2**30, 4), "expected fewer than 2"),
    ],
)
def test_what_does_not_fit_is_refused(at_the_door, boxes2, message):
    with pytest.raises(ValueError, match=message):
        box_iou(make_boxes(2, 0), boxes2)
    if "fewer" not in message and "boxes1" not in message and "meta" not in message:
        with pytest.raises(ValueError, match=message.replace("boxes2", "boxes")):
            box_area(boxes2)


def test_a_nan_or_an_inverted_box_is_refused():
    boxes = make_boxes(3, 0)
    for bad in ([1.0, 1.0, 0.0, 2.0], [0.0, float("nan"), 1.0, 1.0]):
        with pytest.raises(ValueError, match="boxes2"):
            box_iou(boxes, torch.tensor([bad]))
