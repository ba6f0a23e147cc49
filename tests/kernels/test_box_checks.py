import pytest
import torch

from mdcv.kernels.box_checks import at_fault, check_boxes, check_indexable

GOOD = [0.0, 0.0, 2.0, 1.0]
BAD = {
    "expected x1 <= x2": [1.0, 0.0, 0.5, 1.0],
    "and y1 <= y2": [0.0, 1.0, 1.0, 0.5],
    "NaN": [0.0, 0.0, float("nan"), 1.0],
    "infinity": [0.0, 0.0, float("inf"), 1.0],
    "or infinity": [float("-inf"), 0.0, float("-inf"), 1.0],
    "side of 1e[+]20": [0.0, 0.0, 1e20, 1.0],
}


@pytest.mark.parametrize("message", BAD)
def test_a_bad_box_is_refused_and_found_among_good_ones(message):
    boxes = torch.tensor([GOOD, BAD[message], GOOD])
    with pytest.raises(ValueError, match=message):
        check_boxes("boxes", boxes)
    assert at_fault(boxes).tolist() == [False, True, False]


def test_a_box_without_area_is_a_box():
    boxes = torch.tensor([GOOD, [1.0, 1.0, 1.0, 1.0], [-3.0, 2.0, -3.0, 5.0]])
    check_boxes("boxes", boxes)
    check_boxes("boxes", boxes[:0])
    assert not at_fault(boxes).any()


def test_the_message_shows_the_first_inverted_box():
    with pytest.raises(ValueError, match=r"anchors\[1\] is \(3.0, 0.0, 2.0, 1.0\)"):
        check_boxes("anchors", torch.tensor([GOOD, [3.0, 0.0, 2.0, 1.0], [9.0, 0.0, 2.0, 1.0]]))


def test_a_side_that_float32_cannot_square_is_nothing_to_float64():
    check_boxes("boxes", torch.tensor([[0.0, 0.0, 1e20, 1.0]], dtype=torch.float64))


def test_sizes_are_refused_from_2_to_the_31_on():
    check_indexable("table", 2**31 - 1)
    check_indexable("table", 2**40, 0)
    with pytest.raises(ValueError, match=r"table has 2147483648 elements \(65536 × 32768\)"):
        check_indexable("table", 2**16, 2**15)
