"""How a kernel makes the picture of a figure: as notebooks do, with half of the drawing.

Left alone, a figure is drawn three times: once for a screen that is not there, once to find out
how much room everything takes, and once more, moved by a fraction of a pixel, for the file. Once
is enough: what was drawn is cut to the room that it takes, with the same margin around it.
"""

from __future__ import annotations

import base64 as base_64
import io
from collections.abc import Callable
from functools import partial
from typing import Any

from IPython.core import pylabtools

#: How hard the PNG is compressed: at 3 it takes half of the time, and is a tenth larger.
COMPRESSION = 3


def draw_once(shell: Any) -> None:
    """From now on this shell draws a figure once; where matplotlib is missing, nothing changes."""
    try:
        import matplotlib.pyplot as plt
        from matplotlib.figure import Figure
    except ImportError:
        return
    draw_for_a_screen = getattr(plt, "_draw_all_if_interactive", None)
    if draw_for_a_screen in shell.events.callbacks["post_execute"]:
        shell.events.unregister("post_execute", draw_for_a_screen)
    pylabtools.print_figure = quick(pylabtools.print_figure)
    formatter = shell.display_formatter.formatters["image/png"]
    for sort, made in list(formatter.type_printers.items()):  # chosen when pyplot was imported
        if sort is Figure and isinstance(made, partial):
            formatter.for_type(Figure, partial(pylabtools.print_figure, **made.keywords))


def quick(print_figure: Callable[..., Any]) -> Callable[..., Any]:
    """IPython's `print_figure`, but drawn once where that shows the same."""

    def print_once(fig, fmt="png", bbox_inches="tight", base64=False, **more):
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
    from PIL import Image

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
    box = [
        round(side * figure.dpi)
        for side in inches.padded(mpl.rcParams["savefig.pad_inches"]).extents
    ]
    tight = [side * figure.dpi for side in inches.extents]
    drawn = Image.fromarray(np.asarray(canvas.buffer_rgba()))
    width, height = drawn.size
    inside = min(tight[:2]) >= -1 and tight[2] <= width + 1 and tight[3] <= height + 1
    if not inside or box[2] <= box[0] or box[3] <= box[1]:
        return None
    color = tuple(round(255 * part) for part in figure.get_facecolor())
    cut = Image.new("RGBA", (box[2] - box[0], box[3] - box[1]), color)
    cut.paste(drawn, (-box[0], box[3] - height))
    file = io.BytesIO()
    plain = cut.convert("RGB") if cut.getextrema()[3] == (255, 255) else cut
    plain.save(file, "png", dpi=(figure.dpi, figure.dpi), compress_level=COMPRESSION)
    return file.getvalue()
