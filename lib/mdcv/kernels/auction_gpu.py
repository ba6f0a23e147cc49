"""The auction of `auction_cpu` on a GPU: one program per pair of sets, a few bidders at a time.

The bidders of a step see the same prices. Where several bid for one point, the highest bid takes
it and the others bid again; of equal bids the first in the queue wins, so that a result never
depends on which thread is done first. No table of costs is kept: memory grows with N, not with N².

A program goes from the first bid to the certificate without the host. A batch fills the card; a
single pair keeps one multiprocessor busy.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from mdcv.kernels.box_overlap_gpu import AS_WRITTEN
from mdcv.kernels.nearest_neighbors_gpu import NO_INDEX, squared_distances

#: Bidders of a step, and the points that they look at together. While FEW are left, one by one.
BIDDERS, POINTS, FEW = 32, 64, 4

#: The points that a single bidder looks at together.
POINTS_OF_ONE = 1024

WARPS = 8

#: As for the body on the CPU: ε of a round in terms of the round before, at the least; bids a
#: point may make on average; and what rounding can do to a sum of N terms.
SCALING, MOST_BIDS, ROUNDING = tl.constexpr(0.2), tl.constexpr(300), tl.constexpr(1e-15)


def auction_gpu(x: Tensor, y: Tensor, tolerance: float, precision: torch.dtype):
    """Permutations (B, N) and certified relative gaps (B,); x and y (B, N, D), N and D at least 1.

    Bids are computed in float32 or float64 as `precision` says, certificates always in float64.
    The gap is infinite where the auction gave up before it came down to the tolerance.
    """
    batch, n, axes = x.shape
    both = torch.cat([x, y], dim=1).double()
    extent = (both.amax(dim=1) - both.amin(dim=1)).square().sum(dim=1).sqrt()
    partner = torch.arange(n, device=x.device).repeat(batch, 1)
    gap = torch.full_like(extent, torch.inf)
    prices = torch.empty((batch, n), dtype=torch.float64, device=x.device)
    # Who has each point, and who waits for one.
    owner = torch.empty((batch, n), dtype=torch.int32, device=x.device)
    queue = torch.empty_like(owner)
    limit = torch.full((), tolerance, dtype=torch.float64, device=x.device)
    if batch:
        _hold_auction[(batch,)](
            x.mT.contiguous(), y.mT.contiguous(), extent, limit, prices, owner, queue, partner, gap,
            n, axes, tl.float32 if precision == torch.float32 else tl.float64,
            BIDDERS, POINTS, FEW, POINTS_OF_ONE, num_warps=WARPS, **AS_WRITTEN,
        )  # fmt: skip
    return partner, gap


@triton.jit
def _hold_auction(
    x,
    y,
    extents,
    limit,
    prices,
    owner,
    queue,
    partner,
    gaps,
    n,
    AXES: tl.constexpr,
    KIND: tl.constexpr,
    BIDDERS: tl.constexpr,
    POINTS: tl.constexpr,
    FEW: tl.constexpr,
    POINTS_OF_ONE: tl.constexpr,
):
    pair = tl.program_id(0).to(tl.int64)
    x += pair * AXES * n
    y += pair * AXES * n
    prices += pair * n
    owner += pair * n
    queue += pair * n
    partner += pair * n
    extent, tolerance = tl.load(extents + pair), tl.load(limit)
    _fill(prices, 0.0, n, POINTS_OF_ONE)
    # A first ε as large as the costs: one far point makes all prices climb as far.
    epsilon = extent / 2
    # In one place all costs are 0, and as they are partners. Beyond the range of the numbers
    # nothing can be compared: then nobody bids, and the gap remains infinite.
    kind_extent = extent.to(KIND)
    in_range = kind_extent * kind_extent < float("inf")
    bids_left = tl.where(in_range & (extent > 0), MOST_BIDS * n, 0)
    gap = tl.where(extent > 0, float("inf"), tl.cast(0.0, tl.float64))
    while bids_left > 0:
        _fill(owner, -1, n, POINTS_OF_ONE)
        _count_up(queue, n, POINTS_OF_ONE)
        tl.debug_barrier()
        waiting = n
        while (waiting > 0) & (bids_left > 0):
            if waiting > FEW:
                size = tl.minimum(waiting, BIDDERS)
                waiting = _bid(
                    x, y, prices, owner, queue, partner, waiting, size, epsilon, extent, n,
                    AXES, KIND, BIDDERS, POINTS,
                )  # fmt: skip
            else:
                size = 1
                waiting = _bid(
                    x, y, prices, owner, queue, partner, waiting, size, epsilon, extent, n,
                    AXES, KIND, 1, POINTS_OF_ONE,
                )  # fmt: skip
            bids_left -= size
        if waiting == 0:
            total, bound, slack = _certify(x, y, prices, partner, n, AXES, BIDDERS, POINTS)
            room = bound - slack
            proven = (total - bound + 2 * slack) / tl.where(room > 0, room, 1.0)
            proven = tl.where(room > 0, proven, float("inf"))
            proven = tl.where(total == 0, 0.0, proven)
            # But for rounding, the total exceeds the bound by n ε at most. When that satisfies
            # and the gap does not, smaller bids would not help.
            if (proven <= tolerance) | (n * epsilon <= tolerance * bound):
                gap = tl.where(proven <= tolerance, proven, float("inf"))
                bids_left = 0
            # The gap shrinks about as ε does; more than the tolerance asks for would cost bids.
            shrink = 0.8 * tolerance / tl.maximum(proven, tolerance)
            epsilon *= tl.maximum(SCALING, tl.minimum(0.5, shrink))
    tl.store(gaps + pair, gap)


@triton.jit
def _bid(
    x,
    y,
    prices,
    owner,
    queue,
    partner,
    waiting,
    size,
    epsilon,
    extent,
    n,
    AXES: tl.constexpr,
    KIND: tl.constexpr,
    BIDDERS: tl.constexpr,
    POINTS: tl.constexpr,
):
    """The last `size` of the queue bid; returns how many wait now."""
    lane = tl.arange(0, BIDDERS)
    is_bidder = lane < size
    i = tl.load(queue + waiting - size + lane, mask=is_bidder, other=0)
    best, second, wanted = _two_cheapest(x, y, prices, i, is_bidder, n, AXES, KIND, BIDDERS, POINTS)
    # As much as it may rise, but where there is no second choice at all.
    rise = tl.minimum(second - best, extent) + epsilon
    price = tl.load(prices + wanted, mask=is_bidder, other=0.0)
    outbid = tl.load(owner + wanted, mask=is_bidder, other=-1)
    is_rival = (wanted[:, None] == wanted[None, :]) & is_bidder[None, :]
    is_ahead = (rise[None, :] > rise[:, None]) | (
        (rise[None, :] == rise[:, None]) & (lane[None, :] < lane[:, None])
    )
    wins = is_bidder & (tl.max((is_rival & is_ahead).to(tl.int32), axis=1) == 0)
    # Everything is read before anything is written, and written before anything is read again.
    tl.debug_barrier()
    tl.store(prices + wanted, price + rise, mask=wins)
    tl.store(owner + wanted, i, mask=wins)
    tl.store(partner + i, wanted.to(tl.int64), mask=wins)
    again = tl.where(wins, outbid, i)
    is_again = is_bidder & (again >= 0)
    rank = tl.cumsum(is_again.to(tl.int32), axis=0) - 1
    tl.store(queue + waiting - size + rank, again, mask=is_again)
    tl.debug_barrier()
    return waiting - size + tl.sum(is_again.to(tl.int32), axis=0)


@triton.jit
def _two_cheapest(
    x,
    y,
    prices,
    i,
    is_i,
    n,
    AXES: tl.constexpr,
    KIND: tl.constexpr,
    BIDDERS: tl.constexpr,
    POINTS: tl.constexpr,
):
    """Cost and price of the cheapest point and of the next, and which the cheapest is.

    Each lane keeps its own two until all points are seen.
    """
    lane = tl.arange(0, POINTS)[None, :]
    low = tl.full([BIDDERS, POINTS], float("inf"), tl.float64)
    next_low = tl.full([BIDDERS, POINTS], float("inf"), tl.float64)
    winner = tl.zeros([BIDDERS, POINTS], tl.int32) + lane
    for first in range(0, n, POINTS):
        j = first + lane
        squared = squared_distances(
            x + i[:, None], y + j, is_i[:, None], j < n, n, n, AXES=AXES, KIND=KIND
        )
        price = tl.load(prices + j, mask=j < n, other=float("inf"))
        value = tl.sqrt(squared).to(tl.float64) + price
        next_low = tl.minimum(next_low, tl.maximum(low, value))
        winner = tl.where(value < low, j, winner)
        low = tl.minimum(low, value)
    best = tl.min(low, axis=1)
    wanted = tl.min(tl.where(low == best[:, None], winner, NO_INDEX), axis=1)
    others = tl.where(winner == wanted[:, None], next_low, low)
    return best, tl.min(others, axis=1), wanted


@triton.jit
def _certify(
    x, y, prices, partner, n, AXES: tl.constexpr, BIDDERS: tl.constexpr, POINTS: tl.constexpr
):
    """The total, a bound below which no total lies, and what rounding may have hidden."""
    lane = tl.arange(0, BIDDERS)
    paid = tl.zeros([BIDDERS], tl.float64)
    least = tl.zeros([BIDDERS], tl.float64)
    price = tl.zeros([BIDDERS], tl.float64)
    largest = tl.zeros([BIDDERS], tl.float64)
    for first in range(0, n, BIDDERS):
        i = first + lane
        is_i = i < n
        best, _, _ = _two_cheapest(x, y, prices, i, is_i, n, AXES, tl.float64, BIDDERS, POINTS)
        j = tl.load(partner + i, mask=is_i, other=0)
        squared = squared_distances(x + i, y + j, is_i, is_i, n, n, AXES=AXES, KIND=tl.float64)
        own = tl.load(prices + i, mask=is_i, other=0.0)
        paid += tl.sqrt(squared)
        least += tl.where(is_i, best, 0.0)
        price += own
        largest = tl.maximum(largest, tl.maximum(own, tl.where(is_i, best, 0.0)))
    slack = ROUNDING * n * tl.max(largest, axis=0)
    return tl.sum(paid, axis=0), tl.sum(least, axis=0) - tl.sum(price, axis=0), slack


@triton.jit
def _fill(values, value, n, BLOCK: tl.constexpr):
    for first in range(0, n, BLOCK):
        j = first + tl.arange(0, BLOCK)
        tl.store(values + j, tl.full([BLOCK], value, values.dtype.element_ty), mask=j < n)


@triton.jit
def _count_up(values, n, BLOCK: tl.constexpr):
    for first in range(0, n, BLOCK):
        j = first + tl.arange(0, BLOCK)
        tl.store(values + j, j, mask=j < n)
