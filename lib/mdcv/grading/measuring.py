"""What matplotlib measures again and again while it draws one figure, measured once.

A layout asks for the room of every text several times, for that of a legend and of the ticks as
well, and drawing and cutting out ask once more. As long as what decides the answer is the same,
so is the answer: the picture stays the same to the last byte.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

#: A method of matplotlib's, told what it is called with besides its object.
Answer = Callable[..., Any]


@contextlib.contextmanager
def measured_once() -> Iterator[None]:
    """Inside, texts, ticks and legends answer from memory where nothing has changed.

    >>> from matplotlib.text import Text
    >>> usual = Text._get_layout
    >>> with measured_once():
    ...     Text._get_layout is usual
    False
    >>> Text._get_layout is usual
    True
    """
    from matplotlib.axis import Axis
    from matplotlib.legend import Legend
    from matplotlib.text import Text

    with contextlib.ExitStack() as stack:
        for owner, name, wrapped in (
            (Text, "_get_layout", _texts),
            (Axis, "_update_ticks", _ticks),
            (Legend, "_find_best_position", _legends),
        ):
            usual = getattr(owner, name, None)
            if usual is not None:  # private: another version may do without it
                setattr(owner, name, wrapped(usual))
                stack.callback(setattr, owner, name, usual)
        yield


def _texts(usual: Answer) -> Answer:
    """How a text lies around its place: where the place is makes no difference."""
    known: dict[tuple, Any] = {}

    def layout(text, renderer):
        if text.get_wrap():  # breaks its lines where the figure ends
            return usual(text, renderer)
        key = (
            *(text, renderer, text.get_figure(root=True).dpi, text.get_text()),
            *(text.get_rotation(), text.get_horizontalalignment(), text.get_verticalalignment()),
            hash(text.get_fontproperties()),  # that of its present state
        )
        if key not in known:
            known[key] = usual(text, renderer)
        return known[key]

    return layout


def _ticks(usual: Answer) -> Answer:
    """Which ticks an axis has: decided by what it spans, and by how long it is."""
    known: dict[Any, tuple[tuple, list]] = {}

    def update(axis):
        before, ticks = known.get(axis, (None, None))
        if before is None or before != _decides(axis):
            ticks = usual(axis)
            known[axis] = _decides(axis), ticks
        return list(ticks)

    return update


def _decides(axis: Any) -> tuple:
    groups = (axis.major, axis.minor)
    return (
        *axis.get_view_interval(),
        *axis.axes.bbox.bounds,
        axis.get_figure(root=True).dpi,
        *(part for group in groups for part in (group.locator, group.formatter)),
        # Axes that share a formatter set it in turn, and it keeps the offset of the last one.
        *(group.formatter.get_offset() for group in groups),
    )


def _legends(usual: Answer) -> Answer:
    """Where a legend hides least: decided by its size, and by what its axes span and measure."""
    known: dict[tuple, tuple[float, float]] = {}

    def best(legend, width, height, renderer):
        parent, anchor = legend.parent, legend.get_bbox_to_anchor()
        key = (legend, width, height, *anchor.bounds, *parent.bbox.bounds, *parent.viewLim.bounds)
        if key not in known:
            known[key] = usual(legend, width, height, renderer)
        return known[key]

    return best
