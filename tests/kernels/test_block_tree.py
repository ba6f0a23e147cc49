import numpy as np
import pytest

from mdcv.kernels.block_tree import NO_POINT, build_block_tree, home_blocks
from mdcv.kernels.lanes import LANES


def cloud(kind: str, count: int, axes: int = 3, dtype=np.float32) -> np.ndarray:
    """Points of the kind that hurts a spatial structure most."""
    rng = np.random.default_rng(count)
    points = rng.standard_normal((count, axes))
    match kind:
        case "lattice":
            points = np.round(points)
        case "one place":
            points = np.zeros_like(points)
        case "cluster and outlier":
            points = 1e-3 * points
            points[0] = 1e6
        case "huge":
            points = points * np.finfo(dtype).max / 8
    return points.astype(dtype)


KINDS = ("normal", "lattice", "one place", "cluster and outlier", "huge")
COUNTS = (1, 15, 16, 17, 255, 256, 257, 3000, 5000)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", COUNTS)
def test_every_point_stands_in_one_lane_with_its_coordinates(kind, count):
    points = cloud(kind, count)
    tree = build_block_tree(points)
    blocks = tree.blocks.reshape(-1, 3, LANES)
    lanes = [(b, lane) for b in range(len(blocks)) for lane in range(LANES)]
    taken = {
        tree.indices[b * LANES + lane]: blocks[b, :, lane]
        for b, lane in lanes
        if tree.indices[b * LANES + lane] != NO_POINT
    }
    assert sorted(taken) == list(range(count))
    assert len(blocks) == -(-count // LANES)
    np.testing.assert_array_equal(np.stack([taken[i] for i in range(count)]), points)
    assert np.isinf(blocks.transpose(0, 2, 1)[tree.indices.reshape(-1, LANES) == NO_POINT]).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", COUNTS)
def test_boxes_are_tight_and_know_their_lowest_index(kind, count):
    points = cloud(kind, count)
    tree = build_block_tree(points)
    # All points below a node, level by level, from the blocks up.
    below = [ids[ids != NO_POINT] for ids in tree.indices.reshape(-1, LANES)]
    lows, highs = tree.lows.reshape(-1, 3, LANES), tree.highs.reshape(-1, 3, LANES)
    for first, end in zip(tree.first_node[:-1], tree.first_node[1:], strict=True):
        for node in range(first, end):
            children = below[(node - first) * LANES : (node - first + 1) * LANES]
            for lane, ids in enumerate(children):
                np.testing.assert_array_equal(lows[node, :, lane], points[ids].min(axis=0))
                np.testing.assert_array_equal(highs[node, :, lane], points[ids].max(axis=0))
                assert tree.least[node * LANES + lane] == ids.min()
            assert (
                tree.least[node * LANES : (node + 1) * LANES][len(children) :] == NO_POINT
            ).all()
        below = [
            np.concatenate(below[i : i + LANES]) for i in range(0, (end - first) * LANES, LANES)
        ]
    assert len(below) == 1


def test_equal_points_of_several_blocks_stand_in_index_order():
    """So that a search for the lowest index among them finds it at once."""
    place = np.arange(1024) % 2
    tree = build_block_tree(place[:, None].astype(np.float64))
    assert tree.indices.tolist() == [*range(0, 1024, 2), *range(1, 1024, 2)]


def test_the_box_of_a_block_in_a_cube_is_about_as_wide_as_it_is_high():
    points = np.random.default_rng(0).random((4096, 3))
    tree = build_block_tree(points)
    sides = (tree.highs - tree.lows).reshape(-1, 3, LANES)[: tree.first_node[1]]
    # 256 blocks in the unit cube: 4, 8 and 8 along the axes, in some order.
    assert np.median(sides.max(axis=1)) < 0.3


@pytest.mark.parametrize("kind", KINDS[:-1])
@pytest.mark.parametrize("count", (1, 17, 3000))
def test_queries_come_in_the_order_of_their_home_blocks(kind, count):
    queries = cloud("normal", 200)
    tree = build_block_tree(cloud(kind, count))
    home, order, _ = home_blocks(tree, queries)
    assert sorted(order) == list(range(200))
    assert (np.diff(home[order]) >= 0).all()
    assert home.min() >= 0 and home.max() < len(tree.indices) // LANES


def test_a_point_of_the_set_is_at_home_where_it_stands():
    points = cloud("normal", 5000)
    tree = build_block_tree(points)
    home, _, _ = home_blocks(tree, points)
    block_of = np.empty(5000, np.int64)
    block_of[tree.indices[:5000]] = np.arange(5000) // LANES
    np.testing.assert_array_equal(home, block_of)


@pytest.mark.parametrize("kind", KINDS[:-1])
@pytest.mark.parametrize("count", (1, 16, 17, 255, 257, 5000))
def test_nothing_beyond_the_splits_around_a_query_is_nearer_than_they_are(kind, count):
    queries, points = cloud("normal", 50), cloud(kind, count)
    tree = build_block_tree(points)
    home, _, room = home_blocks(tree, queries)
    assert room.shape == (50, len(tree.first_node) - 1)
    squared = np.zeros((50, count), np.float32)
    for d in range(3):
        squared += (queries[:, None, d] - points[None, :, d]) ** 2
    block = np.empty(count, np.int64)
    block[tree.indices[tree.indices != NO_POINT]] = np.arange(count) // LANES
    for level in range(room.shape[1]):
        beyond = block // LANES**level != home[:, None] // LANES**level
        assert (np.where(beyond, squared, np.inf) >= room[:, level, None]).all()
        assert (room[:, level] <= room[:, -1]).all()
    if kind == "normal" and count == 5000:
        assert (room > 0).all() and np.isfinite(room).all()
