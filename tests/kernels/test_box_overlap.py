from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mdcv.kernels.box_overlap import box_overlap_reference, measure_overlap
from mdcv.seeds import generator

DTYPES = (torch.float32, torch.float64)


def make_boxes(n: int, seed: int, dtype=torch.float64) -> torch.Tensor:
    """Boxes around 0, every fifth one without area, every seventh a copy of the first."""
    corner = torch.randn(n, 2, generator=generator(seed), dtype=torch.float64)
    size = torch.rand(n, 2, generator=generator(seed + 1), dtype=torch.float64)
    size[::5, 0] = 0
    boxes = torch.cat([corner, corner + size], dim=1)
    boxes[::7] = boxes[:1].clone()
    return boxes.to(dtype)


def test_the_reference_on_boxes_that_can_be_counted():
    box = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    others = {
        (0, 0, 2, 2): 1,  # itself
        (2, 0, 4, 2): 0,  # touches at an edge
        (3, 3, 5, 5): 0,  # apart along both axes
        (0, 1, 2, 3): 1 / 3,
        (0, 0, 1, 1): 1 / 4,  # inside
        (1, 1, 1, 1): 0,  # without area, inside
    }
    boxes = torch.tensor([list(map(float, other)) for other in others])
    torch.testing.assert_close(
        box_overlap_reference(box, boxes), torch.tensor([list(map(float, others.values()))])
    )


def test_two_boxes_without_area_overlap_by_zero_even_in_one_place(device):
    point = torch.ones(1, 4, device=device)
    assert box_overlap_reference(point, point).item() == 0
    assert measure_overlap(point, point).item() == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (0, 3), (3, 0), (7, 130), (130, 7), (300, 301)])
def test_the_body_agrees_with_the_reference_to_the_last_bit(device, dtype, shape):
    boxes1, boxes2 = (make_boxes(n, i, dtype).to(device) for i, n in enumerate(shape))
    found = measure_overlap(boxes1, boxes2)
    assert found.dtype == dtype and found.shape == shape
    assert found.equal(box_overlap_reference(boxes1, boxes2))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_integer_boxes_agree_with_counting_in_fractions(data):
    side = st.tuples(st.integers(-4, 4), st.integers(0, 5))
    box = st.tuples(side, side).map(lambda xy: (*(s[0] for s in xy), *(sum(s) for s in xy)))
    sets = [data.draw(st.lists(box, min_size=1, max_size=4)) for _ in range(2)]
    tensors = [torch.tensor(boxes, dtype=torch.float64) for boxes in sets]
    found = measure_overlap(*tensors).tolist()
    for i, a in enumerate(sets[0]):
        for j, b in enumerate(sets[1]):
            width, height = (max(0, min(a[k + 2], b[k + 2]) - max(a[k], b[k])) for k in (0, 1))
            areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
            union = sum(areas) - width * height
            assert found[i][j] == (float(Fraction(width * height, union)) if union else 0.0)


def test_gaps_in_memory_do_not_matter_and_inputs_stay_as_they_are():
    boxes1, boxes2 = make_boxes(20, 0).t().contiguous().t()[::2], make_boxes(30, 1).flip(0)
    copies = boxes1.clone(), boxes2.clone()
    assert not boxes1.is_contiguous()
    assert measure_overlap(boxes1, boxes2).equal(box_overlap_reference(*copies))
    assert boxes1.equal(copies[0]) and boxes2.equal(copies[1])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_do_not_change_the_table(threads):
    boxes1, boxes2 = make_boxes(700, 0), make_boxes(600, 1)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = measure_overlap(boxes1, boxes2)
    finally:
        torch.set_num_threads(before)
    assert found.equal(box_overlap_reference(boxes1, boxes2))


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("bad", [[1.0, 0.0, 0.0, 1.0], [0.0, float("nan"), 1.0, 1.0]])
def test_a_bad_box_is_refused_or_on_a_gpu_nan_throughout(device, side, bad):
    sets = [make_boxes(4, 0).to(device), make_boxes(5, 1).to(device)]
    sets[side][2] = torch.tensor(bad)
    if device == "cpu":
        with pytest.raises(ValueError, match=f"boxes{side + 1}"):
            measure_overlap(*sets)
        return
    table = measure_overlap(*sets).transpose(0, side)
    assert table[2].isnan().all()
    assert not table[[0, 1, 3]].isnan().any()


def test_gradients_agree_with_finite_differences(device):
    boxes1, boxes2 = (
        torch.tensor(b, dtype=torch.float64, device=device, requires_grad=True)
        for b in (
            [[0.0, 0.0, 2.0, 2.0], [5.0, 5.0, 6.0, 7.0]],
            [[0.5, -1.0, 1.5, 1.0], [1.0, 1.0, 3.0, 4.0], [-1.0, -1.5, 9.0, 9.5]],
        )
    )
    assert torch.autograd.gradcheck(measure_overlap, (boxes1, boxes2))
    assert torch.autograd.gradgradcheck(measure_overlap, (boxes1, boxes2))


def test_gradients_are_those_of_plain_autograd_ties_and_all(device):
    """Coinciding edges, boxes apart, and boxes without area beside others that have one."""
    boxes1, boxes2 = make_boxes(30, 0).to(device), make_boxes(20, 0).to(device)
    boxes2 = torch.cat([boxes2, boxes1[1:2] * torch.tensor([1.0, 1, 1, 2], device=device)])
    boxes1 = boxes1[(boxes1[:, 0] < boxes1[:, 2])]
    boxes1.requires_grad_(), boxes2.requires_grad_()
    weight = torch.rand(len(boxes1), len(boxes2), generator=generator(9)).double().to(device)

    def gradients(overlap):
        return torch.autograd.grad((weight * overlap(boxes1, boxes2)).sum(), (boxes1, boxes2))

    ours, theirs = gradients(measure_overlap), gradients(box_overlap_reference)
    torch.testing.assert_close(ours, theirs)


def test_the_gradient_of_a_union_without_area_is_zero():
    point = torch.ones(1, 4, requires_grad=True)
    measure_overlap(point, point.detach()).sum().backward()
    assert point.grad.tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize("requires_grad", [False, True])
def test_the_door_is_a_good_citizen_of_torch(requires_grad):
    boxes1 = make_boxes(3, 0).requires_grad_(requires_grad)
    boxes2 = make_boxes(4, 1).requires_grad_(requires_grad)
    torch.library.opcheck(measure_overlap, (boxes1, boxes2))
