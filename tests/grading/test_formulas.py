"""Formulas are drawn into the page; code and what cannot be drawn stay as they are."""

from __future__ import annotations

import base64
import re

import nbformat
import pytest

from mdcv.grading.course import find_course
from mdcv.grading.formulas import PIECES, draw_formulas


def test_a_formula_becomes_a_picture_that_says_what_it_shows():
    drawn = draw_formulas("With $x_i \\le y$ we get\n\n$$\\lVert x \\rVert_2 = 1 .$$\n")
    assert "$" not in drawn
    assert re.findall(r'alt="([^"]*)"', drawn) == ["x_i \\le y", "\\lVert x \\rVert_2 = 1 ."]
    [inline, _] = re.findall(r"base64,([^\"]+)", drawn)
    assert b"<svg" in base64.b64decode(inline)


@pytest.mark.parametrize(
    "text",
    [
        "no formula at all",
        "`$HOME` and `a$b$c`",
        "```\n$x$\n```",
        "$\\begin{nosuch} x$",
        "$" + "x" * 600 + "$",
        "it costs 5$ or 6$7",
    ],
)
def test_code_and_what_cannot_be_drawn_stay(text):
    assert draw_formulas(text) == text


def test_the_same_formula_is_the_same_picture():
    assert draw_formulas("$a + b$") == draw_formulas("$a + b$")


def test_every_formula_of_the_assignments_can_be_drawn():
    course = find_course()
    for assignment in course.assignments():
        notebook = nbformat.read(course.notebook(assignment), as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                left = [
                    piece[0]
                    for piece in PIECES.finditer(draw_formulas(cell.source))
                    if piece["code"] is None
                ]
                assert left == [], f"{assignment}, cell {cell.id}"
