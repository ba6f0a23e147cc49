"""The second stage: which regions it learns from, and which answers become detections."""

from __future__ import annotations

import torch

from mdcv.boxes import box_iou, decode_boxes, encode_boxes
from mdcv.detection import RegionRules
from mdcv.detection.box_head import sample_regions, select_detections
from mdcv.detection.region_coding import REGION_WEIGHTS
from mdcv.seeds import generator

OBJECTS = torch.tensor([[8.0, 8, 24, 24], [30.0, 10, 50, 40]])
TARGET = {"boxes": OBJECTS, "labels": torch.tensor([2, 0])}
NOTHING = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}


def test_a_region_learns_the_object_it_overlaps_by_half():
    near = OBJECTS + torch.tensor([2.0, 0, 2, 0])
    far = OBJECTS + torch.tensor([12.0, 0, 12, 0])
    sample = sample_regions([torch.cat([near, far])], [TARGET], RegionRules(positive_share=1.0))
    boxes = sample.boxes[0]
    overlap, nearest = box_iou(boxes, OBJECTS).max(dim=1)
    is_object = overlap >= 0.5
    assert is_object.sum() == 4 and (~is_object).sum() == 2
    assert sample.labels.equal(torch.where(is_object, TARGET["labels"][nearest] + 1, 0))
    assert sample.objects.equal(torch.where(is_object, nearest, -1))
    codes = sample.targets[is_object] / torch.tensor(REGION_WEIGHTS)
    torch.testing.assert_close(decode_boxes(codes, boxes[is_object]), OBJECTS[nearest[is_object]])
    assert sample.targets[~is_object].eq(0).all()


def test_true_boxes_are_learned_from_where_no_proposal_comes_near():
    sample = sample_regions([torch.zeros(0, 4)], [TARGET], RegionRules())
    assert sample.boxes[0].equal(OBJECTS) and sample.labels.tolist() == [3, 1]


def test_an_image_without_objects_gives_background_alone_or_nothing():
    some = torch.tensor([[0.0, 0, 9, 9], [5.0, 5, 20, 30]])
    sample = sample_regions([some, some[:0]], [NOTHING, NOTHING], RegionRules())
    assert sample.labels.tolist() == [0, 0] and len(sample.boxes[1]) == 0


def test_the_sample_has_a_size_a_share_and_a_seed():
    proposals = OBJECTS[:1] + torch.rand(300, 4, generator=generator(0))
    proposals = torch.cat([proposals, proposals + torch.tensor([40.0, 0, 40, 0])])
    rules = RegionRules(count=40, positive_share=0.25)
    first, again, other = (
        sample_regions([proposals], [TARGET], rules, generator=generator(seed))
        for seed in (1, 1, 2)
    )
    assert len(first.labels) == 40 and int((first.labels > 0).sum()) == 10
    assert first.boxes[0].equal(again.boxes[0]) and not first.boxes[0].equal(other.boxes[0])


PROPOSALS = torch.tensor([[8.0, 8, 24, 24], [9.0, 8, 25, 24], [40.0, 10, 60, 40]])


def answers(logits: list[list[float]]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(logits).float(), torch.zeros(len(logits), 4 * len(logits[0]))


def test_a_class_suppresses_its_own_copies_only():
    found = select_detections(
        *answers([[0, 5, 0], [0, 4, 0], [0, 0, 6]]), PROPOSALS, (48, 64), RegionRules(min_score=0.2)
    )
    assert found["labels"].tolist() == [1, 0]
    assert found["boxes"].equal(PROPOSALS[[2, 0]])
    both = select_detections(
        *answers([[0, 5, 0], [0, 0, 5], [9, 0, 0]]), PROPOSALS, (48, 64), RegionRules(min_score=0.2)
    )
    assert sorted(both["labels"].tolist()) == [0, 1]


def test_scores_are_probabilities_best_first_and_background_is_no_class():
    logits, deltas = answers([[9, 0, 0], [0, 1, 2], [0, 3, 0]])
    rules = RegionRules(min_score=0.0, iou_threshold=1.0)
    found = select_detections(logits, deltas, PROPOSALS, (48, 64), rules)
    expected = logits.softmax(dim=1)[:, 1:].flatten().sort(descending=True).values
    torch.testing.assert_close(found["scores"], expected)
    assert set(found["labels"].tolist()) == {0, 1}


def test_each_class_has_a_box_of_its_own_in_weighted_units():
    logits = torch.tensor([[0.0, 8, 0], [0.0, 0, 8], [8.0, 0, 0]])
    wanted = torch.tensor([[10.0, 6, 30, 28], [2.0, 3, 20, 40], [1.0, 1, 5, 5]])
    deltas = torch.zeros(3, 3, 4)
    codes = torch.tensor(REGION_WEIGHTS) * encode_boxes(wanted, PROPOSALS)
    deltas[0, 1], deltas[1, 2] = codes[0], codes[1]
    found = select_detections(logits, deltas.flatten(1), PROPOSALS, (48, 64), RegionRules())
    torch.testing.assert_close(found["boxes"], wanted[:2])


def test_boxes_are_clipped_and_what_is_left_of_none_is_dropped():
    outside = torch.tensor([[50.0, 30, 80, 90], [70.0, 8, 90, 20]])
    found = select_detections(*answers([[0, 9], [0, 9]]), outside, (48, 64), RegionRules())
    assert found["boxes"].tolist() == [[50, 30, 64, 48]]


def test_the_most_and_the_lowest_score_hold():
    logits, deltas = torch.tensor([[0.0, 2]] * 6), torch.zeros(6, 8)
    places = torch.arange(6)[:, None] * torch.tensor([10.0, 0, 10, 0])
    proposals = torch.tensor([0.0, 0, 8, 8]) + places
    assert (
        len(select_detections(logits, deltas, proposals, (48, 64), RegionRules(most=4))["boxes"])
        == 4
    )
    none = select_detections(logits, deltas, proposals, (48, 64), RegionRules(min_score=0.9))
    assert none["boxes"].shape == (0, 4) and none["labels"].dtype == torch.int64
