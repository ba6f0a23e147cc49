"""Which point was matched with which: two clouds and their segments, turning in space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mdcv.plot.style import BLUE, GRAY, ORANGE

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def correspondence_figure(
    x: Tensor,
    y: Tensor,
    matches: Tensor | Mapping[str, Tensor],
    *,
    names: tuple[str, str] = ("x", "y"),
    title: str = "",
    frames: int = 36,
    point_size: float = 2.5,
    height: int = 460,
) -> Figure:
    """A plotly figure that needs neither kernel nor network: x, y and a segment per match.

    It turns by its own frames when "turn" is pressed, and can be dragged. With several named
    matches, buttons switch between them.

    Args:
        x, y: points (N, 3) and (M, 3).
        matches: for each point of x the index of its partner in y (N,), as from a bijection or a
            nearest-neighbor query; −1 leaves a point alone. Several under their names.
        names: what the legend calls x and y.
        frames: views in one full turn; 0 leaves the figure still.
        point_size: in pixels.
        height: of the figure, in pixels.

    Raises:
        ValueError: a cloud is not (N, 3), or a match does not name a point of y per point of x.

    >>> x = torch.rand(4, 3)
    >>> figure = correspondence_figure(x, x + 0.1, torch.arange(4))
    >>> [trace.name for trace in figure.data], len(figure.frames)
    (['x', 'y', 'matches'], 36)
    """
    import plotly.graph_objects as go

    named = dict(matches) if isinstance(matches, Mapping) else {"matches": matches}
    x, y = _checked("x", x), _checked("y", y)
    clouds = [
        go.Scatter3d(
            **_coordinates(cloud),
            mode="markers",
            name=name,
            marker={"size": point_size, "color": color},
            hovertemplate=f"{name} %{{pointNumber}}<extra></extra>",
        )
        for cloud, name, color in ((x, names[0], BLUE), (y, names[1], ORANGE))
    ]
    segments = [
        go.Scatter3d(
            **_coordinates(_segments(x, y, partner, name)),
            mode="lines",
            name=name,
            line={"color": GRAY, "width": 1.5},
            hoverinfo="skip",
            visible=index == 0,
        )
        for index, (name, partner) in enumerate(named.items())
    ]
    hidden = {"visible": False}
    scene = {
        "xaxis": hidden,
        "yaxis": hidden,
        "zaxis": hidden,
        "aspectmode": "data",
        "camera": {"up": {"x": 0, "y": 1, "z": 0}, "eye": _eye(0.0)},
    }
    figure = go.Figure([*clouds, *segments])
    figure.update_layout(
        scene=scene,
        title={"text": title},
        height=height,
        margin={"l": 0, "r": 0, "t": 40 if title else 10, "b": 0},
        legend={"x": 0.99, "xanchor": "right", "y": 0.99},
        template="plotly_white",
        updatemenus=_menus(list(named), frames),
    )
    figure.frames = [
        go.Frame(
            name=str(index),
            layout={"scene": {"camera": {"eye": _eye(2 * math.pi * index / frames)}}},
        )
        for index in range(frames)
    ]
    return figure


def _checked(name: str, cloud: Tensor) -> Tensor:
    if cloud.ndim != 2 or cloud.shape[1] != 3 or len(cloud) == 0:
        raise ValueError(f"{name} has shape {tuple(cloud.shape)}; expected (N, 3)")
    return cloud.detach().cpu().float()


def _segments(x: Tensor, y: Tensor, partner: Tensor, name: str) -> Tensor:
    """Start, end and a gap for each match, as one broken line."""
    partner = partner.detach().cpu()
    if partner.shape != x.shape[:1] or partner.dtype.is_floating_point:
        raise ValueError(
            f"{name} has shape {tuple(partner.shape)} and dtype {partner.dtype}; "
            f"expected an index per point of x, ({len(x)},)"
        )
    if int(partner.min()) < -1 or int(partner.max()) >= len(y):
        raise ValueError(
            f"{name} names points {int(partner.min())} to {int(partner.max())}; "
            f"expected 0 to {len(y) - 1}, or -1 for none"
        )
    matched = partner >= 0
    gap = torch.full((int(matched.sum()), 3), float("nan"))
    return torch.stack((x[matched], y[partner[matched]], gap), dim=1).flatten(0, 1)


def _coordinates(points: Tensor) -> dict[str, object]:
    return {axis: points[:, i].numpy() for i, axis in enumerate("xyz")}


def _eye(angle: float) -> dict[str, float]:
    """Where the camera stands on its way around the y axis, in plotly's units."""
    angle += math.radians(35)
    return {"x": round(2.1 * math.sin(angle), 3), "y": 0.7, "z": round(2.1 * math.cos(angle), 3)}


def _menus(names: list[str], frames: int) -> list[dict]:
    """Buttons: which matches to show, and turning on and off."""
    look = {"type": "buttons", "direction": "left", "showactive": False, "xanchor": "left"}
    menus = []
    if frames:
        motion = {"frame": {"duration": 80, "redraw": True}, "transition": {"duration": 0}}
        turn = {
            "label": "turn",
            "method": "animate",
            "args": [None, {**motion, "fromcurrent": True}],
        }
        rest = {**motion, "frame": {"duration": 0, "redraw": False}, "mode": "immediate"}
        stop = {"label": "stop", "method": "animate", "args": [[None], rest]}
        menus.append({**look, "buttons": [turn, stop], "x": 0.0, "y": 0.06})
    if len(names) > 1:
        choices = [
            {
                "label": name,
                "method": "restyle",
                "args": [
                    {"visible": [other == name for other in names]},
                    [2 + i for i in range(len(names))],
                ],
            }
            for name in names
        ]
        menus.append({**look, "showactive": True, "buttons": choices, "x": 0.0, "y": 0.98})
    return menus
