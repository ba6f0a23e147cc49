"""Region proposals from color: an object of one piece, and an object of two."""

from __future__ import annotations

import math

import pytest
import torch

from mdcv.boxes import box_iou
from mdcv.data import shape_scenes
from mdcv.detection import region_proposals
from mdcv.seeds import generator


def test_an_object_in_two_colors_is_proposed_as_a_whole_and_in_parts():
    image = torch.full((3, 40, 60), 0.5)
    image[:, 10:22, 8:20] = torch.tensor([1.0, 0, 0])[:, None, None]
    image[:, 10:22, 20:34] = torch.tensor([0.8, 0, 0.1])[:, None, None]
    found = region_proposals(image, sigma=0, scales=[1]).tolist()
    for box in ([8, 10, 20, 22], [20, 10, 34, 22], [8, 10, 34, 22], [0, 0, 60, 40]):
        assert [float(x) for x in box] in found


def test_most_objects_of_scenes_are_found_by_few_boxes():
    scenes = shape_scenes(12, generator=generator(0), tiny=0)
    found, boxes = [], 0
    for scene in scenes:
        proposals = region_proposals(scene.image)
        boxes += len(proposals)
        found.append(box_iou(scene.boxes, proposals).amax(dim=1) >= 0.5)
    assert torch.cat(found).float().mean() > 0.8
    assert boxes / len(scenes) < 150


def test_boxes_are_unique_whole_and_inside():
    scene = shape_scenes(1, generator=generator(1))[0]
    boxes = region_proposals(scene.image, min_side=5)
    assert len(boxes.unique(dim=0)) == len(boxes)
    assert boxes.equal(boxes.round()) and boxes.min() >= 0 and boxes.max() <= 96
    assert (boxes[:, 2:] - boxes[:, :2]).min() >= 5


def test_the_same_picture_gives_the_same_boxes():
    scene = shape_scenes(1, generator=generator(2))[0]
    before = scene.image.clone()
    assert region_proposals(scene.image).equal(region_proposals(scene.image))
    assert scene.image.equal(before)


def test_a_picture_of_one_color_is_one_region():
    assert region_proposals(torch.ones(3, 9, 7)).tolist() == [[0, 0, 7, 9]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": torch.zeros(1, 9, 7)}, r"image has shape \(1, 9, 7\); expected \(3, H, W\)"),
        ({"image": torch.full((3, 9, 7), math.nan)}, "image holds NaN"),
        ({"image": torch.zeros(3, 9, 7, device="meta")}, "image is on meta"),
        ({"scales": []}, "scales is"),
        ({"scales": [-1]}, "scales is -1"),
        ({"sigma": -0.5}, "sigma is -0.5"),
        ({"min_pixels": 0}, "min_pixels is 0"),
        ({"min_side": 0.5}, "min_side is 0.5"),
    ],
)
def test_bad_input_is_refused(at_the_door, change, message):
    with pytest.raises(ValueError, match=message):
        region_proposals(**({"image": torch.zeros(3, 9, 7)} | change))
