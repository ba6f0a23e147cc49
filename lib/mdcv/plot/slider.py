"""A slider that redraws a picture, and a still row of it for pages without a kernel."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mdcv.plot.style import house_style, new_figure

if TYPE_CHECKING:
    from ipywidgets import Widget
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class SliderFigure:
    """A slider above its picture, and a still figure of a few of its settings."""

    widget: Widget
    still: Figure

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.widget)
        display(self.still)


def slider_with_fallback(
    draw: Callable[[Axes, float], None],
    values: Sequence[float],
    *,
    name: str = "value",
    start: int = 0,
    still: Sequence[int] | None = None,
    in_space: bool = False,
    size: tuple[float, float] = (4.2, 3.8),
) -> SliderFigure:
    """A slider over the values that redraws a picture, and a still row of three of them.

    Standing last in a cell it shows both: the slider where a kernel runs, and the row that also a
    printed page can show.

    Args:
        draw: puts the picture for a value into empty axes; it sets the title if it wants one.
        values: the settings of the slider, in order.
        name: what stands beside the slider.
        start: index of the value shown first.
        still: indices of the values in the still row; by default the first, a middle one, the last.
        in_space: axes with three dimensions instead of two.
        size: of one picture, in inches.

    Raises:
        ValueError: fewer than two values, or an index that is not among them.

    >>> both = slider_with_fallback(lambda axes, n: axes.plot(range(n)), [2, 4, 8], name="points")
    >>> len(both.still.axes)
    3
    """
    import ipywidgets

    values = list(values)
    if len(values) < 2:
        raise ValueError(f"values has {len(values)} entries; expected at least two")
    still = list(still) if still is not None else [0, len(values) // 2, len(values) - 1]
    for index in (start, *still):
        if not 0 <= index < len(values):
            raise ValueError(f"index {index} is not among the {len(values)} values")
    projection = "3d" if in_space else None

    def picture(value: float) -> bytes:
        with house_style():
            figure = new_figure(*size)
            draw(figure.add_subplot(projection=projection), value)
            data = io.BytesIO()
            figure.savefig(data, format="png")
        return data.getvalue()

    labels = [(f"{value:g}", index) for index, value in enumerate(values)]
    slider = ipywidgets.SelectionSlider(
        options=labels, value=start, description=name, continuous_update=False
    )
    image = ipywidgets.Image(value=picture(values[start]), format="png")

    def redraw(change: dict) -> None:
        image.value = picture(values[change["new"]])

    slider.observe(redraw, names="value")

    width, height = size
    with house_style():
        row = new_figure(width * 0.8 * len(still), height * 0.8)
        for place, index in enumerate(still):
            draw(row.add_subplot(1, len(still), place + 1, projection=projection), values[index])
    return SliderFigure(ipywidgets.VBox([slider, image]), row)
