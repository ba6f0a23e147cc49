"""A submission rebuilt on the released notebook, in a copy: repaired where the work is clear.

What a student hands in is never run as it stands. From their file come the answers and the
cells they added; everything else (tests, locked text, points, metadata) comes from the
skeleton. Whatever had to be mended is reported in words, and nothing here is ever fatal.
"""

from __future__ import annotations

import copy
import re
from dataclasses import replace

from nbformat import NotebookNode

from mdcv.grading.belongings import copy_files
from mdcv.grading.handed_in import Handed, HandedIn, Unreadable, find_notebook, read_cells
from mdcv.grading.marks import is_judged
from mdcv.grading.matching import Matching, defines, may_define, name_of, symbol_of
from mdcv.grading.notes import NOTE_ID
from mdcv.grading.skeleton import Skeleton, grade_id_of, is_answer, is_question

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

#: Of the cells before a misplaced answer at most this many are run with it.
MAX_COMPANIONS = 20


def rebuild(handed: list[Handed], skeleton: Skeleton) -> tuple[NotebookNode, list[str]]:
    """The notebook to grade, and what was mended.

    It is the skeleton with the student's answers and added cells; `matching` says which cell is
    which. Of several answers with one name the first that was written in counts. A cell that the
    student added stays behind the cell it stood behind. What was written into a locked cell runs
    before the original, and an answer that stands in another cell is found.

    Raises:
        Unreadable: this is another notebook.
    """
    match = Matching(handed, skeleton)
    if match.is_another_notebook():
        raise Unreadable("this is another notebook: few or none of its cells are the assignment's")
    problems: list[str] = [*getattr(handed, "problems", ())]
    groups: dict[str, list[Handed]] = {}
    added: dict[str | None, list[Handed]] = {}
    behind = None
    extra = match.owners.count(None) - MAX_ADDED_CELLS
    if extra > 0:
        problems.append(f"of the added cells the last {extra} were left out")
    left = MAX_ADDED_CELLS
    for cell, owner in zip(handed, match.owners, strict=True):
        if owner is None and (left := left - 1) < 0:
            continue
        if owner is None:
            added.setdefault(behind, []).append(cell)
        else:
            groups.setdefault(owner, []).append(cell)
            behind = owner

    notebook = copy.deepcopy(skeleton.notebook)
    taken = {cell.id for cell in notebook.cells} | {NOTE_ID}
    cells = _fresh(added.get(None, []), taken)
    for cell in notebook.cells:
        name = name_of(cell)
        group = groups.get(name, [])
        if grade_id_of(cell) is not None:
            cells += _fresh(_written_in(cell, group, match.texts[name]), taken)
            _fill(cell, group, match.texts[name], problems)
        elif group:  # a cell without a name is the student's to change
            cell.source = group[0].source
        cells += [cell, *_fresh(added.get(name, []), taken)]
    problems += [
        f"copies of the cell {name} were changed; they are added cells"
        for name in sorted(match.copies)
    ]
    notebook.cells = cells
    for answer in [cell for cell in cells if symbol_of(match.cells.get(grade_id_of(cell)))]:
        _find_elsewhere(answer, notebook.cells, match, taken, problems)
    return notebook, problems


def _written_in(cell: NotebookNode, group: list[Handed], released: str) -> list[Handed]:
    """What a student wrote into a locked cell of code; a cell that only judges may make nothing."""
    if is_answer(cell) or cell.cell_type != "code" or not group:
        return []
    if group[0].source in (released, cell.source):  # the instructor's own notebook has the latter
        return []
    makes = re.search(r"^(?:def|class|async|import|from|@|\w+\s*=)", group[0].source, re.MULTILINE)
    return [replace(group[0], kind="code", cell_id=None)] if makes or not is_judged(cell) else []


def _find_elsewhere(
    answer: NotebookNode, cells: list[NotebookNode], match: Matching, taken: set, problems: list
) -> None:
    """Looks for the function of an answer cell that does not hold it, in the student's other cells.

    One that stands before takes the place of the stub, which would undo it. One that stands only
    behind the question is run before it as well.
    """
    name = grade_id_of(answer)
    symbol, stub = symbol_of(match.cells[name]), match.texts[name].strip()
    untouched = answer.source.strip() in ("", stub)
    if not untouched and may_define(answer.source, symbol):
        return
    here = next(i for i, cell in enumerate(cells) if cell is answer)
    asked = next(i for i, cell in enumerate(cells) if i >= here and is_question(cell))
    found = [
        index
        for index, cell in enumerate(cells)
        if cell.cell_type == "code"
        and (is_answer(cell) or grade_id_of(cell) is None)
        and cell.source.strip() != stub
        and defines(cell.source, symbol)
    ]
    if not found or any(here < index < asked for index in found):
        return
    before = [index for index in found if index < here]
    if before and not untouched:
        return
    problems.append(f"the answer to {name} stands in another cell; it was found there")
    if before:
        answer.source = cells[before[-1]].source
        return
    first = last = found[-1]
    while last - first < MAX_COMPANIONS and _is_added(cells[last]) and _is_added(cells[first - 1]):
        first -= 1
    sources = [cell.source for cell in cells[first : last + 1] if cell.cell_type == "code"]
    if untouched:
        answer.source = sources.pop()
    copies = [Handed(kind="code", source=source, grade_id=None, cell_id=None) for source in sources]
    place = here if untouched else here + 1
    cells[place:place] = _fresh(copies, taken)


def _is_added(cell: NotebookNode) -> bool:
    return grade_id_of(cell) is None


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
    untouched = ("", released.strip())
    answer = next((one for one in group if one.source.strip() not in untouched), group[0])
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
        identity, number = handed.cell_id or "", len(taken)
        while not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", identity) or identity in taken:
            identity, number = f"added-{number}", number + 1
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
