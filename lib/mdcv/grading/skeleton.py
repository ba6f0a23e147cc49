"""The assignment as written, with empty answers: what submissions are rebuilt on."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from traitlets.config import Config

from mdcv.grading.course import CannotRun


@dataclass(frozen=True)
class Question:
    """One cell that carries points; `by_hand` when a person reads it."""

    grade_id: str
    max_score: float
    by_hand: bool


@dataclass(frozen=True)
class Skeleton:
    """An assignment twice: with its hidden cases, and as the students received it."""

    notebook: NotebookNode
    released: NotebookNode
    questions: tuple[Question, ...]

    def released_source(self, grade_id: str) -> str:
        """What the students received in the cell of that name."""
        return next(cell.source for cell in self.released.cells if grade_id_of(cell) == grade_id)


def grade_id_of(cell: NotebookNode) -> str | None:
    """The name nbgrader knows a cell by, or None for an ordinary cell."""
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    return grade_id if isinstance(grade_id, str) else None


def is_answer(cell: NotebookNode) -> bool:
    """Whether the student is to write in this cell of a skeleton."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def is_question(cell: NotebookNode) -> bool:
    """Whether the cell carries points."""
    nbgrader = cell.metadata.get("nbgrader", {})
    return bool(nbgrader.get("grade") or nbgrader.get("task"))


def is_by_hand(cell: NotebookNode) -> bool:
    """Whether a person gives the cell's points: a written answer, a plot, a task."""
    nbgrader = cell.metadata.get("nbgrader", {})
    return is_question(cell) and (
        is_answer(cell) or nbgrader.get("task") or cell.cell_type != "code"
    )


def questions_of(notebook: NotebookNode) -> tuple[Question, ...]:
    """Every cell that carries points, in the order of the page."""
    return tuple(
        Question(grade_id_of(cell), float(cell.metadata.nbgrader["points"]), is_by_hand(cell))
        for cell in notebook.cells
        if is_question(cell)
    )


def release_steps(config: Config | None = None) -> list[type]:
    """The steps of nbgrader's `generate_assignment`, as the course configures them."""
    from nbgrader.converters import GenerateAssignment
    from traitlets.utils.importstring import import_item

    steps = GenerateAssignment(config=config or Config()).preprocessors
    return [import_item(step) if isinstance(step, str) else step for step in steps]


def load_skeleton(path: Path, config: Config | None = None) -> Skeleton:
    """The skeleton of a source notebook, made by nbgrader's own steps of `generate_assignment`.

    Raises:
        CannotRun: the source cannot be read, or nbgrader refuses it.
    """
    from nbgrader.preprocessors import SaveCells

    steps = release_steps(config)
    # nbgrader saves the cells to its database after the answers and before the hidden cases go.
    saved = steps.index(SaveCells)
    try:
        notebook = _apply(steps[:saved], nbformat.read(path, as_version=4), path, config)
        released = _apply(steps[saved + 1 :], copy.deepcopy(notebook), path, config)
    except Exception as error:
        raise CannotRun(f"the source {path} is no assignment: {error}") from error
    return Skeleton(notebook, released, questions_of(notebook))


def _apply(
    steps: list[type], notebook: NotebookNode, path: Path, config: Config | None
) -> NotebookNode:
    resources = {
        "nbgrader": {"notebook": path.stem, "assignment": path.parent.name},
        "metadata": {"path": str(path.parent)},
    }
    for step in steps:
        notebook, resources = step(config=config or Config())(notebook, resources)
    return notebook
