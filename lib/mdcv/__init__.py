"""Modeling Distributions in Computer Vision.

A course that runs: distances between distributions, generative models, networks on sets,
3-D shape models and detectors, each in its best form and each built step by step in a lecture.

Every room is imported by its own name, so that `import mdcv` stays light:

    from mdcv.points import chamfer_distance
    from mdcv.exercises import check
"""

from __future__ import annotations

__version__ = "0.1.0"
