"""Faster R-CNN: two stages on one feature map, and what may go wrong between them."""

from __future__ import annotations

import math

import pytest
import torch

from mdcv.boxes import box_iou
from mdcv.detection import FasterRCNN, ProposalRules
from mdcv.seeds import generator

TARGET = {"boxes": torch.tensor([[4.0, 4, 20, 20]]), "labels": torch.tensor([1])}
NOTHING = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}


def tiny(**options) -> FasterRCNN:
    torch.manual_seed(0)
    small = {"channels": (8, 16), "hidden": 32, "bins": 3, "anchor_scales": (8.0, 16.0)}
    return FasterRCNN(2, **(small | options))


def test_it_can_learn_one_image_by_heart(device):
    detector = tiny().to(device)
    image = torch.rand(1, 3, 32, 32, generator=generator(1)).to(device)
    target = {name: value.to(device) for name, value in TARGET.items()}
    optimizer = torch.optim.Adam(detector.parameters(), lr=3e-3)
    for _ in range(80):
        optimizer.zero_grad()
        sum(detector.losses(image, [target]).values()).backward()
        optimizer.step()
    found = detector(image)[0]
    assert found["labels"][0] == 1 and found["scores"][0] > 0.8
    assert box_iou(found["boxes"][:1], target["boxes"]).item() > 0.7


def test_both_stages_and_the_backbone_get_gradients():
    detector = tiny()
    losses = detector.losses(torch.rand(2, 3, 32, 32), [TARGET, NOTHING])
    assert set(losses) == {"objectness", "proposal box", "class", "box"}
    sum(losses.values()).backward()
    for name, parameter in detector.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
    assert detector.rpn.deltas.weight.grad.ne(0).any()


def test_the_second_stage_does_not_move_the_proposals():
    detector = tiny()
    losses = detector.losses(torch.rand(1, 3, 32, 32), [TARGET])
    (losses["class"] + losses["box"]).backward()
    assert detector.rpn.deltas.weight.grad is None


def test_a_batch_without_any_object_trains():
    losses = tiny().losses(torch.rand(2, 3, 32, 32), [NOTHING, NOTHING])
    sum(losses.values()).backward()
    assert losses["proposal box"] == 0 and losses["box"] == 0


def test_no_proposal_at_all_is_no_detection():
    detector = tiny(proposals=ProposalRules(min_side=1000.0))
    assert detector.propose(torch.rand(1, 3, 32, 32))[0].shape == (0, 4)
    found = detector(torch.rand(2, 3, 32, 32))
    assert [len(f["boxes"]) for f in found] == [0, 0]
    # In training the true boxes are there to learn from.
    losses = detector.losses(torch.rand(1, 3, 32, 32), [TARGET])
    assert losses["class"] > 0


def test_a_network_that_says_anything_still_gives_boxes_in_the_image():
    detector = tiny()
    with torch.no_grad():
        detector.rpn.deltas.bias.fill_(300.0)
        detector.rpn.deltas.bias[::4], detector.rpn.deltas.bias[1::4] = 0.0, 0.0
        detector.box_head.deltas.bias.fill_(1000.0)
        detector.box_head.deltas.bias[::4], detector.box_head.deltas.bias[1::4] = 0.0, 0.0
    losses = detector.losses(torch.rand(1, 3, 32, 40), [TARGET])
    assert all(loss.isfinite() for loss in losses.values())
    found = detector(torch.rand(1, 3, 32, 40))[0]
    assert len(found["boxes"]) > 0 and found["boxes"].isfinite().all()
    assert found["boxes"].amax(dim=0).le(torch.tensor([40.0, 32, 40, 32])).all()


def test_a_network_that_says_nan_is_stopped():
    detector = tiny()
    with torch.no_grad():
        detector.rpn.objectness.bias.fill_(math.nan)
    with pytest.raises(ValueError, match="NaN"):
        detector(torch.rand(1, 3, 32, 32))


def test_detections_stay_in_their_own_image_when_sizes_differ():
    images = [torch.rand(3, 24, 40), torch.rand(3, 40, 24)]
    found = tiny()(images)
    for image, one in zip(images, found, strict=True):
        height, width = image.shape[1:]
        assert one["boxes"].amax(dim=0).le(torch.tensor([width, height] * 2).float()).all()


def test_anchors_lie_over_the_cells_they_are_answered_for():
    detector = tiny(anchor_ratios=(1.0,))
    features = detector.backbone(torch.rand(1, 3, 32, 48))
    anchors = detector.anchors(features)
    assert len(anchors) == 8 * 12 * 2 == detector.rpn(features)[0].shape[1]
    centers = (anchors[:, :2] + anchors[:, 2:]) / 2
    assert centers[0].tolist() == [2, 2] and centers[-1].tolist() == [46, 30]


def test_proposals_may_come_from_outside():
    detector, image = tiny(), torch.rand(1, 3, 32, 32)
    proposals = detector.propose(image)
    torch.testing.assert_close(detector(image, proposals=proposals), detector(image))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"anchor_scales": ()}, "scales is"),
        ({"anchor_ratios": (0.0,)}, "ratios is"),
    ],
)
def test_bad_anchors_are_refused(at_the_door, change, message):
    with pytest.raises(ValueError, match=message):
        tiny(**change)
