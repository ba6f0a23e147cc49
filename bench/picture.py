"""The growth curves of the results: python -m bench.picture RESULTS.json PICTURE.png"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.judging import spread
from bench.measure import TIMED
from mdcv.plot import house_style, new_figure
from mdcv.plot.style import GRAY, PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OURS = "mdcv"
COLUMNS = 2
#: Shapes tell lines apart where colors cannot.
MARKERS = "osD^v*"

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
    """One panel per curve: milliseconds over size, both logarithmic."""
    curves = results["curves"]
    rows = max(1, -(-len(curves) // COLUMNS))
    with house_style():
        figure = new_figure(9.6, 0.5 + 3.4 * rows)
        grid = figure.subplots(rows, COLUMNS, squeeze=False).flatten()
        for axes, curve in zip(grid, curves, strict=False):
            _draw(axes, curve)
        for axes in grid[len(curves) :]:
            axes.set_visible(False)
        figure.suptitle(_where(results), color=GRAY, fontsize=10)
    return figure


def _draw(axes: Axes, curve: dict) -> None:
    for place, (name, line) in enumerate(lines(curve).items()):
        axes.plot(
            list(line),
            [1000 * seconds for seconds in line.values()],
            color=PALETTE[place % len(PALETTE)],
            marker=MARKERS[place % len(MARKERS)],
            linewidth=2.6 if name == OURS else 1.6,
            label=name,
        )
    sizes = [point["size"] for point in curve["points"]]
    axes.set(title=curve["title"], xlabel=curve["counts"], ylabel="milliseconds")
    axes.set(xscale="log", yscale="log")
    axes.set_xticks(sizes, [in_short(size) for size in sizes])
    axes.minorticks_off()
    axes.legend(fontsize=8)


def in_short(size: int) -> str:
    """A size as an axis shows it.

    >>> in_short(512), in_short(300_000), in_short(1_000_000)
    ('512', '300k', '1M')
    """
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if size % unit == 0:
            return f"{size // unit}{letter}"
    return str(size)


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
