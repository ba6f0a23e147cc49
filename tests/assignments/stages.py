"""An assignment on its way from its author to a grade, made by nbgrader's own steps."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENTS = sorted(path.parent.name for path in (ROOT / "solutions").glob("*/*.ipynb"))


def source_of(assignment: str) -> Path:
    return ROOT / "solutions" / assignment / f"{assignment}.ipynb"


def release_of(assignment: str) -> Path:
    return ROOT / "assignments" / assignment / f"{assignment}.ipynb"


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def course_config() -> Config:
    """What nbgrader reads when it works on this course."""
    from traitlets.config.loader import PyFileConfigLoader

    return PyFileConfigLoader("nbgrader_config.py", path=str(ROOT / "course")).load_config()


def without_answers(assignment: str) -> NotebookNode:
    """The source after nbgrader's steps of a release, up to the one into its database."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.preprocessors import SaveCells

    config = course_config()
    notebook = read(source_of(assignment))
    resources = {"nbgrader": {"notebook": assignment, "assignment": assignment}}
    steps = GenerateAssignment(config=config).preprocessors
    for step in steps[: steps.index(SaveCells)]:
        notebook, resources = step(config=config).preprocess(notebook, resources)
    return notebook


def as_released(assignment: str) -> NotebookNode:
    """The source after all of nbgrader's steps of a release but the one into its database."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.preprocessors import SaveCells

    config = course_config()
    notebook = without_answers(assignment)
    resources = {"nbgrader": {"notebook": assignment, "assignment": assignment}}
    steps = GenerateAssignment(config=config).preprocessors
    for step in steps[steps.index(SaveCells) + 1 :]:
        notebook, resources = step(config=config).preprocess(notebook, resources)
    return notebook


def marks_of(cell: NotebookNode) -> dict:
    """nbgrader's metadata of a cell, empty for an ordinary one."""
    return cell.metadata.get("nbgrader", {})


def is_judged(cell: NotebookNode) -> bool:
    """Whether the cell's points are counted by a machine."""
    return bool(marks_of(cell).get("grade")) and not marks_of(cell).get("solution")


def is_by_hand(cell: NotebookNode) -> bool:
    """Whether the cell's points are given by a person."""
    return bool(marks_of(cell).get("grade")) and bool(marks_of(cell).get("solution"))


def judged_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if is_judged(cell)]


def region(source: str, name: str) -> list[str]:
    """The lines between `### BEGIN <name>` and `### END <name>`, of all such regions."""
    lines, inside = [], False
    for line in source.splitlines():
        if f"### BEGIN {name}" in line:
            inside = True
        elif f"### END {name}" in line:
            inside = False
        elif inside:
            lines.append(line)
    return lines


def functions(source: str) -> list[ast.FunctionDef | ast.ClassDef]:
    """The functions and classes that a cell defines at its top level."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [node for node in ast.parse(source).body if isinstance(node, kinds)]


def bodies(node: ast.FunctionDef | ast.ClassDef) -> list[ast.FunctionDef]:
    """What a student fills in: the function itself, or the methods of the class."""
    if isinstance(node, ast.FunctionDef):
        return [node]
    return [method for method in node.body if isinstance(method, ast.FunctionDef)]
