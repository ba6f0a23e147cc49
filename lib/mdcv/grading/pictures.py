"""How a kernel makes the picture of a figure: as notebooks do, with half of the drawing.

Left alone, a figure is drawn three times: once for a screen that is not there, once to find out
how much room everything takes, and once more, moved by a fraction of a pixel, for the file. Once
is enough: what was drawn is cut to the room that it takes, with the same margin around it. What
is measured on the way is measured once (`measuring`).
"""

from __future__ import annotations

import base64 as base_64
import io
from collections.abc import Callable
from functools import partial
from typing import Any

from IPython.core import pylabtools

from mdcv.grading.measuring import measured_once

#: How hard the PNG is compressed: at 1 it takes half of the time, and is a fifth larger.
COMPRESSION = 1


def draw_once(shell: Any) -> None:
    """From now on this shell draws a figure once; where matplotlib is missing, nothing changes."""
    try:
        import matplotlib.pyplot as plt
        from matplotlib.figure import Figure
    except ImportError:
        return
    plt.switch_backend = on_the_page(plt.switch_backend)
    draw_for_a_screen = getattr(plt, "_draw_all_if_interactive", None)
    if draw_for_a_screen in shell.events.callbacks["post_execute"]:
        shell.events.unregister("post_execute", draw_for_a_screen)
    pylabtools.print_figure = quick(pylabtools.print_figure)
    formatter = shell.display_formatter.formatters["image/png"]
    for sort, made in list(formatter.type_printers.items()):  # chosen when pyplot was imported
        if sort is Figure and isinstance(made, partial):
            formatter.for_type(Figure, partial(pylabtools.print_figure, **made.keywords))


def on_the_page(switch_backend: Callable[[str], None]) -> Callable[[str], None]:
    """matplotlib's `switch_backend`; for a screen that is not here, figures come on the page."""

    def switch(newbackend: str) -> None:
        try:
            switch_backend(newbackend)
        except ImportError:
            switch_backend("module://matplotlib_inline.backend_inline")

    return switch


def quick(print_figure: Callable[..., Any]) -> Callable[..., Any]:
    """IPython's `print_figure`, but drawn once where that shows the same."""

    def print_once(fig, fmt="png", bbox_inches="tight", base64=False, **more):
        with measured_once():
            if fmt == "png" and bbox_inches == "tight" and not more:
                picture = png(fig)
                if picture is not None:
                    return base_64.b64encode(picture).decode() if base64 else picture
            return print_figure(fig, fmt=fmt, bbox_inches=bbox_inches, base64=base64, **more)

    return print_once


def png(figure: Any) -> bytes | None:
    """The figure as PNG, cut to what is drawn on it; None where something is drawn beyond it."""
    import matplotlib as mpl
    import numpy as np
    from matplotlib.backend_bases import FigureCanvasBase
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    before = figure.canvas
    agg = isinstance(before, FigureCanvasAgg)
    if not (agg or type(before) is FigureCanvasBase) or not (figure.axes or figure.lines):
        return None
    canvas = before if agg else FigureCanvasAgg(figure)
    saving, canvas._is_saving = canvas._is_saving, True
    try:
        canvas.draw()
        inches = figure.get_tightbbox(canvas.get_renderer())
    finally:
        canvas._is_saving = saving
        figure.set_canvas(before)
    drawn = np.asarray(canvas.buffer_rgba())
    height, width = drawn.shape[:2]
    left, low, right, high = (
        round(side * figure.dpi)
        for side in inches.padded(mpl.rcParams["savefig.pad_inches"]).extents
    )
    tight = [side * figure.dpi for side in inches.extents]
    inside = min(tight[:2]) >= -1 and tight[2] <= width + 1 and tight[3] <= height + 1
    if not inside or right <= left or high <= low:
        return None
    cut = np.empty((high - low, right - left, 4), dtype=np.uint8)
    cut[:] = [round(255 * part) for part in figure.get_facecolor()]
    top = height - high  # rows are counted from the top
    seen = drawn[max(top, 0) : max(height - low, 0), max(left, 0) : max(right, 0)]
    down, along = max(-top, 0), max(-left, 0)
    cut[down : down + len(seen), along : along + seen.shape[1]] = seen
    return encoded(cut, figure.dpi)


def encoded(pixels: Any, dpi: float) -> bytes:
    """Pixels (H, W, 4) as a PNG; opaque ones without their alpha."""
    from PIL import Image

    plain = pixels[..., :3] if (pixels[..., 3] == 255).all() else pixels
    file = io.BytesIO()
    Image.fromarray(plain).save(file, "png", dpi=(dpi, dpi), compress_level=COMPRESSION)
    return file.getvalue()
