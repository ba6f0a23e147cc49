"""What a student handed in: the notebook among their files, and its cells in whatever state.

Nothing here is ever fatal, and nothing is written: what cannot be read is refused in words, and
what is odd about the rest is said.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mdcv.grading.text import sentence, writable

#: A notebook above this many bytes is not opened.
MAX_NOTEBOOK_BYTES = 20_000_000

#: A cell with more characters is no one's own work; it is emptied.
MAX_CELL_CHARACTERS = 1_000_000

KINDS = ("code", "markdown", "raw")

#: What of nbgrader's settings a student could change to get more points or other cells run.
SETTINGS = ("grade", "solution", "locked", "task", "points")


class Unreadable(Exception):
    """No answer can be read from what was handed in; the message says why."""


@dataclass(frozen=True)
class Handed:
    """One cell as it was handed in, whatever state it is in."""

    kind: str
    source: str
    grade_id: str | None
    cell_id: str | None
    attachments: dict = field(default_factory=dict)
    settings: dict = field(default_factory=dict)
    tagged: bool = False


class HandedIn(list[Handed]):
    """The cells of a notebook in order, and what was odd about the file."""

    problems: tuple[str, ...] = ()


def find_notebook(folder: Path, assignment: str) -> tuple[Path, list[str]]:
    """The notebook a student handed in, and what was odd about its name or place.

    Args:
        folder: the student's folder, which should hold `<assignment>/<assignment>.ipynb`.

    Raises:
        Unreadable: no notebook is there, or several and none has the right name.
    """
    right = folder / assignment / f"{assignment}.ipynb"
    for place in (right.parent, folder, None):
        found = _deeper(folder) if place is None else sorted(filter(_is_notebook, _files(place)))
        if right in found:
            return right, []
        named = [path for path in found if path.name.lower().startswith(assignment.lower())]
        clear = found if len(found) == 1 else named
        if len(clear) == 1:
            shown = sentence(str(clear[0].relative_to(folder)))
            return clear[0], [f"the notebook is {shown}; expected {right.relative_to(folder)}"]
        if found:
            names = sentence(", ".join(path.name for path in found))
            raise Unreadable(f"several notebooks and none named {right.name}: {names}")
    raise Unreadable(f"no notebook was handed in; expected {right.relative_to(folder)}")


def _is_notebook(path: Path) -> bool:
    """Whether the name is a notebook's, or what browsers and mail programs make of one."""
    return path.name.lower().endswith((".ipynb", ".ipynb.txt", ".ipynb.json"))


def _deeper(folder: Path) -> list[Path]:
    """The notebooks at most four folders down, where an unpacked archive may have put them."""
    found: list[Path] = []
    waiting = [(folder, 0)]
    while waiting and len(found) < 100:
        place, depth = waiting.pop()
        found += [path for path in _files(place) if _is_notebook(path)]
        if depth < 4:
            with contextlib.suppress(OSError), os.scandir(place) as inside:
                waiting += [
                    (Path(entry.path), depth + 1)
                    for entry in inside
                    if entry.is_dir(follow_symlinks=False)
                    and not entry.name.startswith((".", "__MACOSX"))
                ][:100]
    return sorted(found)


def _files(folder: Path) -> list[Path]:
    """The ordinary files directly in a folder; links are not followed."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    try:
        with os.scandir(folder) as inside:
            return [Path(e.path) for e in inside if e.is_file(follow_symlinks=False)]
    except OSError as error:
        raise Unreadable(f"the folder {folder.name} cannot be opened: {error.strerror}") from error


def read_cells(path: Path) -> HandedIn:
    """The cells of a handed-in notebook, in order, and what was odd about it.

    Raises:
        Unreadable: the file is empty, too large, not JSON or no notebook.
    """
    try:
        size = path.stat().st_size
        if size > MAX_NOTEBOOK_BYTES:
            raise Unreadable(f"the notebook has {size / 1e6:.0f} MB; at most 20 MB are read")
        raw = path.read_bytes()
        text = raw.decode(json.detect_encoding(raw), errors="replace")
    except OSError as error:
        raise Unreadable(f"the notebook cannot be opened: {error.strerror}") from error
    if not text.strip("\0 \t\r\n"):
        raise Unreadable("the notebook file is empty")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"the notebook file is broken: {error}") from error
    if isinstance(content, dict) and "worksheets" in content:
        sheets = [sheet for sheet in _list(content["worksheets"]) if isinstance(sheet, dict)]
        cells = [cell for sheet in sheets for cell in _list(sheet.get("cells"))]
    else:
        cells = _list(content.get("cells")) if isinstance(content, dict) else []
    handed = HandedIn(_handed(cell) for cell in cells if isinstance(cell, dict))
    if not handed:
        raise Unreadable("the file holds no notebook cells")
    handed.problems = tuple(_oddities(_dict(content.get("metadata")), cells))
    return handed


def _oddities(metadata: dict, cells: list) -> Iterator[str]:
    """What a notebook says of itself that is not so here, and what was not taken from it."""
    long = sum(len(_source(cell)) > MAX_CELL_CHARACTERS for cell in cells if isinstance(cell, dict))
    if long:
        yield f"{long} cells with more than a million characters were read as empty"
    kernel = _dict(metadata.get("kernelspec"))
    for value in (kernel.get("language"), _dict(metadata.get("language_info")).get("name")):
        if isinstance(value, str) and value.lower() not in ("python", "python3", "ipython", ""):
            yield f"the notebook asks for {sentence(value)[:40]}; it was run as Python"
            return
    name = kernel.get("name")
    if isinstance(name, str) and name not in ("python3", ""):
        yield f"the notebook asks for the kernel {sentence(name)[:40]}; the course's was used"


def _list(value: object) -> list:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def _source(cell: dict) -> str:
    source = cell.get("source", cell.get("input", ""))  # "input" in notebooks of version 3
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return writable(source) if isinstance(source, str) else ""


def _handed(cell: dict) -> Handed:
    metadata = _dict(cell.get("metadata"))
    nbgrader = _dict(metadata.get("nbgrader"))
    grade_id, cell_id = nbgrader.get("grade_id"), cell.get("id")
    source = _source(cell)
    return Handed(
        kind=cell.get("cell_type") if cell.get("cell_type") in KINDS else "raw",
        source=source if len(source) <= MAX_CELL_CHARACTERS else "",
        grade_id=grade_id if isinstance(grade_id, str) else None,
        cell_id=cell_id if isinstance(cell_id, str) else None,
        attachments=_attachments(cell.get("attachments")),
        settings={name: nbgrader[name] for name in SETTINGS if name in nbgrader},
        tagged=bool(metadata.get("tags")),
    )


def _attachments(value: object) -> dict[str, dict[str, str]]:
    """Pictures in a text cell: by name, and by type. Anything else is no attachment."""
    found = {}
    for name, bundle in _dict(value).items():
        kept = {m: data for m, data in _dict(bundle).items() if isinstance(data, str)}
        if kept and len(found) < 50:
            found[writable(name)] = {writable(m): writable(data) for m, data in kept.items()}
    return found
