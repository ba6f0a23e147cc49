"""A submission rebuilt on the released notebook, in a copy: repaired where the work is clear.

What a student hands in is never run as it stands. From their file come the answers and the
cells they added; everything else (tests, locked text, points, metadata) comes from the
skeleton. Whatever had to be mended is reported in words, and nothing here is ever fatal.
"""

from __future__ import annotations

import copy
import re

from nbformat import NotebookNode

from mdcv.grading.belongings import copy_files
from mdcv.grading.handed_in import Handed, HandedIn, Unreadable, find_notebook, read_cells
from mdcv.grading.skeleton import Skeleton, grade_id_of, is_answer

__all__ = [
    "Handed",
    "HandedIn",
    "Unreadable",
    "copy_files",
    "find_notebook",
    "read_cells",
    "rebuild",
]

#: Of the cells that a student added at most this many are run.
MAX_ADDED_CELLS = 2_000


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
    problems: list[str] = [*getattr(handed, "problems", ())]
    groups: dict[str, list[Handed]] = {}
    added: dict[str | None, list[Handed]] = {}
    behind = None
    extra = owners.count(None) - MAX_ADDED_CELLS
    if extra > 0:
        problems.append(f"of the added cells the last {extra} were left out")
    left = MAX_ADDED_CELLS
    for cell, owner in zip(handed, owners, strict=True):
        if owner is None and (left := left - 1) < 0:
            continue
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
    taken = set(owners)
    by_id = {cell.id: _name(cell) for cell in skeleton.notebook.cells}
    by_text = {
        cell.source: _name(cell) for cell in skeleton.notebook.cells if not grade_id_of(cell)
    }
    for index, cell in enumerate(handed):
        name = by_id.get(cell.cell_id) or by_text.get(cell.source)
        if owners[index] is None and name is not None and name not in taken:
            owners[index] = name
            taken.add(name)
    for cell in skeleton.notebook.cells:
        name, function = grade_id_of(cell), _defined(cell.source)
        if not is_answer(cell) or name in taken or function is None:
            continue
        for index, candidate in enumerate(handed):
            if owners[index] is None and _defined(candidate.source) == function:
                owners[index] = name
                taken.add(name)
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
        elif any(_is_retagged(handed, cell) for handed in group):
            problems.append(f"the locked cell {name} had other settings; the original was used")
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


def _is_retagged(handed: Handed, cell: NotebookNode) -> bool:
    """Whether a student changed how a cell is run, shown or counted."""
    ours = cell.metadata.nbgrader
    return handed.tagged or any(ours.get(name) != value for name, value in handed.settings.items())


def _fresh(added: list[Handed], taken: set[str]) -> list[NotebookNode]:
    """Cells the student added, without any metadata and with ids that nobody else has."""
    cells = []
    for handed in added:
        identity = handed.cell_id or ""
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", identity) or identity in taken:
            identity = f"added-{len(taken)}"
        taken.add(identity)
        cell = _new_cell(handed, identity)
        if handed.kind == "markdown" and handed.attachments:
            cell.attachments = handed.attachments
        cells.append(cell)
    return cells


def _new_cell(handed: Handed, identity: str) -> NotebookNode:
    """A cell as nbformat makes it, without the check that takes longer than running it."""
    cell = NotebookNode(
        id=identity, cell_type=handed.kind, metadata=NotebookNode(), source=handed.source
    )
    if handed.kind == "code":
        cell.update(outputs=[], execution_count=None)
    return cell
