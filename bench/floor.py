"""How fast a GPU could be at most: its own copy bandwidth and arithmetic, measured in the same run.

The Chamfer distance reads each coordinate once and writes one number per point, and looks at each
pair of points once: three subtractions, a product, two fused multiply-adds, and a minimum for
either side are eight instructions. The floor is the longer of the two times.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

INSTRUCTIONS_PER_PAIR = 8
FLOAT = 4

#: The loop of multiply-adds: programs, lanes of each, accumulators of a lane, steps.
PROGRAMS, LANES, ACCUMULATORS, STEPS = 8192, 1024, 4, 2048
COPIED = 1 << 30


def chamfer_floor(batch: int, n: int, device: torch.device) -> dict:
    """The floor of a forward Chamfer distance of (batch, n, 3) to the same, in seconds."""
    bandwidth, arithmetic = copy_bandwidth(device), instruction_rate(device)
    traffic = 2 * batch * n * (3 + 1) * FLOAT
    instructions = batch * n * n * INSTRUCTIONS_PER_PAIR
    return {
        "case": f"chamfer-forward-{batch}x{n}",
        "bytes_per_second": bandwidth,
        "instructions_per_second": arithmetic,
        "bytes": traffic,
        "instructions": instructions,
        "seconds": max(traffic / bandwidth, instructions / arithmetic),
    }


def copy_bandwidth(device: torch.device) -> float:
    """Bytes per second that a large copy reads and writes."""
    source = torch.empty(COPIED, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * COPIED / _seconds(lambda: target.copy_(source))


def instruction_rate(device: torch.device) -> float:
    """float32 multiply-adds per second, without the matrix units."""
    from bench.floor_gpu import multiply_add

    out = torch.empty(PROGRAMS * LANES, device=device)
    seconds = _seconds(lambda: multiply_add[(PROGRAMS,)](out, STEPS, LANES))
    return PROGRAMS * LANES * ACCUMULATORS * STEPS / seconds


def _seconds(call: Callable[[], object]) -> float:
    """Median of ten, after one to warm up."""
    times = []
    for _ in range(11):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        call()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:])
