"""An auction that assigns points to points, and proves how near to the optimum it came.

Every point of x bids for the point of y that costs it least, price included, and raises the price
by as much as it prefers it to its second choice, plus ε. Whoever is outbid bids again. When all
have a partner, the total exceeds the optimum by at most N ε. Rounds with smaller and smaller ε
start from the prices of the round before.

The proof is in the prices p. Whatever they are, Σ over i of min over j (c_ij + p_j) - Σ over j of
p_j is at most the optimum, since an optimal assignment pays every p_j once.

Source: Bertsekas 1988, "The auction algorithm: a distributed relaxation method for the assignment
problem"; rounds that stop by the certificate, not by ε, are ours.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from mdcv.kernels.lanes import LANES, two_smallest

#: ε of a round in terms of the round before, at the least.
SCALING = 0.2

#: Bids a point may make on average before the auction gives up.
MOST_BIDS = 300

#: Rounding in a sum of N terms, in terms of N times the largest; float64, with a margin.
ROUNDING = 1e-15


def auction(x: np.ndarray, y: np.ndarray, tolerance: float) -> tuple[np.ndarray, float]:
    """A permutation (N,) and its certified relative gap; x and y (N, D) in float64.

    The gap is infinite where the auction gave up before it came down to the tolerance.
    """
    permutation, gap = _auction(x, y, tolerance, np.float32(0.0))
    if gap == np.inf:
        # Costs in float32 halve the time, but far points can round more than the near ones cost.
        permutation, gap = _auction(x, y, tolerance, np.float64(0.0))
    return permutation, gap


@njit(nogil=True, cache=True)
def _auction(x, y, tolerance, zero):
    """`zero` says by its type in which precision the costs are stored."""
    n = x.shape[0]
    costs, largest = _padded_costs(x, y, zero)
    prices = np.zeros(costs.shape[0] // n)
    partner = np.full(n, -1)
    bids_left = MOST_BIDS * n
    if largest == 0:
        return np.arange(n), 0.0
    # A first ε as large as the costs: one far point makes all prices climb as far.
    epsilon = largest / 2
    while bids_left > 0:
        bids_left = _hold_round(costs, prices, epsilon, partner, bids_left)
        if bids_left <= 0:
            break
        gap = _gap(costs, prices, partner)
        if gap <= tolerance:
            gap = _certified_gap(x, y, prices, partner)
            return partner, gap if gap <= tolerance else np.inf
        # The gap shrinks about as ε does; more than the tolerance asks for would cost bids.
        epsilon *= max(SCALING, min(0.5, 0.8 * tolerance / gap))
    return partner, np.inf


@njit(nogil=True, cache=True)
def _distances_from(point, targets, distances):
    """Fills distances[:N] with those from one point (D,) to the targets (D, N)."""
    n = targets.shape[1]
    distances[:n] = 0.0
    for d in range(targets.shape[0]):
        for j in range(n):
            difference = point[d] - targets[d, j]
            distances[j] += difference * difference
    for j in range(n):
        distances[j] = np.sqrt(distances[j])


@njit(nogil=True, cache=True)
def _padded_costs(x, y, zero):
    """Distances row after row, each padded with infinity, in the type of zero; and the largest."""
    n = x.shape[0]
    columns = (n + LANES - 1) // LANES * LANES
    costs = np.full((n, columns), zero)
    targets = np.ascontiguousarray(y.T)
    row = np.full(columns, np.inf)
    largest = 0.0
    for i in range(n):
        _distances_from(x[i], targets, row)
        for j in range(columns):
            costs[i, j] = row[j]
        largest = max(largest, row[:n].max())
    return costs.reshape(-1), largest


@njit(nogil=True, cache=True)
def _hold_round(costs, prices, epsilon, partner, bids_left):
    """Auctions until everyone has a partner or no bid is left; returns the bids left."""
    n, columns = partner.shape[0], prices.shape[0]
    first, second = np.empty(LANES), np.empty(LANES)
    where = np.empty(LANES, np.int32)
    owner = np.full(n, -1)
    partner[:] = -1
    bidders = np.arange(n)
    size = n
    while size > 0 and bids_left > 0:
        bids_left -= 1
        i = bidders[size - 1]
        two_smallest(costs, i * columns, prices, columns // LANES, first, second, where)
        lane = first.argmin()
        best, next_best = first[lane], second[lane]
        for other in range(LANES):
            if other != lane:
                next_best = min(next_best, first[other])
        j = where[lane] * LANES + lane
        prices[j] += next_best - best + epsilon
        outbid = owner[j]
        owner[j], partner[i] = i, j
        size -= 1
        if outbid >= 0:
            bidders[size] = outbid
            size += 1
    return bids_left


@njit(nogil=True, cache=True)
def _gap(costs, prices, partner):
    """The relative gap that the prices prove, but for the rounding of the stored costs."""
    n, columns = partner.shape[0], prices.shape[0]
    first, second = np.empty(LANES), np.empty(LANES)
    where = np.empty(LANES, np.int32)
    bound, total = -prices.sum(), 0.0
    for i in range(n):
        two_smallest(costs, i * columns, prices, columns // LANES, first, second, where)
        bound += first.min()
        total += costs[i * columns + partner[i]]
    if total == 0:
        return 0.0
    return (total - bound) / bound if bound > 0 else np.inf


@njit(nogil=True, cache=True)
def _certified_gap(x, y, prices, partner):
    """The relative gap from costs in float64, with all that rounding may have hidden."""
    n, columns = partner.shape[0], prices.shape[0]
    first, second = np.empty(LANES), np.empty(LANES)
    where = np.empty(LANES, np.int32)
    targets = np.ascontiguousarray(y.T)
    row = np.full(columns, np.inf)
    bound, total, largest = -prices.sum(), 0.0, prices.max()
    for i in range(n):
        _distances_from(x[i], targets, row)
        two_smallest(row, 0, prices, columns // LANES, first, second, where)
        bound += first.min()
        total += row[partner[i]]
        largest = max(largest, first.min())
    if total == 0:
        return 0.0
    slack = ROUNDING * n * largest
    return (total - bound + 2 * slack) / (bound - slack) if bound > slack else np.inf
