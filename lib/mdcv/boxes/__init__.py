"""Boxes x1, y1, x2, y2: their overlap, their code relative to anchors, and how to judge them."""

from __future__ import annotations

from mdcv.boxes.anchors import make_anchors
from mdcv.boxes.coding import decode_boxes, encode_boxes
from mdcv.boxes.mean_precision import mean_average_precision
from mdcv.boxes.overlap import box_area, box_iou
from mdcv.boxes.precision import average_precision
from mdcv.boxes.suppression import batched_nms, nms

__all__ = [
    "average_precision",
    "batched_nms",
    "box_area",
    "box_iou",
    "decode_boxes",
    "encode_boxes",
    "make_anchors",
    "mean_average_precision",
    "nms",
]
