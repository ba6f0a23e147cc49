"""Networks on sets and detectors in one table, and what the papers say it should show."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from mdcv.results.clouds import (
    CLEAN,
    CLOUDS,
    OUTLIERS,
    ROTATED,
    THINNED,
    measure_clouds,
)
from mdcv.results.detectors import BOX, BOX_50, PER_IMAGE, SCENES, TRAINING, measure_detectors
from mdcv.results.expectation import Expectation
from mdcv.results.matches import F_SCORE, SHARES, data_name, measure_matches
from mdcv.results.measurement import Measurement
from mdcv.results.table import measure_all

POINTNET = "Qi, Su, Mo and Guibas 2017, figure 6"
POINTNET2 = "Qi, Yi, Su and Guibas 2017, table 2 and figure 4"
#: There for rotations about any axis.
TURNED = "Esteves and others 2018, arXiv:1711.06721, table 1"
FAST = "Girshick 2015, tables 1 and 4"
FASTER = "Ren, He, Girshick and Sun 2015, tables 3 and 5"
MASKED = "He, Gkioxari, Dollár and Girshick 2017, table 3"
CONTEXT = "Yi and others 2018, section 5"

#: What to expect, and from where.
SETS = (
    Expectation(CLOUDS, ("PointNet++", CLEAN), ">=", ("PointNet", CLEAN), POINTNET2),
    Expectation(CLOUDS, ("PointNet", THINNED), ">", ("PointNet++", THINNED), POINTNET2),
    Expectation(CLOUDS, ("PointNet", THINNED), ">", ("PointNet", OUTLIERS), POINTNET),
    Expectation(CLOUDS, ("PointNet", ROTATED), "<", ("PointNet", CLEAN), TURNED),
    Expectation(CLOUDS, ("PointNet++", ROTATED), ">", ("PointNet", ROTATED), TURNED),
    Expectation(SCENES, ("Fast R-CNN", BOX_50), ">=", ("R-CNN", BOX_50), FAST),
    Expectation(SCENES, ("Fast R-CNN", PER_IMAGE), "<", ("R-CNN", PER_IMAGE), FAST),
    Expectation(SCENES, ("Fast R-CNN", TRAINING), "<", ("R-CNN", TRAINING), FAST),
    Expectation(SCENES, ("Faster R-CNN", BOX_50), ">=", ("Fast R-CNN", BOX_50), FASTER),
    Expectation(SCENES, ("Faster R-CNN", PER_IMAGE), "<", ("Fast R-CNN", PER_IMAGE), FASTER),
    Expectation(SCENES, ("Mask R-CNN", BOX), ">=", ("Faster R-CNN", BOX), MASKED),
    *(
        Expectation(
            data_name(share), ("network on the set", F_SCORE), ">", ("RANSAC", F_SCORE), CONTEXT
        )
        for share in SHARES[1:]
    ),
)


def reproduce_sets(
    preset: str = "cpu",
    *,
    seeds: Sequence[int] = (0, 1, 2),
    device: torch.device | str = "cpu",
    progress: bool = True,
) -> list[Measurement]:
    """Every number of the table: clouds and their corruptions, the R-CNN family, outlier rejection.

    Each model is trained once a seed, from the data to the number; nothing is loaded.

    Args:
        preset: "smoke" for seconds, "cpu" for minutes, "gpu" for larger data and networks.
        seeds: one run of every model for each.
        device: where the networks train.
        progress: whether every training shows a line.

    Raises:
        ValueError: the preset is unknown, or there is no seed.

    >>> rows = reproduce_sets("smoke", seeds=[0], progress=False)
    >>> sorted({row.model for row in rows})[:4]
    ['Fast R-CNN', 'Faster R-CNN', 'Mask R-CNN', 'PointNet']
    """
    parts = (measure_clouds, measure_detectors, measure_matches)
    return measure_all(parts, preset, seeds=seeds, device=device, progress=progress)
