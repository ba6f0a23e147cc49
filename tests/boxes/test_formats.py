import itertools

import pytest
import torch

from mdcv.boxes import box_area, clip_boxes, convert_boxes
from mdcv.seeds import generator

WRITTEN = {
    "xyxy": [1.0, 2.0, 5.0, 4.0],
    "xywh": [1.0, 2.0, 4.0, 2.0],
    "cxcywh": [3.0, 3.0, 4.0, 2.0],
}
PAIRS = list(itertools.product(WRITTEN, WRITTEN))


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_one_box_in_three_formats(device, source, target):
    boxes = torch.tensor([WRITTEN[source]], device=device)
    found = convert_boxes(boxes, source, target)
    assert found.tolist() == [WRITTEN[target]] and found.device.type == device
    assert boxes.tolist() == [WRITTEN[source]] and found.data_ptr() != boxes.data_ptr()


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_going_and_coming_back_changes_nothing(source, target):
    boxes = torch.randn(50, 4, generator=generator(0), dtype=torch.float64)
    there = convert_boxes(boxes, source, target)
    torch.testing.assert_close(convert_boxes(there, target, source), boxes)


def test_inverted_empty_and_missing_numbers_stay_what_they_are():
    boxes = torch.tensor(
        [[5.0, 4.0, 1.0, 2.0], [1.0, 1.0, 1.0, 3.0], [0.0, float("nan"), 1.0, 1.0]]
    )
    found = convert_boxes(boxes, "xyxy", "xywh")
    assert found[:2].tolist() == [[5, 4, -4, -2], [1, 1, 0, 2]]
    assert found[2].isnan().tolist() == [False, True, False, True]
    assert convert_boxes(boxes[:0], "xyxy", "cxcywh").shape == (0, 4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    box = torch.tensor([[40000.0, 1.0, 60000.0, 2.0]], dtype=dtype)
    found = convert_boxes(box, "xyxy", "cxcywh")
    assert found.dtype == dtype
    assert found.equal(convert_boxes(box.float(), "xyxy", "cxcywh").to(dtype))


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_torchvision_writes_them_alike(peer, source, target):
    boxes = torch.randn(50, 4, generator=generator(0))
    torch.testing.assert_close(
        convert_boxes(boxes, source, target), peer.box_convert(boxes, source, target)
    )


def test_clipping_keeps_what_is_inside(device):
    boxes = torch.tensor(
        [
            [2.0, 3.0, 8.0, 9.0],
            [-4.0, -5.0, 3.0, 4.0],
            [15.0, 8.0, 99.0, 99.0],
            [-float("inf"), 0.0, float("inf"), 1.0],
        ],
        device=device,
    )
    expected = [[2, 3, 8, 9], [0, 0, 3, 4], [15, 8, 20, 10], [0, 0, 20, 1]]
    assert clip_boxes(boxes, (10, 20)).tolist() == expected
    assert clip_boxes(boxes[:0], (10, 20)).shape == (0, 4)
    assert boxes[1, 0] == -4


def test_a_box_outside_loses_its_area_and_a_nan_stays():
    boxes = torch.tensor([[30.0, 2.0, 40.0, 5.0], [-9.0, -9.0, -1.0, -1.0]])
    clipped = clip_boxes(boxes, (10, 20))
    assert clipped.tolist() == [[20, 2, 20, 5], [0, 0, 0, 0]]
    assert box_area(clipped).tolist() == [0, 0]
    assert clip_boxes(boxes * float("nan"), (10, 20)).isnan().all()


def test_clipping_again_changes_nothing():
    boxes = 40 * torch.randn(30, 4, generator=generator(1), dtype=torch.float64)
    once = clip_boxes(boxes, (10, 20))
    assert once.dtype == torch.float64 and not once.equal(boxes)
    assert clip_boxes(once, (10, 20)).equal(once)


def test_the_gradient_reaches_only_edges_inside():
    boxes = torch.tensor([[-4.0, 2.0, 3.0, 40.0]], requires_grad=True)
    clip_boxes(boxes, (10, 20)).sum().backward()
    assert boxes.grad.tolist() == [[0, 1, 1, 0]]


def test_torchvision_clips_alike(peer):
    boxes = 40 * torch.randn(50, 4, generator=generator(0))
    assert clip_boxes(boxes, (10, 20)).equal(peer.clip_boxes_to_image(boxes, (10, 20)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(3, 4), "xyxy", "xyhw"), "target is 'xyhw'; expected one of 'xyxy', 'xywh'"),
        ((torch.zeros(3, 4), "yxyx", "xywh"), "source is 'yxyx'"),
        ((torch.zeros(3, 5), "cxcywh", "xywh"), r"has shape \(3, 5\); .* as cx, cy, w, h"),
        ((torch.zeros(3, 4).long(), "xyxy", "xywh"), "has dtype torch.int64"),
        (([[0.0, 0.0, 1.0, 1.0]], "xyxy", "xywh"), "boxes is list"),
    ],
)
def test_what_cannot_be_converted_is_refused(at_the_door, arguments, message):
    with pytest.raises(ValueError, match=message):
        convert_boxes(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(4), (10, 20)), r"boxes has shape \(4,\)"),
        ((torch.zeros(3, 4), 10), r"size is 10; expected \(height, width\)"),
        ((torch.zeros(3, 4), (3, 10, 20)), "size is"),
        ((torch.zeros(3, 4), (0, 20)), "height is 0; expected an integer >= 1"),
        ((torch.zeros(3, 4), (10, 20.0)), "width is 20.0"),
    ],
)
def test_what_cannot_be_clipped_is_refused(at_the_door, arguments, message):
    with pytest.raises(ValueError, match=message):
        clip_boxes(*arguments)
