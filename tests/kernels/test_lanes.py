import numba
import numpy as np
import pytest

from mdcv.kernels.lanes import (
    LANES,
    distances_to_block,
    distances_to_boxes,
    greatest,
    lane_extremes,
    least_lanes,
    lower,
    lowest_bit,
    row_extremes,
    two_smallest,
)


@numba.njit
def block(blocks, start, query, limit, squared):
    return distances_to_block(blocks, start, query, limit, squared)


@numba.njit
def boxes(lows, highs, start, query, limit, squared):
    return distances_to_boxes(lows, highs, start, query, limit, squared)


@numba.njit
def extremes(values, start, rows, lowest, highest):
    lane_extremes(values, start, rows, lowest, highest)


@numba.njit
def extremes_of_row(values, start):
    return row_extremes(values, start)


@numba.njit
def least(values):
    return least_lanes(values)


@numba.njit
def lower_row(values, start, limits):
    lower(values, start, limits)


@numba.njit
def greatest_of_row(values, indices, start):
    return greatest(values, indices, start)


@numba.njit
def lowest(bits):
    return lowest_bit(bits)


@numba.njit
def smallest_two(costs, start, prices, rows, first, second, where):
    two_smallest(costs, start, prices, rows, first, second, where)


def bits(mask: np.ndarray) -> int:
    return sum(1 << lane for lane in range(LANES) if mask[lane])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("axes", [1, 3, 5])
def test_distances_to_sixteen_points_are_summed_in_order(dtype, axes):
    rng = np.random.default_rng(0)
    table = rng.standard_normal((3, axes, LANES)).astype(dtype)
    query, squared = rng.standard_normal(axes).astype(dtype), np.empty(LANES, dtype)
    expected = np.zeros(LANES, dtype)
    for d in range(axes):
        expected += (query[d] - table[2, d]) ** 2
    limit = np.sort(expected)[5]
    near = block(table.reshape(-1), 2 * axes * LANES, query, limit, squared)
    np.testing.assert_array_equal(squared, expected)
    assert near == bits(expected <= limit)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_box_is_never_farther_than_a_point_in_it(dtype):
    rng = np.random.default_rng(1)
    points = (1e4 + 1e-2 * rng.standard_normal((2000, 3, LANES))).astype(dtype)
    lows, highs = points.min(axis=2), points.max(axis=2)
    squared, nearest = np.empty(LANES, dtype), np.empty(LANES, dtype)
    for i in range(0, 2000, LANES):
        query = points[i + 1, :, 0].copy()
        low, high = lows[i : i + LANES].T.copy(), highs[i : i + LANES].T.copy()
        boxes(low.reshape(-1), high.reshape(-1), 0, query, dtype(np.inf), squared)
        for lane in range(LANES):
            block(points[i + lane].reshape(-1), 0, query, dtype(np.inf), nearest)
            assert squared[lane] <= nearest.min()
        assert squared[1] == 0


def test_distance_to_a_box_is_that_to_its_nearest_corner_face_or_zero():
    low = np.zeros((2, LANES))
    high = np.ones((2, LANES))
    squared = np.empty(LANES)
    for query, expected in (((4.0, 5.0), 25.0), ((-2.0, 0.5), 4.0), ((0.3, 0.6), 0.0)):
        near = boxes(low.reshape(-1), high.reshape(-1), 0, np.array(query), expected, squared)
        np.testing.assert_array_equal(squared, np.full(LANES, expected))
        assert near == (1 << LANES) - 1


def test_an_array_with_gaps_is_refused():
    table, squared = np.zeros(3 * LANES), np.empty(LANES)
    with pytest.raises(Exception, match="contiguous"):
        block(table, 0, np.zeros(6)[::2], 1.0, squared)


def test_lane_extremes_of_a_run_of_rows():
    values = np.random.default_rng(2).standard_normal(10 * LANES)
    least, most = np.empty(LANES), np.empty(LANES)
    extremes(values, 3, 4, least, most)
    rows = values[3 : 3 + 4 * LANES].reshape(4, LANES)
    np.testing.assert_array_equal(least, rows.min(axis=0))
    np.testing.assert_array_equal(most, rows.max(axis=0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extremes_of_a_row_leave_its_padding_out(dtype):
    values = np.random.default_rng(4).standard_normal(3 * LANES).astype(dtype)
    for start in range(2 * LANES):
        row = values[start : start + LANES]
        assert extremes_of_row(values, start) == (row.min(), row.max())
    values[5:LANES] = np.inf
    assert extremes_of_row(values, 0) == (values[:5].min(), values[:5].max())
    assert extremes_of_row(np.full(LANES, np.inf, dtype), 0) == (np.inf, -np.inf)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_lanes_that_are_as_small_as_any(dtype):
    rng = np.random.default_rng(5)
    for _ in range(50):
        values = rng.integers(8, size=LANES).astype(dtype)
        assert least(values) == bits(values == values.min())
    values[:] = np.inf
    assert least(values) == (1 << LANES) - 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_is_lowered_to_its_limits_and_no_further(dtype):
    rng = np.random.default_rng(6)
    values, limits = rng.random(3 * LANES).astype(dtype), rng.random(LANES).astype(dtype)
    limits[3] = np.inf
    expected = values.copy()
    expected[5 : 5 + LANES] = np.minimum(values[5 : 5 + LANES], limits)
    lower_row(values, 5, limits)
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_greatest_of_a_row_and_the_lowest_index_that_has_it(dtype):
    rng = np.random.default_rng(7)
    for start in range(2 * LANES):
        values = rng.integers(-1, 4, size=3 * LANES).astype(dtype)
        indices = rng.permutation(3 * LANES).astype(np.int32)
        row, names = values[start : start + LANES], indices[start : start + LANES]
        expected = row.max(), names[row == row.max()].min()
        assert greatest_of_row(values, indices, start) == expected
    values[:], indices[:] = np.inf, 2**31 - 1
    assert greatest_of_row(values, indices, 0) == (np.inf, 2**31 - 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_two_smallest_sums_of_every_lane(dtype):
    rng = np.random.default_rng(3)
    costs, prices = rng.random((2, 5, LANES)).astype(dtype), rng.random(5 * LANES)
    first, second = np.empty(LANES), np.empty(LANES)
    where = np.empty(LANES, np.int32)
    smallest_two(costs.reshape(-1), 5 * LANES, prices, 5, first, second, where)
    sums = costs[1].astype(np.float64) + prices.reshape(5, LANES)
    np.testing.assert_array_equal(first, np.sort(sums, axis=0)[0])
    np.testing.assert_array_equal(second, np.sort(sums, axis=0)[1])
    np.testing.assert_array_equal(where, sums.argmin(axis=0))


def test_lowest_bit_of_an_integer():
    assert [lowest(np.uint32(n)) for n in (1, 2, 12, 1 << 15, 0xFFFF)] == [0, 1, 2, 15, 0]
