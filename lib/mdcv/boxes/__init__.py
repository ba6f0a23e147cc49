"""Boxes x1, y1, x2, y2: their overlap, their code relative to anchors, and how to judge them."""

from __future__ import annotations

from mdcv.boxes.anchors import make_anchors
from mdcv.boxes.coding import decode_boxes, encode_boxes
from mdcv.boxes.formats import clip_boxes, convert_boxes
from mdcv.boxes.masks import mask_iou
from mdcv.boxes.matching import match_anchors, sample_matches
from mdcv.boxes.mean_precision import COCO_THRESHOLDS, mean_average_precision
from mdcv.boxes.overlap import box_area, box_iou
from mdcv.boxes.precision import average_precision, precision_recall
from mdcv.boxes.suppression import batched_nms, nms

__all__ = [
    "COCO_THRESHOLDS",
    "average_precision",
    "batched_nms",
    "box_area",
    "box_iou",
    "clip_boxes",
    "convert_boxes",
    "decode_boxes",
    "encode_boxes",
    "make_anchors",
    "mask_iou",
    "match_anchors",
    "mean_average_precision",
    "nms",
    "precision_recall",
    "sample_matches",
]
