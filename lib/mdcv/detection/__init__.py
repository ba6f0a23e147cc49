"""Detectors from sliding window to masks, and the pooling that gives every region one size."""

from __future__ import annotations

from mdcv.boxes import mask_iou
from mdcv.detection.alignment import roi_align
from mdcv.detection.backbone import Backbone
from mdcv.detection.box_head import BoxHead, RegionRules
from mdcv.detection.fast_rcnn import FastRCNN
from mdcv.detection.faster_rcnn import FasterRCNN
from mdcv.detection.frustum import (
    amodal_box,
    box_corners,
    depth_points,
    foreground_points,
    frustum_points,
)
from mdcv.detection.grouping import region_proposals
from mdcv.detection.mask_learning import mask_loss
from mdcv.detection.mask_rcnn import MaskHead, MaskRCNN, crop_masks
from mdcv.detection.pasting import paste_masks
from mdcv.detection.pooling import roi_pool
from mdcv.detection.proposal_loss import rpn_loss
from mdcv.detection.proposal_network import ProposalRules, RPNHead
from mdcv.detection.rcnn import RCNN
from mdcv.detection.region_coding import decode_clamped
from mdcv.detection.region_loss import fast_rcnn_loss
from mdcv.detection.training import train_detector
from mdcv.detection.warping import warp_regions
from mdcv.detection.windows import sliding_window

__all__ = [
    "RCNN",
    "Backbone",
    "BoxHead",
    "FastRCNN",
    "FasterRCNN",
    "MaskHead",
    "MaskRCNN",
    "ProposalRules",
    "RPNHead",
    "RegionRules",
    "amodal_box",
    "box_corners",
    "crop_masks",
    "decode_clamped",
    "depth_points",
    "fast_rcnn_loss",
    "foreground_points",
    "frustum_points",
    "mask_iou",
    "mask_loss",
    "paste_masks",
    "region_proposals",
    "roi_align",
    "roi_pool",
    "rpn_loss",
    "sliding_window",
    "train_detector",
    "warp_regions",
]
