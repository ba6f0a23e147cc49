import pytest
import torch

from mdcv.detection import roi_align
from mdcv.seeds import generator


def make_case(dtype=torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """Maps of stride 4, and boxes in the image, across its border, and beyond it."""
    input = torch.randn(2, 6, 20, 30, generator=generator(0))
    numbers = torch.rand(40, 4, generator=generator(1))
    low = numbers[:, :2] * torch.tensor([160.0, 110.0]) - 20
    high = low + numbers[:, 2:] ** 2 * 100
    image = torch.randint(2, (40, 1), generator=generator(2))
    return input.to(dtype), torch.cat([image, low, high], dim=1).to(dtype)


def test_a_ramp_is_read_without_the_half_pixel(device):
    ramp = torch.arange(9.0, device=device).expand(1, 1, 9, 9)
    boxes = torch.tensor([[0.0, 4.0, 4.0, 8.0, 8.0]], device=device)
    aligned = roi_align(ramp, boxes, (1, 2), sampling_ratio=2, aligned=True)
    assert aligned.flatten().tolist() == [4.5, 6.5]
    assert roi_align(ramp, boxes, (1, 2), sampling_ratio=2).flatten().tolist() == [5, 7]


def test_the_two_forms_of_boxes_say_the_same(device):
    input, boxes = (t.to(device) for t in make_case())
    order = boxes[:, 0].argsort(stable=True)
    as_list = [boxes[boxes[:, 0] == image, 1:] for image in (0, 1)]
    expected = roi_align(input, boxes[order], 3, 0.25)
    for some in (as_list, tuple(as_list)):
        assert roi_align(input, some, 3, 0.25).equal(expected)


def test_scaling_boxes_or_naming_the_scale_is_the_same():
    input, boxes = make_case(torch.float64)
    scaled = torch.cat([boxes[:, :1], boxes[:, 1:] / 4], dim=1)
    options = {"sampling_ratio": 2, "aligned": True}
    torch.testing.assert_close(
        roi_align(input, boxes, 3, 0.25, **options), roi_align(input, scaled, 3, **options)
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(device, dtype):
    input, boxes = (t.to(device) for t in make_case(dtype))
    means = roi_align(input, boxes, 3, 0.25, 2, True)
    wide = roi_align(input.float(), boxes.float(), 3, 0.25, 2, True)
    assert means.dtype == dtype
    torch.testing.assert_close(means, wide.to(dtype), rtol=0, atol=0)


def test_it_compiles_into_one_graph_with_its_gradient(at_the_door):
    input, boxes = make_case()
    input.requires_grad_()
    compiled = torch.compile(roi_align, fullgraph=True, backend="aot_eager")
    means = compiled(input, boxes, 3, 0.25, 2, True)
    expected = roi_align(input, boxes, 3, 0.25, 2, True)
    assert means.equal(expected)
    grads = [torch.autograd.grad(m.square().sum(), input)[0] for m in (means, expected)]
    assert grads[0].equal(grads[1])


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("ratio", [-1, 0, 1, 2, 3])
def test_torchvision_gives_the_same_values_and_gradients(peer, aligned, ratio):
    input, boxes = make_case()
    found = []
    for operation in (roi_align, peer.roi_align):
        leaf = input.clone().requires_grad_()
        means = operation(leaf, boxes, (5, 4), 0.25, ratio, aligned)
        weight = torch.rand(means.shape, generator=generator(3))
        found.append((means.detach(), *torch.autograd.grad((weight * means).sum(), leaf)))
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input": torch.zeros(6, 20, 30)}, r"input has shape \(6, 20, 30\)"),
        ({"input": torch.zeros(2, 6, 0, 30)}, "expected H and W from 1 up"),
        ({"input": torch.zeros(2, 6, 2, 2).long()}, "input has dtype torch.int64"),
        ({"input": torch.zeros(1, 1, 1, 1).expand(2**16, 2**16, 1, 1)}, "input has 4294967296"),
        ({"boxes": torch.zeros(3, 4)}, r"boxes has shape \(3, 4\); expected \(K, 5\)"),
        ({"boxes": torch.zeros(3, 5).double()}, "boxes has dtype torch.float64"),
        ({"boxes": torch.zeros(3, 5, device="meta")}, "boxes is on meta"),
        ({"boxes": [torch.zeros(3, 4)]}, "boxes has 1 entries; expected"),
        ({"boxes": [torch.zeros(3, 4), torch.zeros(3, 5)]}, r"boxes\[1\] has shape \(3, 5\)"),
        ({"boxes": [torch.zeros(3, 4), torch.zeros(3, 4).half()]}, r"boxes\[1\] has dtype"),
        ({"boxes": None}, "boxes has NoneType"),
        ({"boxes": torch.tensor([[2.0, 0.0, 0.0, 1.0, 1.0]])}, "belongs to image 2.0"),
        ({"boxes": torch.tensor([[0.5, 0.0, 0.0, 1.0, 1.0]])}, "belongs to image 0.5"),
        ({"boxes": torch.tensor([[0.0, 2.0, 0.0, 1.0, 1.0]])}, "expected x1 <= x2"),
        ({"boxes": torch.tensor([[0.0, float("nan"), 0.0, 1.0, 1.0]])}, "boxes holds NaN"),
        ({"output_size": 0}, "output_size is 0; expected an integer >= 1"),
        ({"output_size": (2, 3, 4)}, r"output_size is \(2, 3, 4\)"),
        ({"output_size": 2.0}, "output_size is 2.0"),
        ({"output_size": (2**20, 2**12)}, "the output has"),
        ({"spatial_scale": 0.0}, "spatial_scale is 0.0; expected a positive"),
        ({"spatial_scale": float("nan")}, "spatial_scale is nan"),
        ({"sampling_ratio": 1.5}, "sampling_ratio is 1.5; expected an integer"),
    ],
)
def test_bad_input_is_refused(at_the_door, change, message):
    good = {"input": torch.zeros(2, 6, 20, 30), "boxes": torch.zeros(3, 5), "output_size": 2}
    with pytest.raises(ValueError, match=message):
        roi_align(**(good | change))
