"""The region proposal network: its order, what it learns from, what it lets through."""

from __future__ import annotations

import math

import pytest
import torch

from mdcv.boxes import box_iou, encode_boxes, make_anchors
from mdcv.detection import ProposalRules, RPNHead
from mdcv.detection.proposal_network import proposal_losses, select_proposals
from mdcv.seeds import generator

RULES = ProposalRules()
ANCHORS = make_anchors((6, 8), 8, [16.0, 24.0], [1.0, 2.0])


def test_answers_stand_in_the_order_of_the_anchors():
    """A head that only looks at its own cell answers for that cell's anchors alone."""
    head = RPNHead(4, anchors=4)
    with torch.no_grad():
        head.shared.weight.zero_()
        head.shared.weight[torch.arange(4), torch.arange(4), 1, 1] = 1
        head.shared.bias.zero_()
        head.objectness.weight.copy_(torch.eye(4)[:, :, None, None])
        head.deltas.weight.copy_(torch.arange(16.0)[:, None, None, None].expand(16, 4, 1, 1))
    features = torch.rand(1, 4, 6, 8)
    logits, deltas = head(features)
    torch.testing.assert_close(logits[0].reshape(6, 8, 4), features[0].permute(1, 2, 0))
    sums = features[0].sum(dim=0).reshape(48, 1, 1)
    torch.testing.assert_close(deltas[0].reshape(48, 4, 4), sums * torch.arange(16.0).reshape(4, 4))
    assert logits.shape[1] == len(ANCHORS)


def perfect(objects: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What a network that knows the objects would say."""
    overlap, nearest = box_iou(ANCHORS, objects).max(dim=1)
    return 20 * (overlap > 0.5).float() - 10, encode_boxes(objects[nearest], ANCHORS)


def test_the_right_answer_costs_nothing_and_a_wrong_one_does():
    objects = torch.tensor([[5.0, 4, 21, 20], [28.0, 4, 46, 36]])
    logits, deltas = perfect(objects)
    rules = ProposalRules(high=0.51, low=0.49)
    right = proposal_losses(
        logits[None], deltas[None], ANCHORS, [objects], rules, generator=generator(0)
    )
    assert right.objectness < 0.01 and right.regression < 1e-6
    wrong = proposal_losses(
        -logits[None], deltas[None] + 1, ANCHORS, [objects], rules, generator=generator(0)
    )
    assert wrong.objectness > 5 and wrong.regression > 0.1


def test_an_image_without_objects_is_all_background():
    logits = torch.full((2, len(ANCHORS)), -20.0)
    deltas = torch.zeros(2, len(ANCHORS), 4, requires_grad=True)
    loss = proposal_losses(logits, deltas, ANCHORS, [torch.zeros(0, 4)] * 2, RULES)
    assert loss.objectness < 1e-6 and loss.regression == 0 and loss.regression.requires_grad


def test_every_image_is_sampled_for_itself():
    objects = torch.tensor([[5.0, 4, 21, 20]])
    logits, deltas = perfect(objects)
    both = torch.stack([logits, torch.full_like(logits, -10)]), torch.stack([deltas, deltas])
    loss = proposal_losses(*both, ANCHORS, [objects, torch.zeros(0, 4)], RULES)
    assert loss.objectness < 0.01
    loss = proposal_losses(*both, ANCHORS, [torch.zeros(0, 4), objects], RULES)
    assert loss.objectness > 0.05


def test_proposals_are_the_best_boxes_without_near_copies(device):
    objects = torch.tensor([[5.0, 4, 21, 20], [28.0, 4, 46, 36]])
    logits, deltas = (x.to(device) for x in perfect(objects))
    boxes = select_proposals(logits, deltas, ANCHORS.to(device), (48, 64), RULES)
    assert box_iou(boxes[:2], objects.to(device)).amax(dim=1).min() > 0.999
    overlap = box_iou(boxes, boxes).fill_diagonal_(0)
    assert overlap.max() <= RULES.iou_threshold
    assert not boxes.requires_grad


def test_top_k_counts_before_and_after_suppression():
    logits = torch.randn(len(ANCHORS), generator=generator(0))
    deltas = torch.zeros(len(ANCHORS), 4)
    few = select_proposals(logits, deltas, ANCHORS, (48, 64), ProposalRules(before=5, after=50))
    assert 1 <= len(few) <= 5
    best = ANCHORS[logits.argmax()].clamp(min=0)
    assert few[0].equal(best.minimum(torch.tensor([64.0, 48.0, 64.0, 48.0])))
    rules = ProposalRules(after=3, iou_threshold=1.0)
    assert len(select_proposals(logits, deltas, ANCHORS, (48, 64), rules)) == 3


def test_boxes_outside_or_too_small_are_thrown_away_to_the_last():
    logits = torch.zeros(len(ANCHORS))
    away = torch.zeros(len(ANCHORS), 4)
    away[:, 0] = 100.0
    assert select_proposals(logits, away, ANCHORS, (48, 64), RULES).shape == (0, 4)
    tiny = torch.zeros(len(ANCHORS), 4)
    tiny[:, 2:] = -5.0
    assert select_proposals(logits, tiny, ANCHORS, (48, 64), RULES).shape == (0, 4)


def test_wild_answers_stay_in_the_image_and_nan_is_refused():
    logits = torch.randn(len(ANCHORS), generator=generator(0))
    wild = torch.randn(len(ANCHORS), 4, generator=generator(1)) * torch.tensor([1.0, 1, 1e4, 1e4])
    boxes = select_proposals(logits, wild, ANCHORS, (48, 64), RULES)
    assert len(boxes) > 0 and boxes.isfinite().all() and boxes.min() >= 0
    assert boxes.amax(dim=0)[2:].le(torch.tensor([64.0, 48.0])).all()
    with pytest.raises(ValueError, match="NaN"):
        select_proposals(logits * math.nan, torch.zeros_like(wild), ANCHORS, (48, 64), RULES)


@pytest.mark.parametrize("change", [{"channels": 0}, {"anchors": 0}, {"anchors": 2.0}])
def test_bad_sizes_are_refused(at_the_door, change):
    with pytest.raises(ValueError, match="expected an integer >= 1"):
        RPNHead(**({"channels": 8, "anchors": 3} | change))
