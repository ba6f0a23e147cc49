"""What was mended in a submission, on top of its page."""

from __future__ import annotations

import html
import re

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

NOTE_ID = "grading-notes"


def note_problems(notebook: NotebookNode, problems: list[str]) -> None:
    """Puts what was mended on top of the page, for the student and the grader to read."""
    if problems:
        lines = "\n".join(f"- {plain(problem)}" for problem in problems)
        note = new_markdown_cell(f"**Notes on this submission**\n\n{lines}", id=NOTE_ID)
        notebook.cells.insert(0, note)


def plain(text: str) -> str:
    r"""Text in which Markdown and HTML find nothing to do: names of files are strangers' words.

    >>> plain("a_b <b>.txt")
    'a_b &lt;b&gt;.txt'
    >>> plain("[x](y)")
    '\\[x\\](y)'
    """
    return re.sub(r"([\\`*\[\]$!|])", r"\\\1", html.escape(text, quote=False))
