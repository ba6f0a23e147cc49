"""A real point cloud without a download: a photograph and its measured disparities."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from mdcv.errors import check_integer

#: The published calibration of the quarter-size images, in pixels, and the baseline in meters.
FOCAL_LENGTH = 994.978
CENTER_X = 311.193
CENTER_Y = 254.877
CENTER_SHIFT = 31.086
BASELINE = 0.193001


def back_project(
    disparity: Float[Tensor, "h w"],
    *,
    focal_length: float = FOCAL_LENGTH,
    center: tuple[float, float] = (CENTER_X, CENTER_Y),
    center_shift: float = CENTER_SHIFT,
    baseline: float = BASELINE,
) -> Float[Tensor, "h w 3"]:
    """The point that each pixel of the left image sees.

    depth = focal length · baseline / (disparity + center shift); a pixel (u, v) lies at
    (u − center) · depth / focal length. The camera looks along −z, x points right and y up.

    Args:
        disparity: by how many pixels a point appears further left in the right image.
        focal_length, center: of the left camera, in pixels.
        center_shift: how far the principal point of the right camera lies to the right of the
            left one's, in pixels.
        baseline: distance between the cameras; the points come in its unit.

    Source: Scharstein et al. 2014, High-resolution stereo datasets with subpixel-accurate ground
    truth, and the calibration in scikit-image's `stereo_motorcycle`.

    >>> back_project(torch.tensor([[1.0]]), center=(0.0, 0.0), center_shift=0.0,
    ...              focal_length=2.0, baseline=3.0)
    tensor([[[ 0.,  0., -6.]]])
    """
    height, width = disparity.shape
    depth = focal_length * baseline / (disparity + center_shift)
    across = torch.arange(width, dtype=disparity.dtype, device=disparity.device) - center[0]
    up = center[1] - torch.arange(height, dtype=disparity.dtype, device=disparity.device)
    x = across * depth / focal_length
    y = up.unsqueeze(1) * depth / focal_length
    return torch.stack((x, y, -depth), dim=-1)


def stereo_cloud(
    max_points: int | None = None, *, generator: Generator | None = None
) -> tuple[Float[Tensor, "n 3"], Float[Tensor, "n 3"]]:
    """A motorcycle in a workshop: points in meters, and their colors in [0, 1].

    Every pixel of the left image whose disparity was measured gives one point: 343,274 of the
    370,500 pixels, 2.1 to 5.0 meters from the camera. The camera sits at the origin and looks
    along −z, x points right and y up. Both tensors are float32, row by row as in the image.

    Args:
        max_points: at most this many points, drawn without replacement; `None` means all.
        generator: which ones; a CPU generator, `None` means PyTorch's default one.

    Raises:
        ValueError: max_points is not an integer >= 1.

    Source: Middlebury Stereo 2014 (Scharstein et al.), shipped with scikit-image.

    >>> points, colors = stereo_cloud(1000)
    >>> points.shape, colors.shape
    (torch.Size([1000, 3]), torch.Size([1000, 3]))
    """
    from skimage.data import stereo_motorcycle

    if max_points is not None:
        check_integer("max_points", max_points, low=1)
    image, _, disparity = (torch.from_numpy(array.copy()) for array in stereo_motorcycle())
    points = back_project(disparity.double())
    measured = torch.isfinite(disparity)
    points, colors = points[measured].float(), image[measured].float() / 255
    if max_points is not None and max_points < len(points):
        chosen = torch.randperm(len(points), generator=generator)[:max_points].sort().values
        points, colors = points[chosen], colors[chosen]
    return points, colors
