"""Rows of images: what is shown, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mdcv.plot import draw_image, new_figure, show_images


def test_every_row_has_its_name_and_its_images_side_by_side():
    data = torch.rand(3, 1, 8, 8)
    figure = show_images({"data": data, "samples": torch.rand(2, 8, 8)})
    assert [axes.get_ylabel() for axes in figure.axes] == ["data", "samples"]
    first, second = (axes.get_images()[0].get_array() for axes in figure.axes)
    for place in range(3):
        np.testing.assert_allclose(first[:, 9 * place : 9 * place + 8], data[place, 0])
    assert first.shape == (8, 27) and second.shape == (8, 18)
    assert (first[:, 8::9] == 0).all()  # white between them
    shown = {tuple(axes.get_xlim()) for axes in figure.axes}
    assert shown == {(-0.5, 26.5)}  # images of both rows are equally large


def test_ink_is_black_and_values_are_shown_as_they_are():
    axes = new_figure(1, 1).add_subplot()
    image = torch.tensor([[[0.0, 0.25], [1.0, 7.0]]])
    draw_image(axes, image)
    (shown,) = axes.get_images()
    np.testing.assert_allclose(shown.get_array(), [[0.0, 0.25], [1.0, 1.0]])
    assert shown.get_cmap()(1.0)[:3] == (0.0, 0.0, 0.0) and shown.get_clim() == (0, 1)


def test_three_channels_are_a_color():
    axes = new_figure(1, 1).add_subplot()
    draw_image(axes, torch.rand(3, 4, 5))
    assert axes.get_images()[0].get_array().shape == (4, 5, 3)


def test_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match="rows is empty"):
        show_images({})
    with pytest.raises(ValueError, match=r"an image has shape \(2, 4, 4\)"):
        show_images({"two channels": torch.rand(3, 2, 4, 4)})
