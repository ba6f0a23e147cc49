"""What goes into a detector: stacked without moving a pixel, and refused where it lies."""

from __future__ import annotations

import math

import pytest
import torch

from mdcv.detection.images import check_proposals, check_targets, stack_images

CPU = torch.device("cpu")


def test_images_of_several_sizes_keep_their_places(device):
    images = [torch.rand(3, 5, 9, device=device), torch.rand(3, 8, 4, device=device)]
    batch, sizes = stack_images(images, images[0], 4)
    assert batch.shape == (2, 3, 8, 12) and sizes == [(5, 9), (8, 4)]
    assert batch[0, :, :5, :9].equal(images[0]) and batch[1, :, :8, :4].equal(images[1])
    assert batch[0, :, 5:].eq(0).all() and batch[1, :, :, 4:].eq(0).all()


def test_a_batch_and_a_list_are_the_same():
    images = torch.rand(2, 3, 8, 8)
    assert stack_images(images, images, 8)[0].equal(stack_images(list(images), images, 8)[0])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "images is list; expected"),
        (None, "images is NoneType"),
        ([torch.zeros(8, 8)], r"images\[0\] has shape \(8, 8\)"),
        ([torch.zeros(1, 8, 8)], r"images\[0\] has shape \(1, 8, 8\); expected \(3, H, W\)"),
        ([torch.zeros(3, 0, 8)], r"images\[0\] has shape \(3, 0, 8\)"),
        ([torch.zeros(3, 8, 8).byte()], "dtype torch.uint8"),
        ([torch.zeros(3, 8, 8), torch.zeros(3, 8, 8).double()], r"images\[1\] is torch.float64"),
        ([torch.full((3, 8, 8), math.nan)], r"images\[0\] holds NaN"),
    ],
)
def test_bad_images_are_refused(at_the_door, images, message):
    with pytest.raises(ValueError, match=message):
        stack_images(images, torch.zeros(1), 8)


def target(**change) -> dict:
    good = {
        "boxes": torch.tensor([[1.0, 1, 4, 5]]),
        "labels": torch.tensor([2]),
        "masks": torch.ones(1, 8, 9, dtype=torch.bool),
    }
    return good | change


def test_good_targets_pass_and_so_do_images_without_objects():
    empty = {
        "boxes": torch.zeros(0, 4),
        "labels": torch.zeros(0, dtype=torch.int64),
        "masks": torch.zeros(0, 8, 9, dtype=torch.bool),
    }
    check_targets([target(), empty], [(8, 9)] * 2, 3, CPU, masks=True)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (None, "targets has NoneType; expected a list of 1"),
        ([target(), target()], "targets has 2 entries; expected a list of 1"),
        ([{"boxes": torch.zeros(0, 4)}], r"targets\[0\] has 'boxes'; expected"),
        ([3], r"targets\[0\] has <class 'int'>"),
        ([target(boxes=torch.zeros(1, 5))], r"targets\[0\]\['boxes'\] has shape \(1, 5\)"),
        ([target(boxes=torch.full((1, 4), math.nan))], r"\['boxes'\] holds NaN"),
        ([target(boxes=torch.tensor([[1.0, 1, 1, 5]]))], "expected x1 < x2 and y1 < y2"),
        ([target(boxes=torch.tensor([[4.0, 1, 1, 5]]))], "expected x1 < x2 and y1 < y2"),
        (
            [target(labels=torch.tensor([3]))],
            r"\['labels'\] holds 3; expected integers from 0 to 2",
        ),
        ([target(labels=torch.tensor([-1]))], r"\['labels'\] holds -1"),
        ([target(labels=torch.tensor([1, 2]))], r"\['labels'\] has shape \(2,\)"),
        ([target(masks=torch.ones(1, 8, 9))], r"\['masks'\] is torch.float32"),
        ([target(masks=torch.ones(1, 9, 8, dtype=torch.bool))], r"expected \(1, 8, 9\)"),
        ([{k: v for k, v in target().items() if k != "masks"}], "'boxes', 'labels', 'masks'"),
    ],
)
def test_bad_targets_are_refused(at_the_door, targets, message):
    with pytest.raises(ValueError, match=message):
        check_targets(targets, [(8, 9)], 3, CPU, masks=True)


@pytest.mark.parametrize(
    ("proposals", "message"),
    [
        (torch.zeros(1, 4), "proposals is Tensor"),
        ([torch.zeros(2, 4)] * 2, "expected 1 tensors"),
        ([torch.zeros(2, 5)], r"proposals\[0\] has shape \(2, 5\)"),
        ([torch.full((2, 4), math.inf)], r"proposals\[0\] holds NaN or infinity"),
    ],
)
def test_bad_proposals_are_refused(at_the_door, proposals, message):
    with pytest.raises(ValueError, match=message):
        check_proposals(proposals, [(8, 9)], CPU)
