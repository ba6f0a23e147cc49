"""The mask loss: one channel for each region, and every pixel of it."""

from __future__ import annotations

import math

import pytest
import torch

from mdcv.detection import mask_loss


def table(*shape: int) -> torch.Tensor:
    return (torch.arange(math.prod(shape), dtype=torch.float32) * 7 % 23 / 11 - 1).reshape(shape)


LOGITS, LABELS = table(3, 4, 5, 5), torch.tensor([1, 3, 2])
TARGETS = (table(3, 5, 5) > 0.2).float()


def test_it_is_the_mean_over_the_pixels_of_the_own_channel(device):
    total = 0.0
    for logits, label, target in zip(LOGITS, LABELS.tolist(), TARGETS, strict=True):
        p = torch.sigmoid(logits[label])
        total -= (target * p.log() + (1 - target) * (1 - p).log()).sum().item()
    loss = mask_loss(LOGITS.to(device), LABELS.to(device), TARGETS.to(device))
    assert loss.item() == pytest.approx(total / 75, rel=1e-5)


def test_the_other_classes_get_no_gradient():
    logits = LOGITS.clone().requires_grad_()
    mask_loss(logits, LABELS, TARGETS).backward()
    trained = logits.grad.ne(0).flatten(2)
    assert trained[torch.arange(3), LABELS].all() and int(trained.any(dim=2).sum()) == 3


def test_without_regions_it_is_zero_with_a_gradient():
    logits = torch.zeros(0, 4, 5, 5, requires_grad=True)
    loss = mask_loss(logits, torch.zeros(0, dtype=torch.int64), torch.zeros(0, 5, 5))
    loss.backward()
    assert loss == 0 and logits.grad.shape == logits.shape


def test_large_logits_do_not_overflow():
    logits = torch.tensor([[[[1e4, -1e4]]]])
    target = torch.tensor([[[0.0, 0.0]]])
    assert mask_loss(logits, torch.tensor([0]), target) == 5000


def test_torchvision_agrees(peer):
    from torchvision.models.detection import roi_heads

    boxes = torch.tensor([[0.0, 0, 8, 8], [1, 2, 9, 10], [3.5, 0, 11, 6]])
    masks = torch.zeros(3, 12, 12, dtype=torch.uint8)
    masks[0, 2:7, 1:8], masks[1, 3:, 4:], masks[2, :5, :9] = 1, 1, 1
    rows = torch.arange(3)
    targets = roi_heads.project_masks_on_boxes(masks, boxes, rows, 5)
    theirs = roi_heads.maskrcnn_loss(LOGITS, [boxes], [masks], [LABELS], [rows])
    torch.testing.assert_close(mask_loss(LOGITS, LABELS, targets), theirs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mask_logits": torch.zeros(2, 5, 5)}, r"mask_logits has shape \(2, 5, 5\)"),
        ({"targets": torch.zeros(2, 4, 5)}, r"targets has shape \(2, 4, 5\); expected \(2, 5, 5\)"),
        ({"targets": torch.full((2, 5, 5), 255.0)}, r"outside \[0, 1\]"),
        ({"targets": torch.full((2, 5, 5), math.nan)}, r"outside \[0, 1\]"),
        ({"labels": torch.tensor([0, 3])}, "labels holds 3; expected integers from 0 to 2"),
        ({"labels": torch.tensor([0])}, r"labels has shape \(1,\)"),
    ],
)
def test_bad_input_is_refused(at_the_door, change, message):
    good = {
        "mask_logits": torch.zeros(2, 3, 5, 5),
        "labels": torch.tensor([0, 2]),
        "targets": torch.zeros(2, 5, 5),
    }
    with pytest.raises(ValueError, match=message):
        mask_loss(**(good | change))
