import pytest
import torch

from mdcv.detection.regions import to_bins, to_regions


def test_a_list_becomes_rows_that_begin_with_the_number_of_the_image(device):
    boxes = [torch.rand(2, 4, device=device), torch.rand(0, 4, device=device)]
    boxes.append(torch.rand(1, 4, device=device))
    regions = to_regions(torch.zeros(3, 1, 2, 2, device=device), boxes)
    assert regions[:, 0].tolist() == [0, 0, 2]
    assert regions[:, 1:].equal(torch.cat(boxes))


def test_half_precision_does_not_confuse_images():
    boxes = [torch.ones(1, 4, dtype=torch.bfloat16)] * 300
    regions = to_regions(torch.zeros(300, 1, 1, 1, dtype=torch.bfloat16), boxes)
    assert regions[:, 0].tolist() == list(range(300))
    assert regions.dtype == torch.float32


def test_no_images_have_no_regions():
    assert to_regions(torch.zeros(0, 1, 2, 2), []).shape == (0, 5)


@pytest.mark.parametrize("size", [(2, 3), [2, 3], torch.Size([2, 3])])
def test_a_size_is_a_height_and_a_width(size):
    assert to_bins(size) == (2, 3)
