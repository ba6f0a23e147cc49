"""Pasting a small mask into the image: half a pixel makes the difference."""

from __future__ import annotations

import math

import pytest
import torch

from mdcv.boxes import mask_iou
from mdcv.detection import crop_masks, paste_masks


def table(*shape: int) -> torch.Tensor:
    return (torch.arange(math.prod(shape), dtype=torch.float32) * 7 % 23 / 11 - 1).reshape(shape)


def test_a_full_mask_fills_exactly_the_pixels_whose_centers_are_in_its_box(device):
    box = torch.tensor([[2.3, 1.0, 7.6, 5.0]], device=device)
    pasted = paste_masks(torch.ones(1, 5, 5, device=device), box, (8, 10))[0] >= 0.5
    expected = torch.zeros(8, 10, dtype=torch.bool, device=device)
    expected[1:5, 2:8] = True  # centers at 2.5 and 7.5
    assert pasted.equal(expected)


def test_a_ramp_stays_a_ramp(device):
    """Where a mask is its own horizontal place, an image pixel gets its place in the box."""
    ramp = ((torch.arange(6, device=device) + 0.5) / 6).expand(1, 6, 6)
    box = torch.tensor([[3.0, 2.0, 15.0, 14.0]], device=device)
    pasted = paste_masks(ramp, box, (16, 20))[0, 3:13, 4:14]
    expected = (torch.arange(4, 14, device=device) + 0.5 - 3) / 12
    torch.testing.assert_close(pasted, expected.expand(10, 10))


def slow_paste(mask: torch.Tensor, box: list[float], size: tuple[int, int]) -> torch.Tensor:
    """Pixel by pixel, from the four cells around the place."""
    rows, columns = mask.shape
    x1, y1, x2, y2 = box
    out = torch.zeros(size, dtype=mask.dtype)
    for i in range(size[0]):
        for j in range(size[1]):
            y = (i + 0.5 - y1) / (y2 - y1) * rows - 0.5
            x = (j + 0.5 - x1) / (x2 - x1) * columns - 0.5
            for r in (math.floor(y), math.floor(y) + 1):
                for c in (math.floor(x), math.floor(x) + 1):
                    if 0 <= r < rows and 0 <= c < columns:
                        out[i, j] += (1 - abs(y - r)) * (1 - abs(x - c)) * mask[r, c]
    return out


def test_a_loop_over_the_pixels_gives_the_same():
    """In the image, across its border, smaller than a pixel, larger than the image, outside."""
    boxes = [
        [1.3, 2.1, 7.9, 5.4],
        [-3.0, -1.5, 4.0, 3.0],
        [4.2, 3.3, 4.9, 4.1],
        [-9.0, -9.0, 30, 25],
    ]
    boxes.append([40.0, 2.0, 50.0, 6.0])
    masks = table(5, 4, 3).abs().double()
    pasted = paste_masks(masks, torch.tensor(boxes, dtype=torch.float64), (8, 11))
    for mask, box, found in zip(masks, boxes, pasted, strict=True):
        torch.testing.assert_close(found, slow_paste(mask, box, (8, 11)))


#: Torchvision rounds a box outward and makes it one pixel larger: with this one it gets our place.
THEIR_BOX, OUR_BOX = [2.834, 1.834, 10.167, 9.167], [3.0, 2.0, 11.0, 10.0]


def test_it_gives_the_values_of_torchvision_for_the_box_that_it_means():
    """Row 3 and column 6 as printed by paste_masks_in_image of torchvision 0.28."""
    pasted = paste_masks(table(1, 4, 4).abs(), torch.tensor([OUR_BOX]), (12, 14))[0]
    row = [
        0,
        0,
        0.2216,
        0.6648,
        0.7386,
        0.4432,
        0.3182,
        0.3636,
        0.5057,
        0.7443,
        0.6477,
        0.2159,
        0,
        0,
    ]
    column = [0, 0.0852, 0.2557, 0.3182, 0.2727, 0.3466, 0.5398, 0.6932, 0.8068, 0.6477, 0.2159, 0]
    torch.testing.assert_close(pasted[3], torch.tensor(row), rtol=0, atol=1e-4)
    torch.testing.assert_close(pasted[:, 6], torch.tensor(column), rtol=0, atol=1e-4)


def test_torchvision_agrees(peer):
    from torchvision.models.detection.roi_heads import paste_masks_in_image

    masks = table(1, 4, 4).abs()
    theirs = paste_masks_in_image(masks[:, None], torch.tensor([THEIR_BOX]), (12, 14))[:, 0]
    torch.testing.assert_close(paste_masks(masks, torch.tensor([OUR_BOX]), (12, 14)), theirs)


def test_a_mask_comes_back_from_its_box():
    y, x = torch.meshgrid(torch.arange(60) + 0.5, torch.arange(60) + 0.5, indexing="ij")
    disk = ((x - 28.2) ** 2 + (y - 31.7) ** 2 < 17**2)[None]
    box = torch.tensor([[11.0, 14.0, 46.0, 49.0]])
    small = crop_masks(disk, box, 14)
    back = paste_masks(small, box, (60, 60)) >= 0.5
    assert float(mask_iou(disk, back)) > 0.97
    # Half a pixel beside it, the border shows.
    beside = paste_masks(small, box + 0.5, (60, 60)) >= 0.5
    assert float(mask_iou(disk, beside)) < float(mask_iou(disk, back)) - 0.01


def test_a_cropped_mask_is_the_mean_over_its_cells():
    mask = torch.zeros(1, 8, 8, dtype=torch.bool)
    mask[0, :, :3] = True
    cropped = crop_masks(mask, torch.tensor([[0.0, 0.0, 8.0, 8.0]]), 2)
    assert cropped[0, 0].tolist() == [0.75, 0.0]


def test_no_masks_and_no_area_are_nothing():
    assert paste_masks(torch.zeros(0, 4, 4), torch.zeros(0, 4), (5, 6)).shape == (0, 5, 6)
    boxes = torch.tensor([[2.5, 1.0, 2.5, 4.0], [2.5, 2.5, 2.5, 2.5]])
    assert paste_masks(torch.ones(2, 4, 4), boxes, (5, 6)).eq(0).all()


def test_half_precision_is_computed_in_float32():
    boxes = torch.tensor([[1.25, 2.5, 7.75, 5.5]])
    half = paste_masks(table(1, 4, 4).abs().half(), boxes.half(), (8, 11))
    wide = paste_masks(table(1, 4, 4).abs().half().float(), boxes, (8, 11))
    assert half.dtype == torch.float16 and half.equal(wide.half())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"masks": torch.ones(2, 1, 4, 4)}, r"masks has shape \(2, 1, 4, 4\)"),
        ({"masks": torch.ones(3, 4, 4)}, r"expected \(N, M, M\) and \(N, 4\)"),
        ({"masks": torch.ones(2, 0, 4)}, "with a cell at least"),
        ({"boxes": torch.tensor([[0.0, 0, 4, 4], [5, 0, 4, 4]])}, "expected x1 <= x2"),
        ({"boxes": torch.full((2, 4), math.nan)}, "NaN or infinite"),
        ({"boxes": torch.zeros(2, 4).double()}, "boxes has dtype torch.float64"),
        ({"size": (0, 4)}, "the image's height is 0"),
        ({"size": (4, 4, 3)}, "size is"),
    ],
)
def test_bad_input_is_refused(at_the_door, change, message):
    good = {"masks": torch.ones(2, 4, 4), "boxes": torch.zeros(2, 4), "size": (8, 8)}
    with pytest.raises(ValueError, match=message):
        paste_masks(**(good | change))
