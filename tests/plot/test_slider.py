"""The slider redraws its picture, and the still row needs no kernel."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from mdcv.plot import slider_with_fallback


def draw(axes, value):
    axes.plot([0, value], [0, 1])
    axes.set_title(f"to {value}")


def test_moving_the_slider_changes_the_picture():
    both = slider_with_fallback(draw, [1, 5, 25], name="length")
    slider, image = both.widget.children
    assert slider.description == "length"
    first = bytes(image.value)
    assert first.startswith(b"\x89PNG")
    slider.value = 2
    second = bytes(image.value)
    assert second != first
    slider.value = 0
    assert image.value == first


def test_the_still_row_shows_the_ends_and_the_middle():
    both = slider_with_fallback(draw, [1, 2, 3, 4, 5])
    assert [axes.get_title() for axes in both.still.axes] == ["to 1", "to 3", "to 5"]
    chosen = slider_with_fallback(draw, [1, 2, 3, 4, 5], still=[1, 3], start=4)
    assert [axes.get_title() for axes in chosen.still.axes] == ["to 2", "to 4"]
    assert chosen.widget.children[0].label == "5"


def test_pictures_in_space():
    both = slider_with_fallback(
        lambda axes, n: axes.scatter(range(n), range(n), range(n)), [3, 9], in_space=True
    )
    assert all(axes.name == "3d" for axes in both.still.axes)


def test_as_the_last_value_of_a_cell_both_are_displayed():
    InteractiveShell.instance()
    both = slider_with_fallback(draw, [1, 2])
    with capture_output(display=True) as captured:
        both._ipython_display_()
    shown = captured.outputs
    assert len(shown) == 2
    InteractiveShell.clear_instance()


def test_too_few_values_and_unknown_indices_are_refused():
    with pytest.raises(ValueError, match="values has 1 entries; expected at least two"):
        slider_with_fallback(draw, [1])
    with pytest.raises(ValueError, match="index 7 is not among the 2 values"):
        slider_with_fallback(draw, [1, 2], still=[7])
