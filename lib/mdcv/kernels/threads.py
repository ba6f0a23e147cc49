"""A few threads for kernels that release the GIL, each on a range of the work.

Not numba's `parallel=True`: after one parallel call a forked child, such as a data loader's
worker, would die. This pool is simply forgotten in a child, and built anew when it is needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

#: Below this many elementary operations one thread is faster than handing work around.
SERIAL_BELOW = 1_000_000

#: Ranges per thread, so that a thread with easy ranges can take more of them.
RANGES_PER_THREAD = 4

_pools: dict[int, ThreadPoolExecutor] = {}

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)

Prepared = TypeVar("Prepared")


def over_ranges(kernel: Callable[[int, int], None], length: int, *, operations: float) -> None:
    """Calls kernel(low, high) for ranges that together cover [0, length), each index once.

    Uses `torch.get_num_threads()` threads where there are operations enough for it to pay.

    >>> over_ranges(lambda low, high: print(low, high), 5, operations=100)
    0 5
    """
    threads = min(torch.get_num_threads(), length)
    if threads <= 1 or operations < SERIAL_BELOW:
        kernel(0, length)
        return
    if threads not in _pools:
        _pools[threads] = ThreadPoolExecutor(threads, thread_name_prefix="mdcv")
    count = min(length, threads * RANGES_PER_THREAD)
    edges = [length * i // count for i in range(count + 1)]
    for done in _pools[threads].map(kernel, edges[:-1], edges[1:]):
        assert done is None


def over_batch(
    prepare: Callable[[int], Prepared],
    search: Callable[[int, Prepared, int, int], None],
    batch: int,
    length: int,
    *,
    operations: float,
) -> None:
    """For each set b: prepare(b) once, then search(b, prepared, low, high) over [0, length).

    Threads share out the sets where there are enough of them, else the ranges within each set.

    >>> over_batch(lambda b: b * 10, lambda *seen: print(seen), 2, 5, operations=100)
    (0, 0, 0, 5)
    (1, 10, 0, 5)
    """
    if batch >= torch.get_num_threads():

        def search_sets(low: int, high: int) -> None:
            for b in range(low, high):
                search(b, prepare(b), 0, length)

        over_ranges(search_sets, batch, operations=operations)
        return
    for b in range(batch):
        prepared = prepare(b)

        def search_range(low: int, high: int, b: int = b, prepared: Prepared = prepared) -> None:
            search(b, prepared, low, high)

        over_ranges(search_range, length, operations=operations / batch)
