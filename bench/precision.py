"""Average precision, an extra without a goal."""

from __future__ import annotations

import numpy as np
import torch

from bench.agreement import relative_gap
from bench.case import ANYWHERE, Case, Entrant, Inputs, calling
from mdcv.seeds import generator

DETECTIONS, OBJECTS = 100_000, 40_000
LIMIT = 1e-5


def _ranking(device: torch.device) -> Inputs:
    """Detections that hit more often the surer they are."""
    scores = torch.rand(DETECTIONS, generator=generator(1))
    hits = torch.rand(DETECTIONS, generator=generator(2)) < 0.7 * scores
    return {"scores": scores.to(device), "hits": hits.to(device)}


def _voc_kit(scores, hits):
    """As the development kit of Pascal VOC computes it, in NumPy."""
    scores, hits = scores.numpy(), hits.numpy()

    def call():
        ranked = hits[np.argsort(-scores, kind="stable")]
        found = np.cumsum(ranked)
        recall = np.concatenate([[0.0], found / OBJECTS, [1.0]])
        precision = np.concatenate([[0.0], found / np.arange(1, len(ranked) + 1), [0.0]])
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        rises = np.flatnonzero(recall[1:] != recall[:-1])
        return ((recall[rises + 1] - recall[rises]) * envelope[rises + 1]).sum()

    return call


def _same(inputs: Inputs, ours: float, theirs: float) -> str | None:
    return None if relative_gap(ours, theirs) <= LIMIT else f"{theirs:.6g}, ours is {ours:.6g}"


CASES = (
    Case(
        name="average-precision-100000",
        operation="average_precision",
        title=f"average precision, {DETECTIONS:,} detections",
        inputs=_ranking,
        ours=Entrant(
            "mdcv",
            "mdcv.boxes",
            calling("mdcv.boxes", "average_precision", OBJECTS),
            float,
            ANYWHERE,
        ),
        peers=(Entrant("NumPy, as in the VOC kit", "numpy", _voc_kit, float),),
        compare=_same,
        tolerance="within 0.001 %",
    ),
)
