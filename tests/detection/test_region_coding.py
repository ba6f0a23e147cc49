"""Decoding what a network says: finite and inside, whatever it is."""

from __future__ import annotations

import math

import torch

from mdcv.boxes import decode_boxes
from mdcv.detection import decode_clamped

ANCHORS = torch.tensor([[4.0, 4, 8, 8], [10.0, 2, 14, 10]])


def test_a_modest_code_is_decoded_as_it_is(device):
    deltas = torch.tensor([[0.1, -0.2, 0.3, -0.4], [0.0, 0.1, 0.2, 0.0]], device=device)
    anchors = ANCHORS.to(device)
    assert decode_clamped(deltas, anchors, (64, 64)).equal(decode_boxes(deltas, anchors))


def test_a_wild_code_gives_a_box_inside_the_image():
    deltas = torch.tensor([[0.0, 0.0, 500.0, 500.0], [1e6, -1e6, 100.0, -500.0]])
    boxes = decode_clamped(deltas, ANCHORS, (20, 30))
    assert boxes.isfinite().all() and boxes[0].tolist() == [0, 0, 30, 20]
    assert (boxes[:, :2] <= boxes[:, 2:]).all()


def test_the_largest_factor_is_from_sixteen_to_a_thousand():
    wide = torch.tensor([[0.0, 0.0, 99.0, 0.0]])
    box = decode_clamped(wide, torch.tensor([[992.0, 0.0, 1008.0, 16.0]]), (16, 4000))
    assert math.isclose(float(box[0, 2] - box[0, 0]), 1000, rel_tol=1e-5)
