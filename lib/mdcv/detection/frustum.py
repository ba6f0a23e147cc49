"""From a box in the image to a box in space: the frustum behind the one holds the other."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mdcv.boxes import box_iou
from mdcv.errors import check_finite, check_number, check_same_kind, check_tensor

#: Headings that are tried, one for each degree: a rectangle repeats after a quarter turn.
HEADINGS = 90


def depth_points(
    depth: Float[Tensor, "h w"], intrinsics: Float[Tensor, "3 3"]
) -> Float[Tensor, "h w 3"]:
    """The point in space that each pixel sees, in the unit of the depth.

    X = Z · K⁻¹ (j + ½, i + ½, 1) for the pixel in row i and column j: x right, y down, z ahead.

    Args:
        depth: the coordinate z of what each pixel shows, not the length of its ray.
        intrinsics: K, in pixels.

    Raises:
        ValueError: shapes, dtypes or devices do not fit, or K is not ((·, ·, ·), (0, ·, ·),
            (0, 0, 1)) with positive focal lengths.

    >>> K = torch.tensor([[2.0, 0.0, 0.5], [0.0, 2.0, 0.5], [0.0, 0.0, 1.0]])
    >>> depth_points(torch.full((1, 2), 4.0), K)
    tensor([[[0., 0., 4.],
             [2., 0., 4.]]])
    """
    check_tensor("depth", depth, ndim=2, layout="(H, W)")
    check_tensor("intrinsics", intrinsics, ndim=2, layout="(3, 3)")
    check_same_kind("intrinsics", intrinsics, "depth", depth)
    K = intrinsics.tolist()
    upright = intrinsics.shape == (3, 3) and K[1][0] == 0 and K[2] == [0.0, 0.0, 1.0]
    if not upright or not (K[0][0] > 0 and K[1][1] > 0):
        raise ValueError(
            f"intrinsics is {K}; expected ((fx, s, cx), (0, fy, cy), (0, 0, 1)) with fx, fy > 0"
        )
    height, width = depth.shape
    kind = {"dtype": depth.dtype, "device": depth.device}
    v = (torch.arange(height, **kind) + 0.5 - K[1][2]) / K[1][1]
    u = torch.arange(width, **kind) + 0.5 - K[0][2]
    u = (u[None, :] - K[0][1] * v[:, None]) / K[0][0]
    return depth[:, :, None] * torch.stack([u, v[:, None].expand_as(u), torch.ones_like(u)], dim=-1)


def frustum_points(
    depth: Float[Tensor, "h w"], intrinsics: Float[Tensor, "3 3"], box: Float[Tensor, " 4"]
) -> Float[Tensor, "n 3"]:
    """The points in space of the pixels inside a box: what the frustum behind the box holds.

    A pixel is inside if its center is. Pixels without a positive finite depth give no point.

    Args:
        depth, intrinsics: as for `depth_points`.
        box: x1, y1, x2, y2 in pixels.

    Raises:
        ValueError: as `depth_points`, or box is not four finite numbers with x1 <= x2, y1 <= y2.

    Source: Qi, Liu, Wu, Su and Guibas 2018, Frustum PointNets, arXiv:1711.08488, section 4.1.

    >>> K = torch.tensor([[2.0, 0.0, 0.5], [0.0, 2.0, 0.5], [0.0, 0.0, 1.0]])
    >>> depth = torch.tensor([[4.0, float("inf"), 8.0]])
    >>> frustum_points(depth, K, torch.tensor([0.0, 0.0, 3.0, 1.0]))
    tensor([[0., 0., 4.],
            [8., 0., 8.]])
    """
    points = depth_points(depth, intrinsics)
    return points[_is_inside(depth, box)]


def foreground_points(
    depth: Float[Tensor, "h w"],
    intrinsics: Float[Tensor, "3 3"],
    box: Float[Tensor, " 4"],
    *,
    floor: float = math.inf,
    gap: float = 0.15,
    above: float = 0.02,
) -> Float[Tensor, "n 3"]:
    """The points of the object that the box was drawn around, without floor, wall and neighbors.

    The points of the frustum that lie `above` the floor are sorted by depth and cut where `gap`
    or more lies between one and the next. Of these layers the object is the nearest whose own
    pixels fill the box from side to side: a box is tight, so its object touches all four sides,
    which a neighbor that reaches in from one side does not. Nothing is learned here; Frustum
    PointNets put a network in its place.

    Args:
        depth, intrinsics, box: as for `frustum_points`.
        floor: the coordinate y of the floor, down; infinity for none.
        gap: depth between two layers, in the unit of the depth.
        above: how far a point must be above the floor.

    Returns:
        Possibly no point, where the frustum holds none above the floor.

    Raises:
        ValueError: as `frustum_points`, or gap or above is negative.
    """
    check_number("gap", gap)
    check_number("above", above)
    points = depth_points(depth, intrinsics)
    mask = _is_inside(depth, box) & (points[:, :, 1] < floor - above)
    rows, columns = mask.nonzero(as_tuple=True)
    found = points[rows, columns]
    if len(found) == 0:
        return found
    order = found[:, 2].argsort(stable=True)
    layer = torch.zeros_like(order)
    layer[order[1:]] = (found[order, 2].diff() >= gap).cumsum(0)
    fills = []
    for number in range(int(layer.max()) + 1):
        x, y = columns[layer == number], rows[layer == number]
        own = torch.stack([x.amin(), y.amin(), x.amax() + 1, y.amax() + 1]).to(box)
        fills.append(_overlap(own, box))
    tightest = max(fills)
    nearest = next(k for k, fill in enumerate(fills) if fill >= 0.9 * tightest)
    return found[layer == nearest]


def amodal_box(
    points: Float[Tensor, "n 3"],
    *,
    floor: float | None = None,
    size: tuple[float, float, float] | None = None,
) -> Float[Tensor, " 7"]:
    """The upright box of a whole object, from the points of the part that was seen.

    The heading is the one whose rectangle around the points, seen from above, has the smallest
    area. Hidden parts are added in two ways, as far as they are known: the box reaches down to the
    floor, and away from the camera until it has the size that such objects have.

    Args:
        points: of the object, x right, y down, z ahead, from a level camera.
        floor: the coordinate y of the floor that it stands on; None ends at the lowest point.
        size: what is known of such objects' sizes along x, y and z of their own; a side that was
            seen longer stays as it was seen. None trusts the points.

    Returns:
        Center x, y, z, size x, y, z, and heading: a corner lies at center + R (±size / 2), with
        R = ((cos h, 0, sin h), (0, 1, 0), (−sin h, 0, cos h)). Front and back are not told apart:
        the heading is in [−π/4, π/4), or up to 3π/4 where a known size says which side is which.

    Raises:
        ValueError: fewer than three points, NaN or infinity, or a size that is not positive.

    Source: the amodal box of Qi and others 2018, arXiv:1711.08488, section 4.3, where a network
    fits it; the rectangle of Zhang, Xu, Dong and Dolan 2017, Efficient L-shape fitting.

    >>> seen = torch.tensor([[0.0, 0, 4], [2, 0, 4], [0, 1, 4], [0, 0, 5], [2, 0, 5]])
    >>> amodal_box(seen, floor=2.0)
    tensor([1.0000, 1.0000, 4.5000, 2.0000, 2.0000, 1.0000, 0.0000])
    """
    check_tensor("points", points, ndim=2, layout="(N, 3)")
    if points.shape[1] != 3 or len(points) < 3:
        raise ValueError(f"points has shape {tuple(points.shape)}; expected (N, 3), N >= 3")
    check_finite("points", points)
    if size is not None and not (len(size) == 3 and all(0 < s < math.inf for s in size)):
        raise ValueError(f"size is {size!r}; expected three positive numbers")
    wide = points.double()
    ground = wide[:, [0, 2]]
    quarter = math.pi / 2
    tried = torch.arange(HEADINGS, dtype=torch.float64, device=points.device)
    angles = tried * quarter / HEADINGS - quarter / 2
    extents = torch.stack([_extent(ground @ _axes(a, ground)) for a in angles.tolist()])
    heading = float(angles[extents.prod(dim=1).argmin()])
    if size is not None:
        # Of the two ways to call the sides x and z, the one that known and seen sizes agree on.
        seen = _extent(ground @ _axes(heading, ground))
        known = seen.new_tensor([size[0], size[2]])
        if (seen - known.flip(0)).abs().sum() < (seen - known).abs().sum():
            heading += quarter
    along = ground @ _axes(heading, ground)
    low, high = along.amin(dim=0), along.amax(dim=0)
    top, bottom = wide[:, 1].amin(), wide[:, 1].amax()
    if floor is not None:
        bottom = bottom.clamp(min=floor)
    if size is not None:
        short = (low.new_tensor([size[0], size[2]]) - (high - low)).clamp(min=0)
        # The camera stands at the origin: the side that it cannot see is the one farther away.
        is_ahead = (low + high) / 2 > 0
        high, low = high + short * is_ahead, low - short * ~is_ahead
        if floor is None:
            bottom = torch.maximum(bottom, top + size[1])
        else:
            top = torch.minimum(top, bottom - size[1])
    x, z = _axes(heading, ground) @ ((low + high) / 2)
    width, length = high - low
    box = torch.stack(
        [x, (top + bottom) / 2, z, width, bottom - top, length, x.new_tensor(heading)]
    )
    return box.to(points.dtype)


def box_corners(boxes: Float[Tensor, "n 7"]) -> Float[Tensor, "n 8 3"]:
    """The corners of boxes as `amodal_box` gives them.

    The first four have the lesser z of the box's own, then come those with the greater; among each
    four, y runs before x.

    Raises:
        ValueError: boxes is not a floating-point tensor (N, 7).

    >>> box_corners(torch.tensor([[0.0, 0, 4, 2, 2, 2, 0]]))[0, 0]
    tensor([-1., -1.,  3.])
    """
    check_tensor("boxes", boxes, ndim=2, layout="(N, 7)")
    if boxes.shape[1] != 7:
        raise ValueError(f"boxes has shape {tuple(boxes.shape)}; expected (N, 7)")
    signs = [[x, y, z] for z in (-0.5, 0.5) for y in (-0.5, 0.5) for x in (-0.5, 0.5)]
    own = boxes.new_tensor(signs) * boxes[:, None, 3:6]
    cos, sin = boxes[:, 6, None].cos(), boxes[:, 6, None].sin()
    x, y, z = own.unbind(-1)
    return boxes[:, None, :3] + torch.stack([cos * x + sin * z, y, cos * z - sin * x], dim=-1)


def _axes(heading: float, like: Tensor) -> Float[Tensor, "2 2"]:
    """As columns the directions of a box's own x and z in the ground plane (x, z)."""
    cos, sin = math.cos(heading), math.sin(heading)
    return like.new_tensor([[cos, sin], [-sin, cos]])


def _extent(along: Float[Tensor, "n 2"]) -> Float[Tensor, " 2"]:
    return along.amax(dim=0) - along.amin(dim=0)


def _overlap(a: Tensor, b: Tensor) -> float:
    """IoU of two boxes in the image."""
    return float(box_iou(a[None], b[None]))


def _is_inside(depth: Tensor, box: Tensor) -> Bool[Tensor, "h w"]:
    """The pixels with a depth whose centers lie in the box."""
    check_tensor("box", box, ndim=1, layout="(4,)")
    check_same_kind("box", box, "depth", depth)
    x1, y1, x2, y2 = box.tolist() if box.shape == (4,) else [math.nan] * 4
    if not (-math.inf < x1 <= x2 < math.inf and -math.inf < y1 <= y2 < math.inf):
        raise ValueError(
            f"box is {box.tolist()}; expected finite x1, y1, x2, y2, x1 <= x2, y1 <= y2"
        )
    x = torch.arange(depth.shape[1], device=depth.device) + 0.5
    y = torch.arange(depth.shape[0], device=depth.device) + 0.5
    columns, rows = (x > x1) & (x < x2), (y > y1) & (y < y2)
    return rows[:, None] & columns[None, :] & depth.isfinite() & (depth > 0)
