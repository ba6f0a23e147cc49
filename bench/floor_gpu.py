"""A loop of nothing but multiply-adds, four of them independent, to see how many a GPU can do."""

import triton
import triton.language as tl


@triton.jit
def multiply_add(out, steps, LANES: tl.constexpr):
    lane = tl.program_id(0) * LANES + tl.arange(0, LANES)
    factor = 0.5 + lane * 1e-9  # not known to the compiler, and the sums stay finite
    a, b, c, d = factor, factor + 1, factor + 2, factor + 3
    for _ in range(steps):
        a = a * factor + 1.0
        b = b * factor + 1.0
        c = c * factor + 1.0
        d = d * factor + 1.0
    tl.store(out + lane, a + b + c + d)
