"""Sixteen numbers at a time: the few vector instructions that numba does not find by itself.

numba turns a loop into vector instructions only where it can prove that no array overlaps another,
which it cannot for the tables of a tree. These intrinsics say it outright, in LLVM's portable
vectors, which become whatever the processor has (AVX-512, AVX2, NEON). Every addition and
multiplication is rounded by itself, in the order of `mdcv.kernels.arithmetic`.

numba's cache on disk watches only the file that a kernel stands in. After an edit here, delete
`__pycache__/*.nb?` beside this file.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

LANES = 16

_INDEX = ir.IntType(64)
_BITS = ir.IntType(32)


class _Lanes:
    """Writes vector instructions on the arrays that an intrinsic was called with."""

    def __init__(self, context, builder, signature, arguments, *, number=None) -> None:
        self.context, self.builder = context, builder
        self.types, self.arguments = signature.args, arguments
        for array in self.types:
            if isinstance(array, types.Array) and array.layout != "C":
                raise TypeError(f"lanes need contiguous arrays, not {array}")
        number = number or self.types[0].dtype
        self.bytes = number.bitwidth // 8
        self.vector = ir.VectorType(context.get_value_type(number), LANES)
        self.zero = ir.Constant(self.vector, [0.0] * LANES)

    def array(self, position: int):
        make = self.context.make_array(self.types[position])
        return make(self.context, self.builder, self.arguments[position])

    def pointer(self, position: int, offset):
        first = self.builder.gep(self.array(position).data, [offset])
        return self.builder.bitcast(first, self.vector.as_pointer())

    def load(self, position: int, offset):
        return self.builder.load(self.pointer(position, offset), align=self.bytes)

    def store(self, value, position: int, offset=None) -> None:
        offset = ir.Constant(_INDEX, 0) if offset is None else offset
        self.builder.store(value, self.pointer(position, offset), align=self.bytes)

    def row(self, start, index):
        """Offset of row `index` of a table of sixteen columns that begins at `start`."""
        return self.builder.add(start, self.builder.mul(index, ir.Constant(_INDEX, LANES)))

    def spread(self, number, vector=None):
        """The number in all sixteen lanes."""
        nothing = ir.Constant(vector or self.vector, ir.Undefined)
        first = self.builder.insert_element(nothing, number, ir.Constant(_BITS, 0))
        zeros = ir.Constant(ir.VectorType(_BITS, LANES), [0] * LANES)
        return self.builder.shuffle_vector(first, nothing, zeros)

    def choose(self, relation: str, a, b):
        """Lane by lane a where `a relation b`, else b."""
        whole = isinstance(a.type.element, ir.IntType)
        compare = self.builder.icmp_signed if whole else self.builder.fcmp_ordered
        return self.builder.select(compare(relation, a, b), a, b)

    def sum_of_squares(self, query: int, difference):
        """Σ over d of difference(d, query_d)², in order; `query` is the query's position."""
        coordinates = self.array(query)
        dimensions = self.builder.extract_value(coordinates.shape, 0)
        total = cgutils.alloca_once_value(self.builder, self.zero)
        with cgutils.for_range(self.builder, dimensions) as loop:
            coordinate = self.builder.load(self.builder.gep(coordinates.data, [loop.index]))
            gap = difference(loop.index, self.spread(coordinate))
            square = self.builder.fmul(gap, gap)
            self.builder.store(self.builder.fadd(self.builder.load(total), square), total)
        return self.builder.load(total)

    def over_lanes(self, relation: str, values):
        """The one of sixteen that has the relation to all others, in every lane."""
        turn = LANES // 2
        while turn:
            positions = [(lane + turn) % LANES for lane in range(LANES)]
            turned = ir.Constant(ir.VectorType(_BITS, LANES), positions)
            other = self.builder.shuffle_vector(values, values, turned)
            values = self.choose(relation, values, other)
            turn //= 2
        return values

    def bits_at_most(self, values, limits):
        """An integer whose bit l is set where lane l is at most the limit of that lane."""
        small = self.builder.fcmp_ordered("<=", values, limits)
        return self.builder.zext(self.builder.bitcast(small, ir.IntType(LANES)), _BITS)


@intrinsic
def distances_to_block(typing, blocks, start, query, limit, squared):
    """Squared distances from a query to sixteen points; returns the bits of those <= limit.

    The points stand at blocks[start:] as a (D, 16) table. Writes squared[:16].
    """

    def generate(context, builder, signature, arguments):
        lanes = _Lanes(context, builder, signature, arguments)

        def difference(d, coordinate):
            return builder.fsub(coordinate, lanes.load(0, lanes.row(arguments[1], d)))

        total = lanes.sum_of_squares(2, difference)
        lanes.store(total, 4)
        return lanes.bits_at_most(total, lanes.spread(arguments[3]))

    return types.uint32(blocks, types.int64, query, limit, squared), generate


@intrinsic
def distances_to_boxes(typing, lows, highs, start, query, limit, squared):
    """Squared distances from a query to sixteen boxes; returns the bits of those <= limit.

    The boxes stand at lows[start:] and highs[start:] as (D, 16) tables. Writes squared[:16].
    As rounding keeps order, no point in a box has a smaller computed distance.
    """

    def generate(context, builder, signature, arguments):
        lanes = _Lanes(context, builder, signature, arguments)

        def difference(d, coordinate):
            row = lanes.row(arguments[2], d)
            below = builder.fsub(lanes.load(0, row), coordinate)
            above = builder.fsub(coordinate, lanes.load(1, row))
            return lanes.choose(">", lanes.choose(">", below, above), lanes.zero)

        total = lanes.sum_of_squares(3, difference)
        lanes.store(total, 5)
        return lanes.bits_at_most(total, lanes.spread(arguments[4]))

    return types.uint32(lows, highs, types.int64, query, limit, squared), generate


@intrinsic
def lane_extremes(typing, values, start, rows, lowest, highest):
    """Lane by lane the least and the greatest of values[start : start + 16 rows], rows >= 1.

    Writes lowest[:16] and highest[:16].
    """

    def generate(context, builder, signature, arguments):
        lanes = _Lanes(context, builder, signature, arguments)
        first = lanes.load(0, arguments[1])
        low = cgutils.alloca_once_value(builder, first)
        high = cgutils.alloca_once_value(builder, first)
        with cgutils.for_range(builder, arguments[2]) as loop:
            row = lanes.load(0, lanes.row(arguments[1], loop.index))
            builder.store(lanes.choose("<", row, builder.load(low)), low)
            builder.store(lanes.choose(">", row, builder.load(high)), high)
        lanes.store(builder.load(low), 3)
        lanes.store(builder.load(high), 4)
        return context.get_dummy_value()

    return types.void(values, types.int64, types.int64, lowest, highest), generate


@intrinsic
def row_extremes(typing, values, start):
    """The least and the greatest of values[start : start + 16], where infinity is no value.

    Infinity and minus infinity where there is none.
    """

    def generate(context, builder, signature, arguments):
        lanes = _Lanes(context, builder, signature, arguments)
        row = lanes.load(0, arguments[1])
        padded = builder.fcmp_ordered("==", row, ir.Constant(lanes.vector, [float("inf")] * LANES))
        present = builder.select(padded, ir.Constant(lanes.vector, [float("-inf")] * LANES), row)
        first = ir.Constant(_BITS, 0)
        extremes = lanes.over_lanes("<", row), lanes.over_lanes(">", present)
        both = [builder.extract_element(extreme, first) for extreme in extremes]
        return context.make_tuple(builder, signature.return_type, both)

    return types.UniTuple(values.dtype, 2)(values, types.int64), generate


@intrinsic
def least_lanes(typing, values):
    """The bits of those of values[:16] that are as small as any."""

    def generate(context, builder, signature, arguments):
        lanes = _Lanes(context, builder, signature, arguments)
        row = lanes.load(0, ir.Constant(_INDEX, 0))
        return lanes.bits_at_most(row, lanes.over_lanes("<", row))

    return types.uint32(values), generate


@intrinsic
def lower(typing, values, start, limits):
    """Lowers values[start : start + 16] to limits[:16], lane by lane, where those are smaller."""

    def generate(context, builder, signature, arguments):
        lanes = _Lanes(context, builder, signature, arguments)
        row, limit = lanes.load(0, arguments[1]), lanes.load(2, ir.Constant(_INDEX, 0))
        lanes.store(lanes.choose("<", limit, row), 0, arguments[1])
        return context.get_dummy_value()

    return types.void(values, types.int64, limits), generate


@intrinsic
def greatest(typing, values, indices, start):
    """The greatest of values[start : start + 16], and the lowest of the indices that have it."""

    def generate(context, builder, signature, arguments):
        lanes = _Lanes(context, builder, signature, arguments)
        row = lanes.load(0, arguments[2])
        most = lanes.over_lanes(">", row)
        pointer = builder.gep(lanes.array(1).data, [arguments[2]])
        counts = ir.VectorType(_BITS, LANES)
        index = builder.load(builder.bitcast(pointer, counts.as_pointer()), align=4)
        nowhere = ir.Constant(counts, [2**31 - 1] * LANES)
        index = builder.select(builder.fcmp_ordered("==", row, most), index, nowhere)
        first = ir.Constant(_BITS, 0)
        both = [
            builder.extract_element(vector, first)
            for vector in (most, lanes.over_lanes("<", index))
        ]
        return context.make_tuple(builder, signature.return_type, both)

    both = types.Tuple((values.dtype, types.int32))
    return both(values, indices, types.int64), generate


@intrinsic
def two_smallest(typing, costs, start, prices, rows, first, second, where):
    """Lane by lane the smallest and second smallest of costs[start + j] + prices[j], j < 16 rows.

    Adds in the precision of the prices. Writes first[:16], second[:16] and in where[:16] the row
    of the smallest.
    """

    def generate(context, builder, signature, arguments):
        lanes = _Lanes(context, builder, signature, arguments)
        wide = _Lanes(context, builder, signature, arguments, number=prices.dtype)
        infinity = ir.Constant(wide.vector, [float("inf")] * LANES)
        low = cgutils.alloca_once_value(builder, infinity)
        next_low = cgutils.alloca_once_value(builder, infinity)
        counts = ir.VectorType(_BITS, LANES)
        row_of_low = cgutils.alloca_once_value(builder, ir.Constant(counts, [0] * LANES))
        with cgutils.for_range(builder, arguments[3]) as loop:
            offset = builder.mul(loop.index, ir.Constant(_INDEX, LANES))
            cost = lanes.load(0, builder.add(arguments[1], offset))
            if lanes.vector != wide.vector:
                cost = builder.fpext(cost, wide.vector)
            value = builder.fadd(cost, wide.load(2, offset))
            smallest = builder.load(low)
            larger = wide.choose(">", value, smallest)
            builder.store(wide.choose("<", larger, builder.load(next_low)), next_low)
            row = lanes.spread(builder.trunc(loop.index, _BITS), counts)
            below = builder.fcmp_ordered("<", value, smallest)
            builder.store(builder.select(below, row, builder.load(row_of_low)), row_of_low)
            builder.store(builder.select(below, value, smallest), low)
        for position, values in ((4, low), (5, next_low), (6, row_of_low)):
            pointer = builder.bitcast(
                wide.array(position).data, builder.load(values).type.as_pointer()
            )
            builder.store(builder.load(values), pointer, align=4)
        return context.get_dummy_value()

    signature = types.void(costs, types.int64, prices, types.int64, first, second, where)
    return signature, generate


@intrinsic
def lowest_bit(typing, bits):
    """Position of the lowest set bit of a non-zero integer."""

    def generate(context, builder, signature, arguments):
        zeros_below = builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.zext(zeros_below, _INDEX)

    return types.int64(types.uint32), generate
