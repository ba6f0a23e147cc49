import numpy as np
import pytest
import torch

from mdcv.boxes import box_iou, mask_iou
from mdcv.seeds import generator


def test_pixels_that_can_be_counted(device):
    left = torch.zeros(1, 2, 4, dtype=torch.bool)
    left[..., :2] = True
    middle, all_of_it = left.roll(1, dims=2), torch.ones_like(left)
    nothing = torch.zeros_like(left)
    masks = torch.cat([left, middle, all_of_it, nothing]).to(device)
    expected = [[1, 1 / 3, 0.5, 0], [1 / 3, 1, 0.5, 0], [0.5, 0.5, 1, 0], [0, 0, 0, 0]]
    found = mask_iou(masks, masks)
    assert found.dtype == torch.float64 and found.device.type == device
    assert found.tolist() == expected


def test_masks_of_whole_boxes_overlap_as_the_boxes_do():
    corner = torch.randint(8, (12, 2), generator=generator(0))
    boxes = torch.cat([corner, corner + 1 + torch.randint(8, (12, 2), generator=generator(1))], 1)
    y, x = torch.meshgrid(torch.arange(17), torch.arange(18), indexing="ij")
    x1, y1, x2, y2 = boxes[:, :, None, None].unbind(1)
    masks = (x >= x1) & (x < x2) & (y >= y1) & (y < y2)
    torch.testing.assert_close(
        mask_iou(masks, masks[:5]), box_iou(boxes.double(), boxes[:5].double())
    )


def test_pycocotools_counts_alike():
    encoded = pytest.importorskip("pycocotools.mask")
    masks = torch.rand(9, 23, 31, generator=generator(2)) < torch.linspace(0, 1, 9)[:, None, None]
    runs = encoded.encode(np.asfortranarray(masks.permute(1, 2, 0).numpy().astype(np.uint8)))
    theirs = encoded.iou(runs, runs[:4], [0] * 4)
    assert mask_iou(masks, masks[:4]).equal(torch.from_numpy(theirs))


def test_no_masks_and_no_pixels(device):
    masks = torch.ones(3, 5, 6, dtype=torch.bool, device=device)
    assert mask_iou(masks, masks[:0]).shape == (3, 0)
    assert mask_iou(masks[:0], masks).shape == (0, 3)
    assert mask_iou(masks[:, :0], masks[:, :0]).tolist() == [[0] * 3] * 3


@pytest.mark.parametrize(
    ("masks2", "message"),
    [
        (torch.ones(2, 5, 7, dtype=torch.bool), r"masks2 is \(2, 5, 7\) .* images of \(5, 6\)"),
        (torch.ones(2, 5, 6), r"masks2 is torch.float32 \(2, 5, 6\); expected \(N, H, W\) of"),
        (torch.ones(5, 6, dtype=torch.bool), r"masks2 is torch.bool \(5, 6\)"),
        (torch.ones(2, 5, 6, dtype=torch.bool, device="meta"), "on meta"),
        ([[True]], "masks2 is list"),
    ],
)
def test_what_does_not_fit_is_refused(at_the_door, masks2, message):
    with pytest.raises(ValueError, match=message):
        mask_iou(torch.ones(3, 5, 6, dtype=torch.bool), masks2)
