"""What a student handed in: the notebook among their files, and its cells in whatever state.

Nothing here is ever fatal, and nothing is written: what cannot be read is refused in words, and
what is odd about the rest is said.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mdcv.grading.text import sentence, writable

#: A notebook above this many bytes is not opened; what it shows is not counted.
MAX_NOTEBOOK_BYTES = 20_000_000

#: With what it shows, a notebook may have this many.
MAX_FILE_BYTES = 500_000_000

#: A cell with more characters is no one's own work; it is emptied.
MAX_CELL_CHARACTERS = 1_000_000

KINDS = ("code", "markdown", "raw")

#: What of nbgrader's settings a student could change to get more points or other cells run.
SETTINGS = ("grade", "solution", "locked", "task", "points")


class Unreadable(Exception):
    """No answer can be read from what was handed in; the message says why."""


class Several(Unreadable):
    """Several notebooks could be meant."""

    def __init__(self, message: str, paths: list[Path]) -> None:
        super().__init__(message)
        self.paths = paths


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


def find_notebook(
    folder: Path, assignment: str, *, without: tuple[Path, ...] = ()
) -> tuple[Path, list[str]]:
    """The notebook a student handed in, and what was odd about its name or place.

    The right name counts first, wherever it stands; then a name that holds the assignment's; then
    a notebook that is the only one in its place.

    Args:
        folder: the student's folder, which should hold `<assignment>/<assignment>.ipynb`.
        without: notebooks that could not be read.

    Raises:
        Several: some are there, and it is not clear which is meant.
        Unreadable: no notebook is there, or the folder is a link.
    """
    if folder.is_symlink():
        raise Unreadable("the student's folder is a link to another one; links are not followed")
    right = folder / assignment / f"{assignment}.ipynb"
    named = assignment.casefold()
    rules: list[Callable[[str], bool]] = [
        lambda name: name == f"{named}.ipynb",
        lambda name: named in name,
        lambda name: True,
    ]
    beside = sorted(filter(_is_notebook, _files(right.parent)))
    if right in beside and right not in without:
        return right, []
    above = sorted(filter(_is_notebook, _files(folder)))
    places = [
        [path for path in found if path not in without]
        for found in (beside, above, _deeper(folder))
    ]
    for fits in rules:
        for found in places:
            clear = [path for path in found if fits(path.name.casefold())]
            if len(clear) == 1:
                shown = sentence(str(clear[0].relative_to(folder)))
                return clear[0], [f"the notebook is {shown}; expected {right.relative_to(folder)}"]
            if clear:
                break
    found = next(filter(None, places), [])
    if found:
        names = sentence(", ".join(path.name for path in found))
        raise Several(f"several notebooks and none named {right.name}: {names}", found)
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
        name = sentence(folder.name)
        raise Unreadable(f"the folder {name} cannot be opened: {error.strerror}") from error


def read_cells(path: Path) -> HandedIn:
    """The cells of a handed-in notebook, in order, and what was odd about it.

    Raises:
        Unreadable: the file is empty, too large, not JSON or no notebook.
    """
    try:
        raw = _bytes(path)
        text = raw.decode(json.detect_encoding(raw), errors="replace").strip("\0 \t\r\n")
    except OSError as error:
        raise Unreadable(f"the notebook cannot be opened: {error.strerror}") from error
    if not text:
        raise Unreadable("the notebook file is empty")
    try:
        content = json.loads(text, parse_int=_int)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"the notebook file is broken: {error}") from error
    content = _dict(content)
    sheets = [sheet for sheet in _list(content.get("worksheets")) if isinstance(sheet, dict)]
    cells = _list(content.get("cells")) or [
        cell for sheet in sheets for cell in _list(sheet.get("cells"))
    ]
    handed = HandedIn(_handed(cell) for cell in cells if isinstance(cell, dict))
    if not handed:
        raise Unreadable("the file holds no notebook cells")
    handed.problems = tuple(_oddities(_dict(content.get("metadata")), cells))
    return handed


def _bytes(path: Path) -> bytes:
    """The bytes of a notebook; of a large one, those that are not outputs."""
    size = path.stat().st_size
    if size <= MAX_NOTEBOOK_BYTES:
        return path.read_bytes()
    if size > MAX_FILE_BYTES:
        most = f"{MAX_FILE_BYTES / 1e6:.0f} MB"
        raise Unreadable(f"the notebook has {size / 1e6:.0f} MB; at most {most} are read")
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole,
    ):
        return without_outputs(whole)


#: A quote where a string begins, the key of a cell's outputs, a string, and all up to a bracket.
_QUOTE, _KEY = re.compile(rb'"'), re.compile(rb'"outputs"\s*:\s*\[')
_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_TEXT, _INSIDE = re.compile(_STRING, re.S), re.compile(rb'(?:[^"\[\]]++|' + _STRING + rb")*+", re.S)


def without_outputs(raw: bytes | mmap.mmap) -> bytes:
    """The JSON of a notebook with every list of outputs empty; what is broken stays as it is.

    >>> without_outputs(b'{"source": "outputs", "outputs": [{"text": "]"}, []]}')
    b'{"source": "outputs", "outputs": []}'

    Raises:
        Unreadable: what is left is too large.
    """
    kept, start, at, size = [], 0, 0, 0
    while quote := _QUOTE.search(raw, at):
        key = _KEY.match(raw, quote.start())
        text = key or _TEXT.match(raw, quote.start())
        if text is None:
            break
        at = text.end()
        if key is not None:
            kept.append(raw[start:at])
            start = at = _end_of_list(raw, at)
            size += len(kept[-1])
        if size + at - start > MAX_NOTEBOOK_BYTES:
            break
    size += len(raw) - start
    if size > MAX_NOTEBOOK_BYTES:
        words = f"{size / 1e6:.0f} MB without what it shows; at most 20 MB are read"
        raise Unreadable(f"the notebook has {words}")
    return b"".join([*kept, raw[start:]])


def _end_of_list(raw: bytes | mmap.mmap, at: int) -> int:
    """Where the bracket stands that closes the list which has begun before `at`."""
    depth = 1
    while True:
        at = _INSIDE.match(raw, at).end()
        sign = raw[at : at + 1]
        depth += {b"[": 1, b"]": -1}.get(sign, 0)
        if depth == 0 or sign in (b"", b'"'):
            return at
        at += 1


def _int(digits: str) -> int:
    """A whole number; no notebook needs one with hundreds of digits."""
    return int(digits) if len(digits) < 100 else 0


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
