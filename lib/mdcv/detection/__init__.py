"""Detectors, and the pooling that gives every region features of one size."""

from __future__ import annotations

from mdcv.detection.alignment import roi_align
from mdcv.detection.pooling import roi_pool

__all__ = ["roi_align", "roi_pool"]
