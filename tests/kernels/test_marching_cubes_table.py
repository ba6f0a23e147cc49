"""The triangles of a cell, for every one of its 256 cases."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from mdcv.kernels.marching_cubes_table import (
    CORNERS,
    EDGES,
    MOST_TRIANGLES,
    case_table,
    polygons,
    triangulate,
)


def ends(edge: int) -> tuple[int, int]:
    """The numbers of the two corners of an edge."""
    corner, axis = EDGES[edge]
    other = tuple(np.add(corner, np.eye(3, dtype=int)[axis]).tolist())
    return CORNERS.index(corner), CORNERS.index(other)


def triangles(case: int) -> list[tuple[int, ...]]:
    return [tuple(t) for t in case_table()[case].tolist() if t[0] >= 0]


def middle(edge: int) -> np.ndarray:
    return (np.add(*(CORNERS[c] for c in ends(edge)))) / 2


def test_polygons_pass_each_crossed_edge_once():
    for case in range(256):
        crossed = {e for e in range(12) if (case >> ends(e)[0] ^ case >> ends(e)[1]) & 1}
        passed = Counter(itertools.chain.from_iterable(polygons(case)))
        assert passed == Counter(crossed), case
        assert {e for t in triangles(case) for e in t} == crossed, case
        assert len(triangles(case)) == len(crossed) - 2 * len(polygons(case)), case


@pytest.mark.parametrize("corner", range(8))
def test_a_single_corner_has_the_outside_above_its_triangle(corner):
    for case, sign in ((1 << corner, 1), (255 - (1 << corner), -1)):
        ((a, b, c),) = triangles(case)
        normal = np.cross(middle(b) - middle(a), middle(c) - middle(a))
        away = middle(a) + middle(b) + middle(c) - 3 * np.array(CORNERS[corner])
        assert sign * normal @ away > 0


def test_sides_of_triangles_meet_within_the_cell_or_lie_on_its_faces_alone():
    """A diagonal in a face could be drawn by the neighbor too: four triangles around one side."""
    for case in range(256):
        sides = Counter(side for t in triangles(case) for side in itertools.pairwise((*t, t[0])))
        assert max(sides.values(), default=1) == 1
        for a, b in sides:
            in_a_face = any(
                len({CORNERS[c][axis] for c in (*ends(a), *ends(b))}) == 1 for axis in range(3)
            )
            assert in_a_face != ((b, a) in sides)


def test_neighbors_draw_one_segment_on_their_common_face_in_opposite_directions():
    def on_face(case: int, axis: int, side: int) -> set:
        """Directed sides on a face, by the corners of their edges without the axis."""
        found = set()
        for t in triangles(case):
            for a, b in itertools.pairwise((*t, t[0])):
                corners = [[CORNERS[c] for c in ends(e)] for e in (a, b)]
                if all(corner[axis] == side for pair in corners for corner in pair):
                    flat = [
                        frozenset(tuple(np.delete(corner, axis)) for corner in pair)
                        for pair in corners
                    ]
                    found.add(tuple(flat))
        return found

    for axis in range(3):
        seen: dict[tuple, set] = {}
        for side in (1, 0):
            for case in range(256):
                face = tuple(case >> c & 1 for c in range(8) if CORNERS[c][axis] == side)
                drawn = on_face(case, axis, side)
                if side == 0:
                    drawn = {(b, a) for a, b in drawn}
                assert seen.setdefault(face, drawn) == drawn


def test_opposite_corners_stay_apart_on_a_face_and_through_the_cell():
    assert len(polygons(0b00001001)) == 2  # corners 0 and 3 share a face
    assert len(polygons(0b10000001)) == 2  # corners 0 and 7 share only the cell
    assert len(polygons(0b11110110)) == 1  # outside corners 0 and 3 are one tunnel


def test_the_table_is_full_and_no_fuller():
    counts = (case_table()[:, :, 0] >= 0).sum(axis=1)
    assert counts.max() == MOST_TRIANGLES
    assert counts[0] == counts[255] == 0
    assert case_table().min() == -1 and case_table().max() == 11


def test_a_polygon_of_four_sides_is_cut_along_its_shorter_diagonal():
    for case in range(256):
        for polygon in polygons(case):
            if len(polygon) == 4:
                a, b, c, d = map(middle, polygon)
                ((p, q),) = {
                    (p, q)
                    for t in triangulate(polygon)
                    for p, q in itertools.pairwise((*t, t[0]))
                    if polygon.index(q) - polygon.index(p) == 2
                }
                shortest = min(np.linalg.norm(a - c), np.linalg.norm(b - d))
                assert np.linalg.norm(middle(p) - middle(q)) == pytest.approx(shortest)
