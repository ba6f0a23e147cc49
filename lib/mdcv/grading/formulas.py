"""Formulas on the students' pages, drawn into the page itself: no script, no network.

matplotlib knows the formulas of a course, not all of LaTeX. What it cannot draw stays as it
was typed.
"""

from __future__ import annotations

import base64
import functools
import html
import io
import re

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

#: A fenced block, a code span, a formula on its own lines, a formula in the text.
PIECES = re.compile(
    r"(?P<code>```.*?```|`[^`\n]*`)|\$\$(?P<block>.+?)\$\$|(?<![\\$])\$(?P<inline>[^$\n]+?)\$(?!\d)",
    flags=re.DOTALL,
)

#: What matplotlib calls by another name, or does not need.
SPELLINGS = {
    r"\\[lr]Vert(?![a-zA-Z])": r"\\Vert ",
    r"\\[lr]vert(?![a-zA-Z])": r"\\vert ",
    r"\\[bB]igg?[lr]?(?![a-zA-Z])": "",
    r"\\le(?![a-zA-Z])": r"\\leq ",
    r"\\ge(?![a-zA-Z])": r"\\geq ",
    r"\\t?frac12": r"\\frac{1}{2}",
}

#: A longer formula is no formula of this course, and may take for ever.
MAX_CHARACTERS = 500

#: A page has room for so many; what a student typed beyond that stays as it is.
MAX_FORMULAS = 1_000


class DrawFormulas(NbGraderPreprocessor):
    """Puts a picture in the place of every formula in the text cells."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """The notebook with its formulas drawn."""
        self.left = MAX_FORMULAS
        return super().preprocess(nb, resources)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict, cell_index: int
    ) -> tuple[NotebookNode, dict]:
        """The cell with its formulas drawn, as long as there is room on the page."""
        if cell.cell_type == "markdown":
            formulas = cell.source.count("$") // 2
            if formulas <= self.left:
                cell.source = draw_formulas(cell.source)
                self.left -= formulas
        return cell, resources


def draw_formulas(text: str) -> str:
    """Markdown with an image in the place of each formula; code is left alone."""

    def picture(piece: re.Match) -> str:
        formula = piece["block"] or piece["inline"]
        if formula is None:
            return piece[0]
        drawn = _svg(" ".join(formula.split()))
        if drawn is None:
            return piece[0]
        image, style = drawn
        alt = html.escape(" ".join(formula.split()), quote=True)
        alt = alt.replace("|", "&#124;")  # a table of Markdown would split there
        tag = f'<img alt="{alt}" style="{style}" src="data:image/svg+xml;base64,{image}">'
        return f"\n\n<p>{tag}</p>\n\n" if piece["block"] else tag

    return PIECES.sub(picture, text)


@functools.lru_cache(maxsize=2000)
def _svg(formula: str) -> tuple[str, str] | None:
    """A formula as base64 SVG, and its style on the line; None if it cannot be drawn."""
    try:
        from matplotlib import rc_context
        from matplotlib.font_manager import FontProperties
        from matplotlib.mathtext import math_to_image
    except ImportError:  # grading works without the extra that brings it
        return None
    if len(formula) > MAX_CHARACTERS:
        return None
    for theirs, ours in SPELLINGS.items():
        formula = re.sub(theirs, ours, formula)
    picture = io.BytesIO()
    # Fixed ids and no date, so that the same page has the same bytes.
    with rc_context({"svg.hashsalt": "mdcv", "mathtext.fontset": "cm"}):
        try:
            depth = math_to_image(
                f"${formula}$", picture, prop=FontProperties(size=12), dpi=72, format="svg"
            )
        except ValueError:
            return None
    text = re.sub(r"<metadata>.*?</metadata>", "", picture.getvalue().decode(), flags=re.DOTALL)
    style = f"vertical-align:-{depth:.1f}pt; margin:0; display:inline"
    return base64.b64encode(text.encode()).decode(), style
