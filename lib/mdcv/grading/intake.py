"""A submission rebuilt on the released notebook, in a copy: repaired where the work is clear.

What a student hands in is never run as it stands. From their file come the answers and the
cells they added; everything else (tests, locked text, points, metadata) comes from the
skeleton. Whatever had to be mended is reported in words, and nothing here is ever fatal.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from mdcv.grading.skeleton import Skeleton, grade_id_of, is_answer
from mdcv.grading.text import sentence, writable

#: A notebook above this many bytes is not opened.
MAX_NOTEBOOK_BYTES = 20_000_000

#: Of the files beside a notebook at most this many bytes are taken along.
MAX_COPIED_BYTES = 50_000_000

NEW_CELL = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


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


def find_notebook(folder: Path, assignment: str) -> tuple[Path, list[str]]:
    """The notebook a student handed in, and what was odd about its name or place.

    Args:
        folder: the student's folder, which should hold `<assignment>/<assignment>.ipynb`.

    Raises:
        Unreadable: no notebook is there, or several and none has the right name.
    """
    right = folder / assignment / f"{assignment}.ipynb"
    for place in (right.parent, folder):
        found = sorted(path for path in _files(place) if path.suffix == ".ipynb")
        if right in found:
            return right, []
        if len(found) == 1:
            shown = sentence(str(found[0].relative_to(folder)))
            return found[0], [f"the notebook is {shown}; expected {right.relative_to(folder)}"]
        if found:
            names = sentence(", ".join(path.name for path in found))
            raise Unreadable(f"several notebooks and none named {right.name}: {names}")
    raise Unreadable(f"no notebook was handed in; expected {right.relative_to(folder)}")


def _files(folder: Path) -> list[Path]:
    """The ordinary files directly in a folder; links are not followed."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    try:
        with os.scandir(folder) as inside:
            return [Path(e.path) for e in inside if e.is_file(follow_symlinks=False)]
    except OSError as error:
        raise Unreadable(f"the folder {folder.name} cannot be opened: {error.strerror}") from error


def read_cells(path: Path) -> list[Handed]:
    """The cells of a handed-in notebook, in order.

    Raises:
        Unreadable: the file is empty, too large, not JSON or no notebook.
    """
    try:
        size = path.stat().st_size
        if size > MAX_NOTEBOOK_BYTES:
            raise Unreadable(f"the notebook has {size / 1e6:.0f} MB; at most 20 MB are read")
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
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
    handed = [_handed(cell) for cell in cells if isinstance(cell, dict)]
    if not handed:
        raise Unreadable("the file holds no notebook cells")
    return handed


def _list(value: object) -> list:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def _handed(cell: dict) -> Handed:
    source = cell.get("source", cell.get("input", ""))  # "input" in notebooks of version 3
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    nbgrader = _dict(_dict(cell.get("metadata")).get("nbgrader"))
    grade_id, cell_id = nbgrader.get("grade_id"), cell.get("id")
    return Handed(
        kind=cell.get("cell_type") if cell.get("cell_type") in NEW_CELL else "raw",
        source=writable(source) if isinstance(source, str) else "",
        grade_id=grade_id if isinstance(grade_id, str) else None,
        cell_id=cell_id if isinstance(cell_id, str) else None,
        attachments=_dict(cell.get("attachments")),
    )


def rebuild(handed: list[Handed], skeleton: Skeleton) -> tuple[NotebookNode, list[str]]:
    """The notebook to grade, and what was mended.

    It is the skeleton with the student's answers and added cells.
    An answer is found by its name, else by its cell id, else by the function it defines. Of
    several cells with one name the first that was written in counts. A cell that the student
    added stays behind the cell it stood behind.

    Raises:
        Unreadable: none of the assignment's cells is there, so this is another notebook.
    """
    names = {grade_id_of(cell) for cell in skeleton.notebook.cells} - {None}
    owners = _owners(handed, skeleton, names)
    if not any(owner in names for owner in owners):
        raise Unreadable("this is another notebook: it holds none of the assignment's cells")
    problems: list[str] = []
    groups: dict[str, list[Handed]] = {}
    added: dict[str | None, list[Handed]] = {}
    behind = None
    for cell, owner in zip(handed, owners, strict=True):
        if owner is None:
            added.setdefault(behind, []).append(cell)
        else:
            groups.setdefault(owner, []).append(cell)
            behind = owner

    notebook = copy.deepcopy(skeleton.notebook)
    taken = {cell.id for cell in notebook.cells}
    cells = _fresh(added.get(None, []), taken)
    for cell in notebook.cells:
        name = _name(cell)
        if grade_id_of(cell) is not None:
            _fill(cell, groups.get(name, []), skeleton.released_source(name), problems)
        elif name in groups:  # a cell without a name is the student's to change
            cell.source = groups[name][0].source
        cells += [cell, *_fresh(added.get(name, []), taken)]
    notebook.cells = cells
    return notebook, problems


def _name(cell: NotebookNode) -> str:
    """What a cell of the skeleton is called here: its grade id, else its cell id."""
    return grade_id_of(cell) or f"#{cell.id}"


def _owners(handed: list[Handed], skeleton: Skeleton, names: set[str]) -> list[str | None]:
    """For each handed-in cell the name of the skeleton's cell it is, or None for an added one."""
    owners = [cell.grade_id if cell.grade_id in names else None for cell in handed]
    by_id = {cell.id: _name(cell) for cell in skeleton.notebook.cells}
    by_text = {
        cell.source: _name(cell) for cell in skeleton.notebook.cells if not grade_id_of(cell)
    }
    for index, cell in enumerate(handed):
        name = by_id.get(cell.cell_id) or by_text.get(cell.source)
        if owners[index] is None and name is not None and name not in owners:
            owners[index] = name
    for cell in skeleton.notebook.cells:
        name, function = grade_id_of(cell), _defined(cell.source)
        if not is_answer(cell) or name in owners or function is None:
            continue
        for index, candidate in enumerate(handed):
            if owners[index] is None and _defined(candidate.source) == function:
                owners[index] = name
                break
    return owners


def _defined(source: str) -> str | None:
    """The first function that a cell defines at its left margin."""
    found = re.search(r"^def\s+(\w+)\s*\(", source, flags=re.MULTILINE)
    return found.group(1) if found else None


def _fill(cell: NotebookNode, group: list[Handed], released: str, problems: list[str]) -> None:
    """Puts the student's answer into an answer cell; reports what happened to any other."""
    name = grade_id_of(cell)
    if not is_answer(cell):
        if not group:
            problems.append(f"the locked cell {name} was missing; it was put back")
        elif len(group) > 1:
            problems.append(f"the locked cell {name} was there {len(group)} times; it counts once")
        if any(handed.source != released for handed in group):
            problems.append(f"the locked cell {name} was changed; the original was used")
        elif any(handed.kind != cell.cell_type for handed in group):
            problems.append(f"the locked cell {name} had another type; the original was used")
        return
    if not group:
        problems.append(f"the answer cell {name} was missing")
        return
    answer = next((handed for handed in group if handed.source != released), group[0])
    if len(group) > 1:
        which = "first" if answer is group[0] else "first one that was written in"
        problems.append(f"the answer cell {name} was there {len(group)} times; the {which} counts")
    if answer.kind != cell.cell_type:
        problems.append(
            f"the answer cell {name} was of type {answer.kind}; it was read as {cell.cell_type}"
        )
    if answer.grade_id != name:
        problems.append(f"the answer cell {name} had lost its name; it was found by its content")
    cell.source = answer.source
    if cell.cell_type == "markdown" and answer.attachments:
        cell.attachments = answer.attachments


def _fresh(added: list[Handed], taken: set[str]) -> list[NotebookNode]:
    """Cells the student added, without any metadata and with ids that nobody else has."""
    cells = []
    for handed in added:
        identity = handed.cell_id or ""
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", identity) or identity in taken:
            identity = f"added-{len(taken)}"
        taken.add(identity)
        cell = NEW_CELL[handed.kind](source=handed.source, id=identity)
        if handed.kind == "markdown" and handed.attachments:
            cell.attachments = handed.attachments
        cells.append(cell)
    return cells


def copy_files(source: Path, target: Path) -> list[str]:
    """Copies the ordinary files beside a notebook into a folder; returns what was left out and why.

    Notebooks, hidden files and files that are there already are passed over without a word.
    Links, what is beyond 50 MB in all, and modules that would hide a package are left out.
    """
    problems: list[str] = []
    room = MAX_COPIED_BYTES
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
        for name in sorted(names):
            path = Path(folder, name)
            inside = path.relative_to(source)
            shown, destination = sentence(str(inside)), target / inside
            if name.startswith(".") or path.suffix == ".ipynb" or destination.exists():
                continue
            try:
                if path.is_symlink() or not path.is_file():
                    problems.append(f"{shown} is a link or no ordinary file; it was left out")
                elif package := _hidden_package(inside):
                    problems.append(f"{shown} would hide the package {package}; it was left out")
                elif (room := room - path.stat().st_size) < 0:
                    problems.append(f"{shown} and what follows is beyond 50 MB; it was left out")
                    return problems
                else:
                    destination.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, destination)
            except OSError as error:
                problems.append(f"{shown} cannot be copied ({error.strerror}); it was left out")
    return problems


def _hidden_package(path: Path) -> str | None:
    """The installed package in whose place Python would import this file, or its folder."""
    if path.suffix not in (".py", ".so", ".pyc"):
        return None
    name = path.parts[0].split(".")[0]
    try:
        return name if importlib.util.find_spec(name) is not None else None
    except (ImportError, ValueError):
        return None
