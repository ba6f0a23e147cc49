"""All cases and curves, in the order of the table."""

from __future__ import annotations

from bench import boxes, fidelity, grouping, neighbors, precision, regions, surfaces, transport
from bench.case import Case, Curve

CASES: dict[str, Case] = {
    case.name: case
    for group in (neighbors, transport, grouping, boxes, regions, fidelity, surfaces, precision)
    for case in group.CASES
}
CURVES: dict[str, Curve] = {
    group.CURVE.name: group.CURVE for group in (neighbors, grouping, transport, boxes)
}
OPERATIONS: tuple[str, ...] = tuple(dict.fromkeys(case.operation for case in CASES.values()))
