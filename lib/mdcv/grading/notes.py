"""What was mended in a submission, on top of its page."""

from __future__ import annotations

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell


def note_problems(notebook: NotebookNode, problems: list[str]) -> None:
    """Puts what was mended on top of the page, for the student and the grader to read."""
    if problems:
        lines = "\n".join(f"- {problem}" for problem in problems)
        note = new_markdown_cell(f"**Notes on this submission**\n\n{lines}", id="grading-notes")
        notebook.cells.insert(0, note)
