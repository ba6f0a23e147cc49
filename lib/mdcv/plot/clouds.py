"""Point sets side by side, in panels that share one scale and one point of view."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mdcv.plot.style import PALETTE, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: From where a panel is seen: degrees above the floor and degrees around the vertical.
VIEW = (18.0, 35.0)


def show_clouds(
    clouds: Mapping[str, Tensor],
    *,
    colors: Mapping[str, object] | None = None,
    point_size: float | None = None,
    view: tuple[float, float] = VIEW,
    panel: float = 2.9,
    columns: int | None = None,
) -> Figure:
    """A panel per cloud under its title, all at the same scale, y up.

    Args:
        clouds: titles and point sets, (N, 3) or (N, 2).
        colors: for a title a color name, one number per point (dark to bright), or one RGB row in
            [0, 1] per point; without it each panel has the next color of the house.
        point_size: in points squared; by default smaller for larger clouds.
        view: degrees above the floor and around the vertical; for clouds in space.
        panel: width and height of a panel in inches.
        columns: panels in a row; by default all of them.

    Raises:
        ValueError: no cloud, a cloud that is not (N, 3) or (N, 2) with a point, different
            dimensions, or colors under a title that is not there.

    >>> figure = show_clouds({"a": torch.rand(50, 3), "b": torch.rand(80, 3)})
    >>> [axes.get_title() for axes in figure.axes]
    ['a', 'b']
    """
    points = _checked(clouds)
    colors = dict(colors or {})
    unknown = colors.keys() - points.keys()
    if unknown:
        raise ValueError(
            f"colors name {sorted(unknown)}; expected titles of clouds: {list(points)}"
        )
    columns = columns or len(points)
    rows = -(-len(points) // columns)
    with house_style():
        figure = new_figure(panel * columns, panel * 1.08 * rows)
        for index, (title, cloud) in enumerate(points.items()):
            projection = "3d" if cloud.shape[1] == 3 else None
            axes = figure.add_subplot(rows, columns, index + 1, projection=projection)
            color = colors.get(title, PALETTE[index % len(PALETTE)])
            draw_cloud(axes, cloud, color=color, point_size=point_size)
            axes.set_title(title, y=1.0 if projection else None)
            frame_clouds(axes, list(points.values()), view=view)
    return figure


def draw_cloud(
    axes: Axes,
    points: Tensor,
    *,
    color: object = PALETTE[0],
    point_size: float | None = None,
    label: str | None = None,
) -> None:
    """Puts the points of one cloud, (N, 3) or (N, 2), into axes that are there already."""
    count = len(points)
    size = point_size if point_size is not None else max(1.0, min(22.0, 9000 / max(count, 1)))
    if isinstance(color, Tensor):
        color = color.detach().cpu().numpy()
    by_number = getattr(color, "ndim", 0) == 1
    style = {"c": color, "cmap": "viridis"} if by_number else {"color": color}
    axes.scatter(
        *points.detach().cpu().double().numpy().T, s=size, linewidths=0, label=label, **style
    )


def frame_clouds(
    axes: Axes, clouds: list[Tensor], *, view: tuple[float, float] = VIEW, margin: float = 0.04
) -> None:
    """Fits axes around all the clouds, with one unit as long on each axis, and takes off the frame.

    Clouds in space are seen from `view`, with y up.
    """
    everything = torch.cat([cloud.detach().cpu().double() for cloud in clouds])
    low, high = everything.amin(dim=0), everything.amax(dim=0)
    slack = margin * float((high - low).max()) or 0.5
    low, high = (low - slack).tolist(), (high + slack).tolist()
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_axis_off()
    if everything.shape[1] == 2:
        axes.set_aspect("equal")
        return
    axes.set_zlim(low[2], high[2])
    # The view comes first: what box lengths mean depends on which axis is upright.
    axes.view_init(elev=view[0], azim=view[1], vertical_axis="y")
    sides = [b - a for a, b in zip(low, high, strict=True)]
    # matplotlib scales the diagonal to the panel; a tall or a wide box must shrink to stay inside.
    axes.set_box_aspect(sides, zoom=min(1.25, 0.82 * math.hypot(*sides) / max(sides)))


def _checked(clouds: Mapping[str, Tensor]) -> dict[str, Tensor]:
    if not clouds:
        raise ValueError("clouds is empty; expected at least one title with its points")
    for title, cloud in clouds.items():
        if cloud.ndim != 2 or cloud.shape[1] not in (2, 3) or len(cloud) == 0:
            raise ValueError(
                f"cloud {title!r} has shape {tuple(cloud.shape)}; expected (N, 3) or (N, 2)"
            )
    dimensions = {cloud.shape[1] for cloud in clouds.values()}
    if len(dimensions) > 1:
        raise ValueError(f"clouds have {sorted(dimensions)} coordinates; expected all the same")
    return dict(clouds)
