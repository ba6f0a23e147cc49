"""One look for every picture: two point sets are blue and orange, and no axis shouts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

#: Colors that stay apart for color-blind eyes (Okabe and Ito 2008), in the order they are used.
BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
RED = "#D55E00"
PURPLE = "#CC79A7"
SKY = "#56B4E9"
GRAY = "#5A5F66"
PALETTE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY)

_RULES = {
    "figure.dpi": 110,
    "savefig.dpi": 110,
    "figure.facecolor": "white",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlepad": 8,
    "axes.labelcolor": GRAY,
    "axes.edgecolor": "#B8BDC4",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E8EAED",
    "grid.linewidth": 0.8,
    "xtick.color": GRAY,
    "ytick.color": GRAY,
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "lines.markersize": 5,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Figures made inside `with house_style():` look like those of the lectures.

    >>> import matplotlib
    >>> with house_style():
    ...     matplotlib.rcParams["axes.spines.top"]
    False
    """
    import matplotlib
    from cycler import cycler

    with matplotlib.rc_context({**_RULES, "axes.prop_cycle": cycler(color=PALETTE)}):
        yield
        interactive = matplotlib.is_interactive()
    # The first figure chooses a backend, which in a notebook switches interactive mode on. Undone
    # with the style, it would keep every later pyplot figure of the notebook from appearing.
    matplotlib.interactive(interactive)


def new_figure(width: float, height: float):
    """An empty figure that a notebook shows once: where it stands last in a cell.

    pyplot would show it a second time on its own, so it is asked to forget the figure.
    """
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(width, height), layout="constrained")
    plt.close(figure)
    return figure
