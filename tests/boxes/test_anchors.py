import pytest
import torch

from mdcv.boxes import make_anchors
from mdcv.boxes.overlap import box_area


def test_one_anchor_at_the_center_of_every_cell_row_by_row():
    anchors = make_anchors((2, 3), 10, [4.0], [1.0])
    centers = (anchors[:, :2] + anchors[:, 2:]) / 2
    assert centers.tolist() == [[5, 5], [15, 5], [25, 5], [5, 15], [15, 15], [25, 15]]
    assert (anchors[:, 2:] - anchors[:, :2]).unique().tolist() == [4]


def test_ratios_run_fastest_then_scales():
    anchors = make_anchors((1, 1), 1, [2.0, 8.0], [0.25, 1.0, 4.0])
    width, height = (anchors[:, 2:] - anchors[:, :2]).unbind(1)
    torch.testing.assert_close(width, torch.tensor([4.0, 2.0, 1.0, 16.0, 8.0, 4.0]))
    torch.testing.assert_close(height / width, torch.tensor([0.25, 1.0, 4.0] * 2))
    torch.testing.assert_close(box_area(anchors), torch.tensor([4.0] * 3 + [64.0] * 3))


def test_a_ratio_of_two_is_tall():
    x1, y1, x2, y2 = make_anchors((1, 1), 1, [3.0], [2.0])[0].tolist()
    assert y2 - y1 == pytest.approx(2 * (x2 - x1))


def test_the_dtype_and_the_device_are_as_asked(device):
    anchors = make_anchors((5, 7), 16, [32, 64], [1, 2, 3], dtype=torch.float64, device=device)
    assert anchors.shape == (5 * 7 * 2 * 3, 4)
    assert anchors.dtype == torch.float64 and anchors.device.type == device


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"feature_size": 4}, "feature_size is 4; expected"),
        ({"feature_size": (4, 5, 6)}, "feature_size is"),
        ({"feature_size": (0, 5)}, "height is 0; expected an integer >= 1"),
        ({"feature_size": (4, 5.0)}, "width is 5.0"),
        ({"stride": 0}, "stride is 0; expected positive"),
        ({"stride": float("inf")}, "stride is inf"),
        ({"scales": []}, r"scales is \[\]"),
        ({"scales": [1.0, -2.0]}, r"scales is \[1.0, -2.0\]"),
        ({"ratios": [float("nan")]}, r"ratios is \[nan\]"),
        ({"ratios": 1.0}, "ratios is 1.0"),
        ({"feature_size": (2**15, 2**15)}, "expected fewer than 2"),
    ],
)
def test_bad_input_is_refused(at_the_door, change, message):
    good = {"feature_size": (2, 3), "stride": 8, "scales": [16.0], "ratios": [1.0]}
    with pytest.raises(ValueError, match=message):
        make_anchors(**(good | change))
