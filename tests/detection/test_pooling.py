import pytest
import torch

from mdcv.detection import roi_pool
from mdcv.seeds import generator


def make_case(dtype=torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """Maps of stride 4, and boxes in the image, across its border, and beyond it."""
    input = torch.randn(2, 6, 20, 30, generator=generator(0))
    numbers = torch.rand(40, 4, generator=generator(1))
    low = (numbers[:, :2] * torch.tensor([160.0, 110.0]) - 20).round()
    high = low + (numbers[:, 2:] ** 2 * 100).round()
    image = torch.randint(2, (40, 1), generator=generator(2))
    return input.to(dtype), torch.cat([image, low, high], dim=1).to(dtype)


def test_the_last_cell_of_a_region_counts(device):
    ramp = torch.arange(25.0, device=device).reshape(1, 1, 5, 5)
    boxes = torch.tensor([[0.0, 1.0, 1.0, 3.0, 4.0]], device=device)
    assert roi_pool(ramp, boxes, (2, 1)).flatten().tolist() == [13, 23]


def test_the_two_forms_of_boxes_say_the_same(device):
    input, boxes = (t.to(device) for t in make_case())
    order = boxes[:, 0].argsort(stable=True)
    as_list = [boxes[boxes[:, 0] == image, 1:] for image in (0, 1)]
    expected = roi_pool(input, boxes[order], 3, 0.25)
    assert roi_pool(input, as_list, 3, 0.25).equal(expected)


def test_the_gradient_goes_to_the_winner_alone(device):
    input = torch.arange(16.0, device=device).reshape(1, 1, 4, 4).requires_grad_()
    boxes = torch.tensor([[0.0, 0.0, 0.0, 3.0, 3.0]], device=device)
    roi_pool(input, boxes, 2).sum().backward()
    assert input.grad.nonzero()[:, 2:].tolist() == [[1, 1], [1, 3], [3, 1], [3, 3]]


def test_it_compiles_into_one_graph_with_its_gradient(at_the_door):
    input, boxes = make_case()
    input.requires_grad_()
    compiled = torch.compile(roi_pool, fullgraph=True, backend="aot_eager")
    maxima, expected = compiled(input, boxes, 3, 0.25), roi_pool(input, boxes, 3, 0.25)
    assert maxima.equal(expected)
    grads = [torch.autograd.grad(m.square().sum(), input)[0] for m in (maxima, expected)]
    assert grads[0].equal(grads[1])


@pytest.mark.parametrize("scale", [0.25, 0.125, 1.0])
def test_torchvision_gives_the_same_values_and_gradients(peer, scale):
    """Whole corners times a quarter or an eighth: halves to round everywhere."""
    input, boxes = make_case()
    found = []
    for operation in (roi_pool, peer.roi_pool):
        leaf = input.clone().requires_grad_()
        maxima = operation(leaf, boxes, (5, 4), scale)
        weight = torch.rand(maxima.shape, generator=generator(3))
        found.append((maxima.detach(), *torch.autograd.grad((weight * maxima).sum(), leaf)))
    assert found[0][0].equal(found[1][0])
    torch.testing.assert_close(*found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input": torch.zeros(6, 20, 30)}, r"input has shape \(6, 20, 30\)"),
        ({"boxes": torch.zeros(3, 4)}, r"boxes has shape \(3, 4\); expected \(K, 5\)"),
        ({"boxes": torch.tensor([[2.0, 0.0, 0.0, 1.0, 1.0]])}, "belongs to image 2.0"),
        ({"boxes": torch.tensor([[0.0, 2.0, 0.0, 1.0, 1.0]])}, "expected x1 <= x2"),
        ({"output_size": (0, 2)}, "output_size is 0"),
        ({"spatial_scale": -1.0}, "spatial_scale is -1.0"),
    ],
)
def test_bad_input_is_refused(at_the_door, change, message):
    good = {"input": torch.zeros(2, 6, 20, 30), "boxes": torch.zeros(3, 5), "output_size": 2}
    with pytest.raises(ValueError, match=message):
        roi_pool(**(good | change))
