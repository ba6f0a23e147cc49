"""A student's notebook, run as the grader would run it: no course, no database, no secret."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from mdcv.grading.course import CannotRun
from mdcv.grading.execution import Limits, run_notebook
from mdcv.grading.intake import Unreadable, copy_files, read_cells
from mdcv.grading.marks import Mark, is_judged, mark_notebook
from mdcv.grading.skeleton import grade_id_of, is_question
from mdcv.grading.walls import best_isolation

FOR_THE_GRADER = "not judged here: only the grader has its cases"


def check_notebook(
    path: Path, *, limits: Limits | None = None
) -> tuple[dict[str, Mark], list[str]]:
    """The mark of every question in a copy of the notebook, and what went wrong on the way.

    A released notebook holds no hidden cases. The graded cell of an exercise is judged on the
    public ones instead, with the same code.

    Args:
        path: the notebook; it is only read.
        limits: what the notebook may use.

    Raises:
        CannotRun: there is no such notebook, or it cannot be read, or it holds no questions.
    """
    notebook = _read(path)
    for cell in filter(is_question, notebook.cells):
        if grade_id_of(cell) is None or "points" not in cell.metadata.nbgrader:
            raise CannotRun(f"{path}: cell {cell.id} has lost its points; take a fresh copy")
    doubled = _drop_doubles(notebook)
    unjudged = _add_judges(notebook)
    with tempfile.TemporaryDirectory(prefix="mdcv-") as scratch:
        problems = doubled + copy_files(path.resolve().parent, Path(scratch))
        problems += run_notebook(
            notebook, folder=Path(scratch), limits=limits, isolation=best_isolation()
        )  # one's own code may run without walls, where there are none
    marks = mark_notebook(notebook)
    if not marks:
        raise CannotRun(f"{path} holds no questions; is it an assignment?")
    for name in unjudged:
        marks[name] = Mark(None, marks[name].max_score, FOR_THE_GRADER)
    return marks, problems


def all_passed(marks: dict[str, Mark]) -> bool:
    """Whether every question that no person has to read has all its points."""
    judged = [mark for mark in marks.values() if not mark.by_hand]
    return all(mark.score is not None and mark.score > mark.max_score - 1e-9 for mark in judged)


def _read(path: Path) -> NotebookNode:
    if not path.is_file():
        raise CannotRun(f"there is no notebook {path}")
    try:
        read_cells(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about ids, which are mended here
            return nbformat.v4.upgrade(nbformat.read(path, as_version=4))
    except Unreadable as error:
        raise CannotRun(f"{path}: {error}") from error
    except Exception as error:
        raise CannotRun(f"{path} is no notebook: {error}") from error


def _drop_doubles(notebook: NotebookNode) -> list[str]:
    """Takes copies of named cells out, as the grader does; returns what it says about them."""
    seen, kept, problems = set(), [], []
    for cell in notebook.cells:
        name = grade_id_of(cell)
        if name in seen:
            problems.append(f"the cell {name} is there more than once; the first counts")
        else:
            kept.append(cell)
        seen |= {name} - {None}
    notebook.cells = kept
    return problems


def _add_judges(notebook: NotebookNode) -> list[str]:
    """Writes the judge into the graded cells that hold none; returns those without an exercise."""
    from mdcv.exercises import names

    known, unjudged = set(names()), []
    for cell in notebook.cells:
        if not (is_question(cell) and is_judged(cell)) or "grade(" in cell.source:
            continue
        name, points = grade_id_of(cell), cell.metadata.nbgrader["points"]
        if name in known:
            cell.source += (
                f'\nfrom mdcv.exercises import grade\n\ngrade("{name}", {name}, points={points})'
            )
        else:
            unjudged.append(name)
    return unjudged
