"""Point sets on the left, what the distances say about them on the right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor

from mdcv.plot.charts import draw_bars
from mdcv.plot.clouds import VIEW, draw_cloud, frame_clouds
from mdcv.plot.style import GRAY, PALETTE, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def comparison_figure(
    clouds: Mapping[str, Tensor],
    values: Mapping[str, float],
    *,
    title: str = "",
    reference: float | None = None,
    reference_label: str = "",
    point_size: float | None = None,
    view: tuple[float, float] = VIEW,
) -> Figure:
    """A panel per cloud, all at one scale, then bars with one number per distance.

    Args:
        clouds: titles and point sets (N, 3).
        values: a number per name.
        title: of the bars.
        reference: where a dashed line crosses the bars, and `reference_label` what it means.
        point_size: in points squared; by default smaller for larger clouds.
        view: degrees above the floor and around the vertical.

    Raises:
        ValueError: no cloud, or no value.

    >>> cloud = torch.rand(50, 3)
    >>> figure = comparison_figure({"a": cloud, "b": cloud}, {"Chamfer": 0.0})
    >>> len(figure.axes)
    3
    """
    if not clouds:
        raise ValueError("clouds is empty; expected at least one title with its points")
    with house_style():
        figure = new_figure(2.9 * len(clouds) + 4.6, 3.5)
        grid = figure.add_gridspec(3, len(clouds) + 1, width_ratios=[2.9] * len(clouds) + [4.4])
        for place, (name, cloud) in enumerate(clouds.items()):
            axes = figure.add_subplot(grid[:, place], projection="3d")
            draw_cloud(axes, cloud, color=PALETTE[place % len(PALETTE)], point_size=point_size)
            frame_clouds(axes, list(clouds.values()), view=view)
            axes.set_title(name, y=1.0)
        bars = figure.add_subplot(grid[:, -1])
        draw_bars(bars, values, reference=reference)
        bars.set_box_aspect(0.52)
        bars.set_title(title, loc="left", pad=24 if reference_label else None)
        if reference is not None and reference_label:
            bars.annotate(
                reference_label,
                (reference, 1),
                (0, 3),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="center",
                color=GRAY,
                fontsize=9,
            )
    return figure
