"""Mask R-CNN: a mask for every detection, from the channel of its class."""

from __future__ import annotations

import pytest
import torch

from mdcv.boxes import mask_iou
from mdcv.detection import MaskHead, MaskRCNN, RegionRules
from mdcv.seeds import generator

MASK = torch.zeros(1, 32, 32, dtype=torch.bool)
MASK[0, 4:12, 4:20] = True
MASK[0, 12:20, 4:10] = True  # an L, so that its box is not its mask
TARGET = {"boxes": torch.tensor([[4.0, 4, 20, 20]]), "labels": torch.tensor([1]), "masks": MASK}
NOTHING = {
    "boxes": torch.zeros(0, 4),
    "labels": torch.zeros(0, dtype=torch.int64),
    "masks": torch.zeros(0, 32, 32, dtype=torch.bool),
}


def tiny() -> MaskRCNN:
    torch.manual_seed(0)
    small = {"channels": (8, 16), "hidden": 32, "bins": 3, "anchor_scales": (8.0, 16.0)}
    return MaskRCNN(2, mask_bins=8, mask_width=16, **small)


def test_it_can_learn_one_mask_by_heart(device):
    detector = tiny().to(device)
    image = torch.rand(1, 3, 32, 32, generator=generator(1)).to(device)
    target = {name: value.to(device) for name, value in TARGET.items()}
    optimizer = torch.optim.Adam(detector.parameters(), lr=3e-3)
    for _ in range(100):
        optimizer.zero_grad()
        sum(detector.losses(image, [target]).values()).backward()
        optimizer.step()
    found = detector(image)[0]
    assert found["masks"].shape[1:] == (32, 32) and found["masks"].dtype == torch.bool
    assert found["labels"][0] == 1
    assert mask_iou(found["masks"][:1], target["masks"]).item() > 0.7


def test_only_the_channel_of_the_true_class_is_trained():
    detector = tiny()
    losses = detector.losses(torch.rand(1, 3, 32, 32), [TARGET])
    losses["mask"].backward()
    trained = detector.mask_head.layers[-1].weight.grad.flatten(1).ne(0).any(dim=1)
    assert trained.tolist() == [False, True]


def test_the_mask_of_a_detection_is_its_own_class_s():
    detector = tiny()
    with torch.no_grad():
        detector.mask_head.layers[-1].weight.zero_()
        detector.mask_head.layers[-1].bias.copy_(torch.tensor([-9.0, 9.0]))
    detector.regions = RegionRules(most=1000)
    found = detector(torch.rand(1, 3, 32, 32))[0]
    filled = found["masks"].flatten(1).any(dim=1)
    assert set(found["labels"].tolist()) == {0, 1} and filled.equal(found["labels"] == 1)


def test_images_without_objects_train_and_detect():
    detector = tiny()
    losses = detector.losses(torch.rand(2, 3, 32, 32), [NOTHING, NOTHING])
    sum(losses.values()).backward()
    assert losses["mask"] == 0
    losses = detector.losses(torch.rand(2, 3, 32, 32), [NOTHING, TARGET])
    assert losses["mask"] > 0


def test_masks_are_as_large_as_their_images():
    found = tiny()([torch.rand(3, 24, 40), torch.rand(3, 40, 24)])
    assert [tuple(f["masks"].shape[1:]) for f in found] == [(24, 40), (40, 24)]
    assert all(len(f["masks"]) == len(f["boxes"]) for f in found)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_run_through_all_stages(dtype):
    detector, image = tiny().to(dtype), torch.rand(1, 3, 32, 32).to(dtype)
    losses = detector.losses(image, [TARGET])
    sum(losses.values()).backward()
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    assert {loss.dtype for loss in losses.values()} == {wide}
    found = detector(image)[0]
    assert found["boxes"].dtype == found["scores"].dtype == wide and len(found["masks"]) > 0


def test_targets_need_masks(at_the_door):
    without = {name: TARGET[name] for name in ("boxes", "labels")}
    with pytest.raises(ValueError, match="'boxes', 'labels', 'masks'"):
        tiny().losses(torch.rand(1, 3, 32, 32), [without])


def test_the_head_doubles_the_grid():
    assert MaskHead(8, num_classes=3, width=16)(torch.rand(2, 8, 7, 7)).shape == (2, 3, 14, 14)
    with pytest.raises(ValueError, match="mask_bins is 0"):
        MaskRCNN(2, mask_bins=0)
