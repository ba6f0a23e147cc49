import pytest
import torch

from mdcv.kernels.roi_checks import check_regions, regions_at_fault

GOOD = [1.0, 0.0, 0.0, 2.0, 1.0]
BAD = {
    "image 2.0; expected a whole number from 0 to 1": [2.0, 0.0, 0.0, 2.0, 1.0],
    "image -1.0": [-1.0, 0.0, 0.0, 2.0, 1.0],
    "image 0.5": [0.5, 0.0, 0.0, 2.0, 1.0],
    "image nan": [float("nan"), 0.0, 0.0, 2.0, 1.0],
    "expected x1 <= x2": [1.0, 3.0, 0.0, 2.0, 1.0],
    "NaN": [1.0, 0.0, 0.0, float("nan"), 1.0],
    "reach 4e[+]09 cells": [1.0, 0.0, 0.0, 8e9, 1.0],
}


@pytest.mark.parametrize("message", BAD)
def test_a_bad_region_is_refused_and_found_among_good_ones(message):
    rois = torch.tensor([GOOD, BAD[message], GOOD])
    with pytest.raises(ValueError, match=message):
        check_regions(rois, 2, 0.5)
    assert regions_at_fault(rois, 2, 0.5).tolist() == [False, True, False]


def test_no_regions_are_good_regions_even_without_images():
    rois = torch.tensor([GOOD])
    check_regions(rois[:0], 0, 1.0)
    with pytest.raises(ValueError, match="no boxes without images"):
        check_regions(rois, 0, 1.0)
