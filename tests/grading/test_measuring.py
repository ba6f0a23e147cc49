"""A picture for which everything was measured once is the picture, to the last byte."""

from __future__ import annotations

import pytest

from mdcv.grading.measuring import measured_once
from mdcv.grading.pictures import png, quick

pytest.importorskip("matplotlib")

from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text


def empty(**options) -> Figure:
    figure = Figure(figsize=(6, 4), dpi=60, **options)
    FigureCanvasAgg(figure)
    return figure


def two_panels() -> Figure:
    figure = empty(layout="constrained")
    for axes in figure.subplots(1, 2, sharey=True):
        axes.plot([1, 2, 900], [1.00001e6, 1.00002e6, 1.00003e6], "o-", label="steep")
        axes.plot([900, 3, 1], [1.00001e6, 1.00003e6, 1.00002e6], label="a name that takes room")
        axes.set(xlabel="many\nlines", ylabel="far up", xscale="log")
        axes.legend()
    figure.suptitle("one and two")
    return figure


def shared_axis() -> Figure:
    figure = empty()
    narrow, wide = figure.subplots(2, 1, sharex=True)
    wide.plot([9_995, 10_015], [0, 1])
    narrow.set_position([0.2, 0.6, 0.1, 0.3])
    return figure


def turned_words() -> Figure:
    figure = empty(layout="tight")
    axes = figure.subplots()
    axes.text(0.2, 0.5, "one text that is broken where the figure ends " * 2, wrap=True)
    axes.text(0, 0, "along a line", rotation=30, transform_rotates_text=True)
    axes.tick_params(axis="x", rotation=70)
    axes.set_title("$x^2$ and so on")
    return figure


def around() -> Figure:
    figure = empty()
    figure.add_subplot(1, 2, 1, projection="polar").plot([0, 3], [1, 2])
    figure.add_subplot(1, 2, 2, projection="3d").scatter([0, 1], [0, 2], [3, 4])
    return figure


def two_scales() -> Figure:
    figure = empty(layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], label="here")
    axes.legend(loc="upper left", bbox_to_anchor=(0.3, 0.9))
    axes.twinx().plot([0, 1], [0, 1e5], "r", label="there")
    figure.colorbar(axes.imshow([[0.0, 1.0]]), ax=axes)
    return figure


@pytest.mark.parametrize("drawn", [two_panels, shared_axis, turned_words, around, two_scales])
def test_the_picture_is_the_same_to_the_last_byte(drawn):
    usual = png(drawn())
    with measured_once():
        assert png(drawn()) == usual
    assert usual is not None


def test_what_goes_the_usual_way_is_the_same_too():
    from IPython.core.pylabtools import print_figure

    def beside():
        figure = shared_axis()
        figure.axes[1].text(10_005, 0.5, "longer than there is room for " * 4)
        return figure

    assert png(beside()) is None
    assert quick(print_figure)(beside()) == print_figure(beside())


def test_each_is_measured_once(monkeypatch):
    asked = []
    for owner, name in ((Text, "_get_layout"), (Axis, "_update_ticks")):
        usual = getattr(owner, name)

        def counted(one, *rest, usual=usual):
            asked.append(one)
            return usual(one, *rest)

        monkeypatch.setattr(owner, name, counted)
    figure = two_panels()
    png(figure)
    usually = len(asked)
    asked.clear()
    with measured_once():
        png(two_panels())
    assert len(asked) < usually / 4


def test_another_text_size_or_turn_is_measured_anew():
    figure = empty()
    text = figure.text(0.5, 0.5, "word")
    renderer = figure.canvas.get_renderer()
    changes = (
        lambda: text.set_text("a longer word"),
        lambda: text.set_fontsize(30),
        lambda: text.set_rotation(45),
        lambda: text.set_horizontalalignment("center"),
        lambda: text.set_verticalalignment("top"),
        lambda: text.set_position((0.1, 0.2)),
    )
    with measured_once():
        boxes = [text.get_window_extent(renderer).bounds]
        for change in changes:
            change()
            boxes.append(text.get_window_extent(renderer).bounds)
        figure.dpi = 90
        boxes.append(text.get_window_extent().bounds)
    assert len(set(boxes)) == len(changes) + 2
    assert boxes[-1] == text.get_window_extent().bounds


def test_a_text_is_broken_anew_where_it_comes_to_lie():
    figure = empty()
    text = figure.text(0.1, 0.5, "one text that is broken where the figure ends", wrap=True)
    with measured_once():
        wide = text.get_window_extent()
        text.set_x(0.8)
        assert text.get_window_extent().height > 2 * wide.height


def test_other_limits_another_length_or_another_ruler_give_other_ticks():
    from matplotlib.ticker import FixedLocator

    def places():
        return [tick.get_loc() for tick in axes.xaxis._update_ticks()]

    axes = empty().subplots()
    changes = (
        lambda: axes.set_xlim(0, 30),
        lambda: axes.set_position([0.1, 0.1, 0.1, 0.8]),
        lambda: axes.xaxis.set_major_locator(FixedLocator([3, 4])),
    )
    with measured_once():
        seen = [places(), places()]
        for change in changes:
            change()
            seen.append(places())
    assert seen[0] == seen[1]
    assert len({tuple(ticks) for ticks in seen[1:]}) == 4
    assert seen[-1] == places()


def test_axes_that_share_a_formatter_set_it_in_turn():
    from matplotlib.ticker import Formatter

    class Count(Formatter):
        def set_locs(self, locs):
            self.offset = f"{len(locs)} ticks"

        def __call__(self, x, pos=None):
            return ""

        def get_offset(self):
            return self.offset

    def offset(axes):
        axes.xaxis._update_ticks()
        return axes.xaxis.get_major_formatter().get_offset()

    count, (few, many) = Count(), empty().subplots(1, 2)
    for axes, places in ((few, [0, 1]), (many, [0, 0.5, 1])):
        axes.set_xticks(places)
        axes.xaxis.set_major_formatter(count)
    usual = [offset(axes) for axes in (few, many, few)]
    with measured_once():
        assert [offset(axes) for axes in (few, many, few)] == usual
    assert len(set(usual)) == 2


def test_a_legend_moves_when_its_axes_do():
    figure = empty()
    axes, renderer = figure.subplots(), figure.canvas.get_renderer()
    axes.plot([0, 0.9, 1, 1], [0, 0.9, 0.9, 1], label="up")
    legend = axes.legend()

    def place(width=30.0):
        return legend._find_best_position(width, 20, renderer)

    changes = (
        lambda: axes.set_position([0.3, 0.3, 0.4, 0.4]),
        lambda: axes.set(xlim=(1.5, 0)),
        lambda: legend.set_bbox_to_anchor((0.1, 0.1, 0.5, 0.5), figure.transFigure),
        lambda: axes.set_position([0.1, 0.1, 0.5, 0.5]),
    )
    with measured_once():
        places = [place(), place()]
        for change in changes:
            change()
            places.append(place())
        places.append(place(width=40.0))
    assert places[0] == places[1] and len(set(places)) == 6
    assert places[-1] == place(width=40.0)


def test_matplotlib_is_as_it_was_afterwards_whatever_happens():
    before = Text._get_layout, Axis._update_ticks, Legend._find_best_position
    with pytest.raises(RuntimeError), measured_once():
        raise RuntimeError
    assert (Text._get_layout, Axis._update_ticks, Legend._find_best_position) == before
