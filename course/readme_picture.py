"""Draws the picture of the README with the project's own code: python course/readme_picture.py"""

from __future__ import annotations

from pathlib import Path

import torch

from mdcv.data import chair
from mdcv.plot import comparison_figure
from mdcv.points import chamfer_distance, earth_movers_distance, hausdorff_distance
from mdcv.seeds import generator

PICTURE = Path(__file__).parent / "pictures" / "point_sets.png"
POINTS = 1024
DISTANCES = {
    "Chamfer": chamfer_distance,
    "Hausdorff": hausdorff_distance,
    "Earth Mover's": earth_movers_distance,
}


def main() -> None:
    """Writes the picture: a chair, sampled evenly and unevenly, and who notices."""
    draws, solid = generator(0), chair()
    first, second = (solid.sample(POINTS, generator=draws) for _ in range(2))
    top_heavy = solid.sample_unevenly(
        POINTS, weight=lambda points: torch.exp(2.5 * points[:, 1]), generator=draws
    )
    times_farther = {
        name: float(distance(first[None], top_heavy[None]) / distance(first[None], second[None]))
        for name, distance in DISTANCES.items()
    }
    figure = comparison_figure(
        {"sampled evenly": first, "sampled unevenly": top_heavy},
        times_farther,
        title="Times farther apart than two even samples",
        reference=1.0,
        reference_label="no difference noticed",
    )
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=110)
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB, {times_farther}")


if __name__ == "__main__":
    main()
