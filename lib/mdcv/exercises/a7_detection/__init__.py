"""The exercises of assignment 7: boxes, how to judge them, regions, anchors, and a loss."""

from __future__ import annotations

from mdcv.exercises.a7_detection.alignment import ROI_ALIGN
from mdcv.exercises.a7_detection.anchors import MAKE_ANCHORS
from mdcv.exercises.a7_detection.coding import ENCODE_BOXES
from mdcv.exercises.a7_detection.decoding import DECODE_BOXES
from mdcv.exercises.a7_detection.matching import MATCH_ANCHORS
from mdcv.exercises.a7_detection.overlap import BOX_IOU
from mdcv.exercises.a7_detection.pooling import ROI_POOL
from mdcv.exercises.a7_detection.precision import AVERAGE_PRECISION
from mdcv.exercises.a7_detection.proposal_loss import RPN_LOSS
from mdcv.exercises.a7_detection.suppression import NMS
from mdcv.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = (
    BOX_IOU,
    NMS,
    AVERAGE_PRECISION,
    ENCODE_BOXES,
    DECODE_BOXES,
    ROI_POOL,
    ROI_ALIGN,
    MAKE_ANCHORS,
    MATCH_ANCHORS,
    RPN_LOSS,
)
