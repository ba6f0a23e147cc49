"""Numbers as bars and as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from mdcv.plot.style import GRAY, GREEN, PALETTE, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Values = Mapping[str, float] | Mapping[str, Mapping[str, float]]


def show_values(
    values: Values, *, xlabel: str = "", title: str = "", reference: float | None = None
) -> Figure:
    """Horizontal bars with their numbers written beside them.

    Args:
        values: a number per name, or per group a number per name; the same name has the same
            color in every group.
        reference: where to draw a dashed line, such as 1 for "no change".

    Raises:
        ValueError: no values.

    >>> figure = show_values({"Chamfer": 1.1, "Earth Mover's": 2.5}, reference=1.0)
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['1.1', '2.5']
    """
    with house_style():
        rows = sum(len(v) if isinstance(v, Mapping) else 1 for v in values.values())
        figure = new_figure(6.4, 0.9 + 0.42 * rows)
        axes = figure.add_subplot()
        draw_bars(axes, values, reference=reference)
        axes.set_xlabel(xlabel)
        axes.set_title(title)
    return figure


def draw_bars(axes: Axes, values: Values, *, reference: float | None = None) -> None:
    """Puts the bars of `show_values` into axes that are there already."""
    if not values:
        raise ValueError("values is empty; expected at least one number with its name")
    grouped = {
        group: inner if isinstance(inner, Mapping) else {group: inner}
        for group, inner in values.items()
    }
    plain = all(list(inner) == [group] for group, inner in grouped.items())
    names = list(dict.fromkeys(name for inner in grouped.values() for name in inner))
    place, ticks, seen = 0.0, [], set()
    for inner in grouped.values():
        start = place
        for name, value in inner.items():
            color = GREEN if plain else PALETTE[names.index(name) % len(PALETTE)]
            label = None if plain or name in seen else name
            axes.barh(place, float(value), height=0.78, color=color, label=label)
            axes.annotate(
                f"{float(value):.3g}",
                (max(float(value), 0.0), place),  # behind the bar, or behind zero
                (4, 0),
                textcoords="offset points",
                va="center",
                color=GRAY,
            )
            seen.add(name)
            place += 1
        ticks.append((start + place - 1) / 2)
        place += 0.5
    axes.set_yticks(ticks, list(grouped))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(False, axis="y")
    axes.invert_yaxis()
    axes.margins(x=0.12)
    if reference is not None:
        axes.axvline(reference, color=GRAY, linestyle="--", linewidth=1)
    if not plain:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(names), borderaxespad=0.2)


def show_lines(
    x: Tensor | Sequence[float],
    lines: Mapping[str, Tensor | Sequence[float]],
    *,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
    logx: bool = False,
    logy: bool = False,
) -> Figure:
    """One line per name over a common horizontal axis, with a marker at each value.

    Raises:
        ValueError: a line has not as many values as there are positions.

    >>> figure = show_lines([1, 2, 3], {"squares": [1, 4, 9]}, logy=True)
    >>> figure.axes[0].get_yscale()
    'log'
    """
    at = _numbers(x)
    with house_style():
        figure = new_figure(6.4, 3.6)
        axes = figure.add_subplot()
        for index, (name, values) in enumerate(lines.items()):
            heights = _numbers(values)
            if len(heights) != len(at):
                raise ValueError(f"line {name!r} has {len(heights)} values; expected {len(at)}")
            marker = "osD^v*"[index % 6]  # shapes tell the lines apart where colors cannot
            axes.plot(at, heights, marker=marker, label=name)
        axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
        if logx:
            axes.set_xscale("log")
        if logy:
            axes.set_yscale("log")
        axes.legend()
    return figure


def _numbers(values: Tensor | Sequence[float]) -> list[float]:
    return values.detach().cpu().tolist() if isinstance(values, Tensor) else list(values)
