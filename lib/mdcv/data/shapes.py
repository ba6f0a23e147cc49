"""Six families of solids, each a function of a few proportions: the course's own shape set.

All of them fit into the cube from -1/2 to 1/2, are centered in height, and stand with y up; the
airplane flies along +z. Called plainly, a function returns its standard solid. With a generator
it draws every proportion that is not given, uniformly from the range that its docstring names.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Generator

from mdcv.data.cores import Ball, Box, Capsule, Ring
from mdcv.data.draws import uniform
from mdcv.data.outlines import Frustum, Prism
from mdcv.data.primitive import Primitive
from mdcv.data.solid import Solid

#: How far one part reaches into the next, so that two parts never meet in a shared face.
_JOINT = 0.01

Span = tuple[float, float, float]
"""A proportion: its standard value, and the lowest and highest that make sense."""


def sphere(*, generator: Generator | None = None, radius: float | None = None) -> Solid:
    """A ball around the origin, whose distance is exact inside too.

    Args:
        generator: draws the radius.
        radius: 0.4 (0.2 to 0.5).

    Raises:
        ValueError: radius is outside that range.

    >>> sphere(radius=0.5).bounds
    ((-0.5, -0.5, -0.5), (0.5, 0.5, 0.5))
    """
    (r,) = _proportions(generator, radius=((0.4, 0.2, 0.5), radius))
    return Solid("sphere", (Ball((0.0, 0.0, 0.0), r),))


def torus(
    *,
    generator: Generator | None = None,
    major: float | None = None,
    minor: float | None = None,
) -> Solid:
    """A ring lying flat around the y axis, whose distance is exact inside too.

    Args:
        generator: draws what is not given.
        major: radius of the circle in the middle of the tube, 0.33 (0.25 to 0.36).
        minor: radius of the tube, 0.13 (0.06 to 0.14).

    Raises:
        ValueError: a proportion is outside its range.

    >>> round(torus().parts[0].area, 4)    # 4 π² · major · minor
    1.6936
    """
    big, small = _proportions(
        generator, major=((0.33, 0.25, 0.36), major), minor=((0.13, 0.06, 0.14), minor)
    )
    return Solid("torus", (Ring(big, small),))


def table(
    *,
    generator: Generator | None = None,
    width: float | None = None,
    depth: float | None = None,
    height: float | None = None,
    thickness: float | None = None,
    leg: float | None = None,
) -> Solid:
    """A rounded top on four tapering legs.

    Args:
        generator: draws what is not given.
        width: of the top along x, 0.95 (0.6 to 1).
        depth: of the top along z, 0.62 (0.45 to 0.8).
        height: from floor to top, 0.55 (0.35 to 0.7).
        thickness: of the top, 0.06 (0.05 to 0.09).
        leg: radius of the legs where they meet the top, 0.035 (0.03 to 0.05).

    Raises:
        ValueError: a proportion is outside its range.

    >>> len(table().parts)
    5
    """
    w, d, h, t, r = _proportions(
        generator,
        width=((0.95, 0.6, 1.0), width),
        depth=((0.62, 0.45, 0.8), depth),
        height=((0.55, 0.35, 0.7), height),
        thickness=((0.06, 0.05, 0.09), thickness),
        leg=((0.035, 0.03, 0.05), leg),
    )
    floor = -h / 2
    top = Box((0.0, h / 2 - t / 2, 0.0), (w / 2, t / 2, d / 2), radius=0.4 * t)
    reach = (w / 2 - 1.6 * r - 0.02, d / 2 - 1.6 * r - 0.02)
    legs = _legs(reach, floor, h - t + _JOINT, r)
    return Solid("table", (top, *legs))


def chair(
    *,
    generator: Generator | None = None,
    width: float | None = None,
    depth: float | None = None,
    seat_height: float | None = None,
    back_height: float | None = None,
    thickness: float | None = None,
    leg: float | None = None,
    tilt: float | None = None,
) -> Solid:
    """A seat on four legs with a leaning back of two posts and three slats.

    Args:
        generator: draws what is not given.
        width: of the seat along x, 0.5 (0.4 to 0.6).
        depth: of the seat along z, 0.5 (0.4 to 0.55).
        seat_height: from floor to seat, 0.46 (0.38 to 0.5).
        back_height: from seat to the top of the posts, 0.5 (0.35 to 0.5).
        thickness: of the seat, 0.06 (0.05 to 0.09).
        leg: radius of the legs where they meet the seat, 0.035 (0.03 to 0.045).
        tilt: how far the back leans, as a share of its height, 0.15 (0 to 0.25).

    Raises:
        ValueError: a proportion is outside its range.

    >>> low, high = chair().bounds
    >>> round(high[1] - low[1], 2)    # seat height + back height
    0.96
    """
    w, d, seat, back, t, r, lean = _proportions(
        generator,
        width=((0.5, 0.4, 0.6), width),
        depth=((0.5, 0.4, 0.55), depth),
        seat_height=((0.46, 0.38, 0.5), seat_height),
        back_height=((0.5, 0.35, 0.5), back_height),
        thickness=((0.06, 0.05, 0.09), thickness),
        leg=((0.035, 0.03, 0.045), leg),
        tilt=((0.15, 0.0, 0.25), tilt),
    )
    floor = -(seat + back) / 2
    top = floor + seat
    plate = Box((0.0, top - t / 2, 0.0), (w / 2, t / 2, d / 2), radius=0.4 * t)
    reach = (w / 2 - 1.4 * r - 0.01, d / 2 - 1.4 * r - 0.01)
    legs = _legs(reach, floor, seat - t + _JOINT, r)

    post = 0.75 * r
    foot, head = (top - t / 2, -reach[1]), (top + back - post, -reach[1] - lean * back)

    def along_back(share: float) -> tuple[float, float]:
        return tuple(a + share * (b - a) for a, b in zip(foot, head, strict=True))  # type: ignore[return-value]

    posts = [Capsule((x, *foot), (x, *head), post) for x in (-reach[0], reach[0])]
    slats = []
    for share in (0.42, 0.68, 0.94):
        y, z = along_back(share)
        slats.append(Box((0.0, y, z), (reach[0], 0.08 * back, 0.6 * post), radius=0.5 * post))
    return Solid("chair", (plate, *legs, *posts, *slats))


def lamp(
    *,
    generator: Generator | None = None,
    height: float | None = None,
    base: float | None = None,
    pole: float | None = None,
    shade: float | None = None,
    shade_height: float | None = None,
    taper: float | None = None,
) -> Solid:
    """A standing lamp: a round foot, a thin pole and a solid shade.

    Args:
        generator: draws what is not given.
        height: from floor to the top of the shade, 1 (0.8 to 1).
        base: radius of the foot, 0.2 (0.14 to 0.26).
        pole: radius of the pole, 0.03 (0.025 to 0.04).
        shade: radius of the shade at its lower rim, 0.28 (0.2 to 0.36).
        shade_height: 0.32 (0.22 to 0.4).
        taper: radius of the upper rim as a share of the lower, 0.55 (0.35 to 0.9).

    Raises:
        ValueError: a proportion is outside its range.

    >>> [type(part).__name__ for part in lamp().parts]
    ['Frustum', 'Frustum', 'Frustum']
    """
    h, foot, r, rim, rise, share = _proportions(
        generator,
        height=((1.0, 0.8, 1.0), height),
        base=((0.2, 0.14, 0.26), base),
        pole=((0.03, 0.025, 0.04), pole),
        shade=((0.28, 0.2, 0.36), shade),
        shade_height=((0.32, 0.22, 0.4), shade_height),
        taper=((0.55, 0.35, 0.9), taper),
    )
    floor, plate = -h / 2, 0.05
    parts = (
        Frustum((0.0, floor, 0.0), plate, foot, 0.85 * foot),
        Frustum((0.0, floor + plate - _JOINT, 0.0), h - plate - rise + 2 * _JOINT, r, r),
        Frustum((0.0, floor + h - rise, 0.0), rise, rim, share * rim),
    )
    return Solid("lamp", parts)


def plane(
    *,
    generator: Generator | None = None,
    length: float | None = None,
    body: float | None = None,
    span: float | None = None,
    chord: float | None = None,
    sweep: float | None = None,
    tail: float | None = None,
) -> Solid:
    """An airplane: a round body, swept wings, a tailplane and a fin; it flies along +z.

    Args:
        generator: draws what is not given.
        length: from nose to tail, 0.96 (0.8 to 1).
        body: radius of the body, 0.07 (0.055 to 0.085).
        span: from wing tip to wing tip, 0.96 (0.7 to 1).
        chord: length of the wing at the body, 0.24 (0.18 to 0.3).
        sweep: how far the tips lie behind the root, 0.18 (0 to 0.24).
        tail: span of the tailplane as a share of the wings', 0.4 (0.3 to 0.5).

    Raises:
        ValueError: a proportion is outside its range.

    >>> [type(part).__name__ for part in plane().parts]
    ['Capsule', 'Prism', 'Prism', 'Prism', 'Prism', 'Prism']
    """
    long, r, wide, root, back, share = _proportions(
        generator,
        length=((0.96, 0.8, 1.0), length),
        body=((0.07, 0.055, 0.085), body),
        span=((0.96, 0.7, 1.0), span),
        chord=((0.24, 0.18, 0.3), chord),
        sweep=((0.18, 0.0, 0.24), sweep),
        tail=((0.4, 0.3, 0.5), tail),
    )
    rise = 0.16
    low = -(2 * r + rise) / 2 + r  # height of the body's axis: body and fin are centered together
    nose, stern = long / 2 - r, -long / 2 + r
    body_part = Capsule((0.0, low, stern), (0.0, low, nose), r)

    def wing(front: float, half_span: float, chord: float, sweep: float, level: float, t: float):
        """The left and the right wing, from the body's axis outward."""
        inner, tip = 0.2 * r, 0.4 * chord
        right = (
            (front - chord, inner),
            (front, inner),
            (front - sweep, half_span),
            (front - sweep - tip, half_span),
        )
        left = tuple((z, -x) for z, x in reversed(right))
        return [Prism(1, corners, level - t / 2, level + t / 2) for corners in (right, left)]

    wings = wing(0.16 * long, wide / 2, root, back, low - 0.3 * r, 0.045)
    tailplane = wing(stern + 0.11, share * wide / 2, 0.13, 0.3 * back, low + 0.2 * r, 0.04)
    fin = Prism(
        0,
        (
            (low, stern),
            (low + r + rise, stern - 0.04),
            (low + r + rise, stern + 0.04),
            (low, stern + 0.17),
        ),
        -0.02,
        0.02,
    )
    return Solid("plane", (body_part, *wings, *tailplane, fin))


#: Every family by its name.
SOLIDS: dict[str, Callable[..., Solid]] = {
    "chair": chair,
    "table": table,
    "lamp": lamp,
    "plane": plane,
    "sphere": sphere,
    "torus": torus,
}


def _proportions(
    generator: Generator | None, **wanted: tuple[Span, float | None]
) -> tuple[float, ...]:
    """Each proportion as given, else drawn from its range, else standard, in the order named."""
    # One draw each, used or not: to fix one proportion does not change the others.
    draws = uniform(len(wanted), generator).tolist() if generator is not None else None
    values = []
    for index, (name, ((standard, low, high), given)) in enumerate(wanted.items()):
        if given is not None:
            if not low <= given <= high:
                raise ValueError(f"{name} is {given!r}; expected a number from {low} to {high}")
            values.append(float(given))
        else:
            values.append(standard if draws is None else low + (high - low) * draws[index])
    return tuple(values)


def _legs(
    reach: tuple[float, float], floor: float, height: float, radius: float
) -> list[Primitive]:
    """Four upright legs at (±x, ±z) that widen toward the top."""
    x, z = reach
    return [
        Frustum((sx * x, floor, sz * z), height, 0.7 * radius, radius)
        for sx in (-1, 1)
        for sz in (-1, 1)
    ]
