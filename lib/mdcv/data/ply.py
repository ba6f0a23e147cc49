"""The PLY format, as text or binary: a head that describes tables, then the tables."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_CODES = {
    **dict.fromkeys(("char", "int8"), "b"),
    **dict.fromkeys(("uchar", "uint8"), "B"),
    **dict.fromkeys(("short", "int16"), "h"),
    **dict.fromkeys(("ushort", "uint16"), "H"),
    **dict.fromkeys(("int", "int32"), "i"),
    **dict.fromkeys(("uint", "uint32"), "I"),
    **dict.fromkeys(("float", "float32"), "f"),
    **dict.fromkeys(("double", "float64"), "d"),
}
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}

Number = int | float
Row = dict[str, Number | list[Number]]


@dataclass
class _Column:
    """A column of a table: one number, or with a count code a list of numbers."""

    name: str
    code: str
    count_code: str = ""


@dataclass
class _Table:
    name: str
    rows: int
    columns: list[_Column] = field(default_factory=list)


def read_ply(content: bytes) -> tuple[list[list[float]], list[list[int]]]:
    """The positions and polygons of a PLY file; other columns and tables are passed over.

    Raises:
        ValueError: the head or a row is not as the format asks, or the file stops early.

    >>> head = "ply\\nformat ascii 1.0\\nelement vertex 1\\n"
    >>> head += "property float x\\nproperty float y\\nproperty float z\\nend_header\\n"
    >>> read_ply((head + "1 2 3\\n").encode())
    ([[1.0, 2.0, 3.0]], [])
    """
    order, tables, body = _read_head(content)
    rows = _text_rows(body, tables) if order == "" else _binary_rows(body, tables, order)
    positions: list[list[float]] = []
    polygons: list[list[int]] = []
    for table, row in rows:
        if table == "vertex":
            if not {"x", "y", "z"} <= row.keys():
                raise ValueError(f"vertices have {sorted(row)}; expected x, y and z")
            positions.append([float(row[axis]) for axis in "xyz"])  # type: ignore[arg-type]
        elif table == "face":
            corners = row.get("vertex_indices", row.get("vertex_index"))
            if not isinstance(corners, list):
                raise ValueError(f"faces have {sorted(row)}; expected a list vertex_indices")
            polygons.append([int(corner) for corner in corners])
    return positions, polygons


def _read_head(content: bytes) -> tuple[str, list[_Table], bytes]:
    head, found, body = content.partition(b"end_header")
    if not content.startswith(b"ply") or not found:
        raise ValueError("the file does not begin with ply and a head that ends in end_header")
    body = body[2:] if body.startswith(b"\r\n") else body[1:]
    order, tables = None, []
    for line in head.decode("ascii", errors="replace").splitlines()[1:]:
        match line.split():
            case ["format", name, _] if name in _ORDERS:
                order = _ORDERS[name]
            case ["element", name, rows]:
                tables.append(_Table(name, int(rows)))
            case ["property", "list", count, code, name] if (
                tables and {count, code} <= _CODES.keys()
            ):
                tables[-1].columns.append(_Column(name, _CODES[code], _CODES[count]))
            case ["property", code, name] if tables and code in _CODES:
                tables[-1].columns.append(_Column(name, _CODES[code]))
            case [] | ["comment" | "obj_info", *_]:
                continue
            case _:
                raise ValueError(f"the head has a line {line!r} that PLY does not know")
    if order is None:
        raise ValueError(f"the format is missing; expected one of {', '.join(_ORDERS)}")
    return order, tables, body


def _text_rows(body: bytes, tables: list[_Table]) -> Iterator[tuple[str, Row]]:
    lines = (line.split() for line in body.decode("ascii", errors="replace").splitlines())
    filled = (words for words in lines if words)
    for table in tables:
        for index in range(table.rows):
            words = next(filled, None)
            if words is None:
                raise ValueError(f"the file stops at {table.name} {index} of {table.rows}")
            row: Row = {}
            place = 0
            for column in table.columns:
                length = 1
                if column.count_code:
                    length, place = int(words[place]) if place < len(words) else 1, place + 1
                read = float if column.code in "fd" else int
                values = [read(word) for word in words[place : place + length]]
                if len(values) < length:
                    raise ValueError(f"{table.name} {index} has only {len(words)} numbers")
                row[column.name] = values if column.count_code else values[0]
                place += length
            yield table.name, row


def _binary_rows(body: bytes, tables: list[_Table], order: str) -> Iterator[tuple[str, Row]]:
    place = 0

    def take(layout: str, where: str) -> tuple[Number, ...]:
        nonlocal place
        try:
            values = struct.unpack_from(order + layout, body, place)
        except struct.error as error:
            raise ValueError(f"the file stops at {where}") from error
        place += struct.calcsize(order + layout)
        return values

    for table in tables:
        for index in range(table.rows):
            row: Row = {}
            where = f"{table.name} {index} of {table.rows}"
            for column in table.columns:
                if column.count_code:
                    (length,) = take(column.count_code, where)
                    row[column.name] = list(take(f"{int(length)}{column.code}", where))
                else:
                    (row[column.name],) = take(column.code, where)
            yield table.name, row
