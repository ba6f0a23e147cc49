"""The growth curves of the results: python -m bench.picture RESULTS.json PICTURE.png"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.judging import spread
from bench.measure import TIMED
from mdcv.plot import house_style, new_figure
from mdcv.plot.style import BLUE, GRAY, PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OURS = "mdcv"
COLUMNS = 2

#: Median seconds at the sizes that were measured.
Line = dict[int, float]


def lines(curve: dict) -> dict[str, Line]:
    """Per library the seconds at each size; of its variants, "A" and "A, other", the faster."""
    found: dict[str, Line] = {}
    for point in curve["points"]:
        for entrant in point["entrants"]:
            if entrant["status"] == TIMED:
                line = found.setdefault(entrant["name"].partition(",")[0], {})
                seconds = spread(entrant["seconds"]).median
                line[point["size"]] = min(seconds, line.get(point["size"], seconds))
    return found


def growth(results: dict) -> Figure:
    """One panel per curve, milliseconds over size, both logarithmic; a library has one color."""
    panels = {curve["title"]: (curve["counts"], lines(curve)) for curve in results["curves"]}
    names = dict.fromkeys(name for _, found in panels.values() for name in found if name != OURS)
    colors = {OURS: BLUE, **dict(zip(names, [*PALETTE[1:], GRAY], strict=False))}
    rows = max(1, -(-len(panels) // COLUMNS))
    with house_style():
        figure = new_figure(9.6, 0.5 + 3.4 * rows)
        grid = figure.subplots(rows, COLUMNS, squeeze=False).flatten()
        for axes, (title, (counts, found)) in zip(grid, panels.items(), strict=False):
            _draw(axes, found, colors)
            axes.set(title=title, xlabel=counts, ylabel="milliseconds")
        for axes in grid[len(panels) :]:
            axes.set_visible(False)
        figure.suptitle(_where(results), color=GRAY, fontsize=10)
    return figure


def _draw(axes: Axes, found: dict[str, Line], colors: dict[str, str]) -> None:
    for name, line in found.items():
        axes.plot(
            list(line),
            [1000 * seconds for seconds in line.values()],
            color=colors.get(name, GRAY),
            marker="osD^v*"[list(colors).index(name) % 6 if name in colors else 5],
            linewidth=2.6 if name == OURS else 1.6,
            label=name,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.legend(fontsize=8)


def _where(results: dict) -> str:
    place, threads = results["machine"], results["runs"][0]["threads"]
    if results["device"] != "cpu":
        return place["gpu"]
    return f"{place['processor']}, {'one thread' if threads == 1 else f'{threads} threads'}"


def main() -> None:
    """Draws the picture from the results file that is named."""
    if len(sys.argv) != 3:
        sys.exit("usage: python -m bench.picture RESULTS.json PICTURE.png")
    results, picture = map(Path, sys.argv[1:])
    picture.parent.mkdir(parents=True, exist_ok=True)
    growth(json.loads(results.read_text(encoding="utf-8"))).savefig(picture, dpi=100)
    print(f"{picture}: {picture.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
