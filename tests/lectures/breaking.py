"""Breaks the claims of a lecture, one at a time, as a reader might, and looks who objects."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

LECTURES = Path(__file__).resolve().parents[2] / "lectures"


def notebook(lecture: str) -> dict:
    """A lecture by the stem of its file."""
    return json.loads((LECTURES / f"{lecture}.ipynb").read_text(encoding="utf-8"))


def code_cells(lecture: str) -> dict[str, str]:
    """The code of a lecture by cell id, in order, without the pictures that cells end with."""
    cells = notebook(lecture)["cells"]
    code = {c["id"]: "".join(c["source"]) for c in cells if c["cell_type"] == "code"}
    return {cell_id: re.split(r"(?m)^plot\.", source)[0] for cell_id, source in code.items()}


def with_claims(cells: dict[str, str], needed: Sequence[str], upto: str = "") -> dict[str, str]:
    """The cells that claim something, predict, or are needed; as far as the claim of `upto`."""
    kept = {}
    for cell_id, source in cells.items():
        if cell_id in needed or cell_id.startswith("predict") or re.search(r'claim\("\d', source):
            kept[cell_id] = source
        if upto and f'claim("{upto}"' in source:
            break
    return kept


def edited(cells: dict[str, str], cell_id: str, right: str, wrong: str) -> dict[str, str]:
    """The cells with one passage of one cell replaced."""
    assert cells[cell_id].count(right) == 1, f"{right!r} does not stand once in {cell_id}"
    return {**cells, cell_id: cells[cell_id].replace(right, wrong)}


def run(cells: dict[str, str], names: dict | None = None) -> dict:
    """Runs the cells one after the other; the names they leave behind."""
    names = {} if names is None else names
    with default_dtype_kept():
        for source in cells.values():
            exec(source, names)
    return names


def answer(lecture: str, cell_id: str, blank: str, filled: str | None, names: dict) -> None:
    """Runs an exercise cell with an answer in the place of its blank; None leaves it blank."""
    source = code_cells(lecture)[cell_id]
    assert len(re.findall(blank, source, flags=re.MULTILINE)) == 1, f"{cell_id} has no blank"
    if filled is not None:
        source = re.sub(blank, lambda _: filled, source, flags=re.MULTILINE)
    run({"setup": code_cells(lecture)["setup"], cell_id: source}, dict(names))


@contextlib.contextmanager
def default_dtype_kept() -> Iterator[None]:
    """A lecture may choose the default dtype; the tests after it should not notice."""
    before = torch.get_default_dtype()
    try:
        yield
    finally:
        torch.set_default_dtype(before)
