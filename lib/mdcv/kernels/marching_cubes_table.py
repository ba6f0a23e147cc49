"""Which triangles a cell of a grid holds, for each of the 256 ways its corners may lie inside.

Nothing is looked up in a published table; each case is traced from the eight corners.

Walk around a face of the cell, counterclockwise as seen from outside. Every run of inside corners
is entered over one edge and left over another, and the surface cuts the run off along a segment
from the first crossing to the second. Two neighbors walk around their common face in opposite
directions but see the same runs, so their segments coincide and no crack can open, whatever the
corners. On an ambiguous face, with two opposite corners inside, each of them is a run: inside
corners that meet only across a face stay apart.

Every edge belongs to two faces, which walk along it in opposite directions. So every crossing
ends one segment and begins another, and the segments close to polygons with the outside above
them. A polygon is cut into triangles by diagonals through the cell, never within a face, where
the neighbor might draw the same one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache

import numpy as np

Corner = tuple[int, int, int]
Polygon = tuple[int, ...]
Triangle = tuple[int, int, int]

#: Corner c of a cell stands at CORNERS[c] from its first node; bit c of a case says it is inside.
CORNERS: tuple[Corner, ...] = tuple(itertools.product((0, 1), repeat=3))

#: Edge e runs along axis EDGES[e][1] from the corner EDGES[e][0].
EDGES: tuple[tuple[Corner, int], ...] = tuple(
    (corner, axis) for corner in CORNERS for axis in range(3) if corner[axis] == 0
)

#: No case needs more triangles.
MOST_TRIANGLES = 5


@cache
def case_table() -> np.ndarray:
    """Triangles of every case, (256, 5, 3): edges, in order, with the outside above; padded by -1.

    >>> case_table()[1, 0].tolist(), [EDGES[e] for e in case_table()[1, 0]]
    ([0, 1, 2], [((0, 0, 0), 0), ((0, 0, 0), 1), ((0, 0, 0), 2)])
    """
    table = np.full((256, MOST_TRIANGLES, 3), -1, dtype=np.int8)
    for case in range(256):
        triangles = [t for polygon in polygons(case) for t in triangulate(polygon)]
        if triangles:
            table[case, : len(triangles)] = triangles
    return table


def polygons(case: int) -> list[Polygon]:
    """The closed polygons, as edges crossed in order, that part inside from outside corners.

    >>> polygons(0b00000001), polygons(0b11111111)
    ([(0, 1, 2)], [])
    """
    following = dict(segment for face in _faces() for segment in _segments(face, case))
    found = []
    while following:
        first = min(following)
        polygon = [first]
        while (edge := following.pop(polygon[-1])) != first:
            polygon.append(edge)
        found.append(tuple(polygon))
    return found


def triangulate(polygon: Polygon) -> tuple[Triangle, ...]:
    """The triangles of a polygon whose diagonals avoid the faces and are shortest in all.

    >>> triangulate((0, 1, 2))
    ((0, 1, 2),)
    """
    sides = {frozenset(pair) for pair in itertools.pairwise((*polygon, polygon[0]))}

    def cost(triangles: tuple[Triangle, ...]) -> tuple[int, float]:
        pairs = {frozenset(pair) for t in triangles for pair in itertools.combinations(t, 2)}
        diagonals = [_diagonal(*sorted(pair)) for pair in pairs - sides]
        in_faces, lengths = zip(*diagonals, strict=True) if diagonals else ((), ())
        return sum(in_faces), round(sum(lengths), 6)

    return min(_triangulations(polygon), key=cost)


def _faces() -> Iterator[tuple[Corner, ...]]:
    """The six faces, each as its corners counterclockwise seen from outside."""
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3  # with the axis, a right-handed frame
        for side in (0, 1):
            around = [(0, 0), (1, 0), (1, 1), (0, 1)]
            corners = [np.zeros(3, dtype=int) for _ in around]
            for corner, (at_u, at_v) in zip(corners, around, strict=True):
                corner[[axis, u, v]] = side, at_u, at_v
            order = corners if side == 1 else corners[::-1]
            yield tuple((int(a), int(b), int(c)) for a, b, c in order)


def _segments(face: tuple[Corner, ...], case: int) -> list[tuple[int, int]]:
    """One segment for each run of inside corners, from the edge entered to the edge left."""
    inside = [bool(case >> CORNERS.index(corner) & 1) for corner in face]
    entered = [n for n in range(4) if inside[n] and not inside[n - 1]]
    segments = []
    for n in entered:
        last = next(m for m in range(n, n + 4) if not inside[(m + 1) % 4])
        left = face[last % 4], face[(last + 1) % 4]
        segments.append((_edge(face[n - 1], face[n]), _edge(*left)))
    return segments


def _edge(a: Corner, b: Corner) -> int:
    """The number of the edge between two corners."""
    low, high = sorted((a, b))
    return EDGES.index((low, np.subtract(high, low).argmax()))


@cache
def _diagonal(a: int, b: int) -> tuple[bool, float]:
    """Whether the middles of two edges share a face, and how far apart they are."""
    (corner_a, along_a), (corner_b, along_b) = EDGES[a], EDGES[b]
    middle_a, middle_b = (np.add(EDGES[e][0], 0.5 * np.eye(3)[EDGES[e][1]]) for e in (a, b))
    share_a_face = any(
        corner_a[axis] == corner_b[axis] for axis in range(3) if axis not in (along_a, along_b)
    )
    return share_a_face, round(float(np.linalg.norm(middle_a - middle_b)), 6)


def _triangulations(polygon: Polygon) -> Iterator[tuple[Triangle, ...]]:
    """All ways to cut a polygon: some corner makes a triangle with the side from last to first."""
    if len(polygon) < 3:
        yield ()
        return
    for m in range(1, len(polygon) - 1):
        for before in _triangulations(polygon[: m + 1]):
            for after in _triangulations(polygon[m:]):
                yield ((polygon[0], polygon[m], polygon[-1]), *before, *after)
