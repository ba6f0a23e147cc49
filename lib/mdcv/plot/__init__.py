"""Pictures in one style. matplotlib, plotly and ipywidgets load when a picture is made."""

from mdcv.plot.charts import draw_bars, show_lines, show_values
from mdcv.plot.clouds import draw_cloud, frame_clouds, show_clouds
from mdcv.plot.comparison import comparison_figure
from mdcv.plot.correspondence import correspondence_figure
from mdcv.plot.images import draw_image, show_images
from mdcv.plot.slider import SliderFigure, slider_with_fallback
from mdcv.plot.style import house_style, new_figure

__all__ = [
    "SliderFigure",
    "comparison_figure",
    "correspondence_figure",
    "draw_bars",
    "draw_cloud",
    "draw_image",
    "frame_clouds",
    "house_style",
    "new_figure",
    "show_clouds",
    "show_images",
    "show_lines",
    "show_values",
    "slider_with_fallback",
]
