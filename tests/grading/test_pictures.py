"""A figure that is drawn once looks like one that was drawn three times."""

from __future__ import annotations

import io

import numpy as np
import pytest

from mdcv.grading.pictures import encoded, png, quick

pytest.importorskip("matplotlib")


def figure_with(title: str = "", width: float = 4.0, **options):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 3), dpi=80, **options)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot([0, 1, 2], [0, 1, 0])
    axes.set_title(title)
    return figure


def pixels(content: bytes) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(content)).convert("L"), dtype=float)


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_the_picture_is_the_usual_one_to_a_pixel(layout):
    from IPython.core.pylabtools import print_figure

    ours = pixels(png(figure_with("a title", layout=layout)))
    usual = pixels(print_figure(figure_with("a title", layout=layout)))
    assert all(abs(a - b) <= 2 for a, b in zip(ours.shape, usual.shape, strict=True))
    assert abs(ours.mean() - usual.mean()) < 2.0
    height, width = np.minimum(ours.shape, usual.shape) // 8 * 8
    coarse = [
        one[:height, :width].reshape(height // 8, 8, width // 8, 8).mean(axis=(1, 3)).ravel()
        for one in (ours, usual)
    ]
    assert np.corrcoef(*coarse)[0, 1] > 0.9


@pytest.mark.parametrize("alpha", [255, 128])
def test_a_file_holds_every_pixel_as_it_was(alpha):
    from PIL import Image

    drawn = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)
    drawn[..., 3] = alpha
    image = Image.open(io.BytesIO(encoded(drawn, dpi=110)))
    image.load()
    assert image.mode == ("RGB" if alpha == 255 else "RGBA")
    assert (np.asarray(image.convert("RGBA")) == drawn).all()
    assert image.info["dpi"] == pytest.approx((110, 110), abs=0.1)


def test_what_is_drawn_stays_where_it_is_when_there_is_margin_around_it():
    from PIL import Image

    figure = figure_with(width=3.0)
    figure.axes[0].set_position([0, 0, 1, 1])
    figure.axes[0].set_axis_off()
    with_margin = np.array(Image.open(io.BytesIO(png(figure))))
    drawn = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    assert with_margin.shape == (240 + 16, 240 + 16, 3)
    assert (with_margin[8:-8, 8:-8] == drawn).all()
    with_margin[8:-8, 8:-8] = 255
    assert (with_margin == 255).all()


def test_a_figure_that_needs_more_room_than_it_has_is_left_to_the_usual_way():
    figure = figure_with("a title that is much longer than the figure is wide" * 3)
    assert png(figure) is None
    assert quick(lambda fig, **how: how["fmt"])(figure) == "png"


@pytest.mark.parametrize("asked", [{"fmt": "svg"}, {"bbox_inches": None}, {"dpi": 30}])
def test_whatever_else_is_asked_for_goes_the_usual_way(asked):
    assert quick(lambda fig, **how: "usual")(figure_with(), **asked) == "usual"


def test_a_figure_without_anything_on_it_shows_nothing():
    from matplotlib.figure import Figure

    assert quick(lambda fig, **how: None)(Figure()) is None


def test_a_figure_keeps_its_canvas():
    from matplotlib.backend_bases import FigureCanvasBase
    from matplotlib.figure import Figure

    figure = Figure()
    figure.add_subplot()
    before = figure.canvas
    assert type(before) is FigureCanvasBase and png(figure) is not None
    assert figure.canvas is before
