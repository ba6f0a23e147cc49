import math

import pytest
import torch

from mdcv.boxes import decode_boxes, encode_boxes
from mdcv.seeds import generator


def make_boxes(n: int, seed: int) -> torch.Tensor:
    corner = torch.randn(n, 2, generator=generator(seed), dtype=torch.float64)
    size = 0.1 + torch.rand(n, 2, generator=generator(seed + 1), dtype=torch.float64)
    return torch.cat([corner, corner + size], dim=1)


def test_a_box_that_can_be_encoded_in_the_head(device):
    anchors = torch.tensor([[0.0, 0.0, 4.0, 2.0]], device=device)
    boxes = torch.tensor([[1.0, 1.0, 9.0, 2.0]], device=device)
    expected = torch.tensor([[3 / 4, 0.5 / 2, math.log(2), math.log(0.5)]], device=device)
    torch.testing.assert_close(encode_boxes(boxes, anchors), expected)
    torch.testing.assert_close(decode_boxes(expected, anchors), boxes)


def test_decoding_undoes_encoding_both_ways(device):
    boxes, anchors = make_boxes(40, 0).to(device), make_boxes(40, 1).to(device)
    torch.testing.assert_close(decode_boxes(encode_boxes(boxes, anchors), anchors), boxes)
    deltas = torch.randn(40, 4, generator=generator(2), dtype=torch.float64).to(device)
    torch.testing.assert_close(encode_boxes(decode_boxes(deltas, anchors), anchors), deltas)


def test_moving_and_scaling_the_scene_changes_nothing():
    boxes, anchors = make_boxes(9, 0), make_boxes(9, 1)
    torch.testing.assert_close(
        encode_boxes(2 * boxes + 7, 2 * anchors + 7), encode_boxes(boxes, anchors)
    )


def test_nothing_is_clamped(device):
    anchors = torch.tensor([[0.0, 0.0, 1.0, 1.0]], dtype=torch.float64, device=device)
    deltas = torch.tensor([[-50.0, 0.0, 6.0, 0.0]], dtype=torch.float64, device=device)
    (x1, _, x2, _) = decode_boxes(deltas, anchors)[0].tolist()
    assert x2 - x1 == pytest.approx(math.exp(6))
    assert (x1 + x2) / 2 == pytest.approx(-49.5)


def test_a_side_without_length_is_minus_infinity_and_what_is_no_box_is_nan():
    anchors = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    flat, inverted = torch.tensor([[0.0, 0.0, 0.0, 1.0]]), torch.tensor([[1.0, 0.0, 0.0, 1.0]])
    assert encode_boxes(flat, anchors)[0, 2] == -math.inf
    assert encode_boxes(inverted, anchors)[0, 2].isnan()
    # Two inverted boxes have a positive ratio of widths, which means nothing.
    assert encode_boxes(inverted, inverted)[0, [0, 2]].isnan().all()
    assert encode_boxes(anchors, flat)[0, [0, 2]].isnan().all()


def test_gradients_agree_with_finite_differences():
    boxes, anchors = make_boxes(3, 0).requires_grad_(), make_boxes(3, 1).requires_grad_()
    assert torch.autograd.gradcheck(encode_boxes, (boxes, anchors))
    assert torch.autograd.gradcheck(decode_boxes, (boxes, anchors))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    boxes, anchors = make_boxes(9, 0).to(dtype), make_boxes(9, 1).to(dtype)
    deltas = encode_boxes(boxes, anchors)
    assert deltas.dtype == decode_boxes(deltas, anchors).dtype == dtype
    expected = encode_boxes(boxes.float(), anchors.float()).to(dtype)
    torch.testing.assert_close(deltas, expected, rtol=0, atol=0)


def test_both_compile_into_one_graph(at_the_door):
    boxes, anchors = make_boxes(5, 0), make_boxes(5, 1)
    for operation in (encode_boxes, decode_boxes):
        compiled = torch.compile(operation, fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(boxes, anchors), operation(boxes, anchors))


def test_torchvision_encodes_and_decodes_alike():
    detection = pytest.importorskip("torchvision.models.detection._utils", exc_type=Exception)
    coder = detection.BoxCoder((1.0, 1.0, 1.0, 1.0), bbox_xform_clip=1e9)
    boxes, anchors = make_boxes(9, 0), make_boxes(9, 1)
    deltas = encode_boxes(boxes, anchors)
    torch.testing.assert_close(deltas, coder.encode_single(boxes, anchors))
    torch.testing.assert_close(decode_boxes(deltas, anchors), coder.decode_single(deltas, anchors))


@pytest.mark.parametrize("operation", [encode_boxes, decode_boxes])
@pytest.mark.parametrize(
    ("first", "anchors", "message"),
    [
        (torch.zeros(3, 4), torch.zeros(2, 4), r"has shape \(3, 4\); expected \(2, 4\)"),
        (torch.zeros(3, 5), torch.zeros(3, 4), r"has shape \(3, 5\)"),
        (torch.zeros(3, 4), torch.zeros(3, 5), r"anchors has shape \(3, 5\)"),
        (torch.zeros(3, 4), torch.zeros(3, 4).double(), "expected torch.float64 as anchors"),
        (torch.zeros(3, 4).long(), torch.zeros(3, 4), "has dtype torch.int64"),
    ],
)
def test_what_does_not_fit_is_refused(at_the_door, operation, first, anchors, message):
    with pytest.raises(ValueError, match=message):
        operation(first, anchors)
