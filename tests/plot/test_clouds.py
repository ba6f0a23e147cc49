"""Panels of point sets: what is in them, and that no axis is stretched."""

from __future__ import annotations

import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch
from mpl_toolkits.mplot3d import proj3d

from mdcv.data import SOLIDS
from mdcv.plot import draw_cloud, show_clouds
from mdcv.plot.style import BLUE
from mdcv.seeds import generator


def clouds(*sizes: int, dimension: int = 3) -> dict[str, torch.Tensor]:
    draws = generator(0)
    return {f"cloud {n}": torch.rand(n, dimension, generator=draws) for n in sizes}


def offsets(axes) -> torch.Tensor:
    (scatter,) = axes.collections
    if axes.name == "3d":
        return torch.tensor([list(c) for c in scatter._offsets3d]).T
    return torch.tensor(scatter.get_offsets().tolist())


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_panel_holds_its_cloud_under_its_title(dimension):
    shown = clouds(40, 70, dimension=dimension)
    figure = show_clouds(shown)
    assert [axes.get_title() for axes in figure.axes] == list(shown)
    for axes, cloud in zip(figure.axes, shown.values(), strict=True):
        torch.testing.assert_close(offsets(axes).float(), cloud)


def test_one_unit_is_as_long_on_every_axis_and_y_points_up():
    flat = torch.rand(100, 3, generator=generator(1)) * torch.tensor([4.0, 1.0, 2.0])
    figure = show_clouds({"flat": flat}, view=(0.0, 0.0))
    (axes,) = figure.axes
    axes.set_proj_type("ortho")
    figure.draw_without_rendering()
    origin = axes.transData.transform(proj3d.proj_transform(2.0, 0.5, 1.0, axes.get_proj())[:2])
    steps = []
    for x, y in ((3.0, 0.5), (2.0, 1.5)):
        projected = proj3d.proj_transform(x, y, 1.0, axes.get_proj())[:2]
        steps.append(axes.transData.transform(projected) - origin)
    right, up = steps
    assert right[0] == pytest.approx(up[1], rel=1e-6)
    assert right[0] > 0 and up[1] > 0
    assert abs(right[1]) < 1e-6 and abs(up[0]) < 1e-6


def test_panels_share_one_scale():
    figure = show_clouds({"small": 0.1 * torch.rand(20, 3), "large": 5 * torch.rand(20, 3)})
    small, large = figure.axes
    assert small.get_xlim() == large.get_xlim() and small.get_zlim() == large.get_zlim()
    figure = show_clouds(clouds(30, 40, dimension=2))
    assert all(axes.get_aspect() == 1.0 for axes in figure.axes)


def test_tall_shapes_stay_inside_their_panel():
    tall = torch.rand(500, 3, generator=generator(2)) * torch.tensor([0.3, 1.0, 0.3])
    wide = torch.rand(500, 3, generator=generator(3)) * torch.tensor([1.0, 0.2, 0.2])
    for cloud in (tall, wide, SOLIDS["chair"]().sample(500, generator=generator(4))):
        figure = show_clouds({"shape": cloud})
        figure.draw_without_rendering()
        (axes,) = figure.axes
        x, y, _ = proj3d.proj_transform(*cloud.double().numpy().T, axes.get_proj())
        pixels = axes.transData.transform(list(zip(x, y, strict=True)))
        frame = axes.get_window_extent()
        assert frame.x0 <= pixels[:, 0].min() and pixels[:, 0].max() <= frame.x1
        assert frame.y0 <= pixels[:, 1].min() and pixels[:, 1].max() <= frame.y1


def test_rows_break_where_asked():
    figure = show_clouds(clouds(10, 11, 12, 13, 14), columns=3)
    rows = {axes.get_subplotspec().rowspan.start for axes in figure.axes}
    assert len(figure.axes) == 5 and rows == {0, 1}


def test_colors_by_name_by_number_and_by_rgb():
    shown = clouds(10, 11, 12)
    rgb = torch.rand(12, 3, generator=generator(5))
    figure = show_clouds(shown, colors={"cloud 11": torch.arange(11.0), "cloud 12": rgb})
    figure.draw_without_rendering()
    named, numbered, colored = (axes.collections[0] for axes in figure.axes)
    assert matplotlib.colors.to_hex(named.get_facecolor()[0]) == BLUE.lower()
    assert numbered.get_array().tolist() == list(range(11))
    assert numbered.get_cmap().name == "viridis"
    torch.testing.assert_close(
        torch.tensor(colored.get_facecolor()[:, :3]).float().sort(0).values, rgb.sort(0).values
    )


def test_a_figure_is_handed_over_once():
    before = plt.get_fignums()
    show_clouds(clouds(5))
    assert plt.get_fignums() == before  # pyplot would show it a second time


def test_a_cloud_with_a_graph_or_one_point_can_be_shown():
    figure = show_clouds({"one": torch.zeros(1, 3, requires_grad=True)})
    assert offsets(figure.axes[0]).tolist() == [[0.0, 0.0, 0.0]]


def test_larger_clouds_have_smaller_points():
    sizes = []
    for n in (100, 5000):
        figure = show_clouds(clouds(n))
        sizes.append(float(figure.axes[0].collections[0].get_sizes()[0]))
    assert sizes[0] > sizes[1]
    figure = plt.figure()
    draw_cloud(figure.add_subplot(), torch.rand(9, 2), point_size=3.5, label="few")
    plt.close(figure)
    assert figure.axes[0].collections[0].get_sizes()[0] == 3.5


@pytest.mark.parametrize(
    ("shown", "colors", "message"),
    [
        ({}, None, "clouds is empty"),
        ({"a": torch.rand(4, 4)}, None, r"cloud 'a' has shape \(4, 4\)"),
        ({"a": torch.rand(1, 4, 3)}, None, r"cloud 'a' has shape \(1, 4, 3\)"),
        ({"a": torch.rand(0, 3)}, None, r"cloud 'a' has shape \(0, 3\)"),
        ({"a": torch.rand(4, 3), "b": torch.rand(4, 2)}, None, r"\[2, 3\] coordinates"),
        ({"a": torch.rand(4, 3)}, {"b": "red"}, r"colors name \['b'\]"),
    ],
)
def test_what_cannot_be_shown_is_refused(shown, colors, message):
    with pytest.raises(ValueError, match=message):
        show_clouds(shown, colors=colors)
