"""Every notebook in assignments/ is what its source gives, and gives nothing away."""

from __future__ import annotations

import ast
import re

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator
from stages import as_released, bodies, functions, judged_cells, marks_of, region, release_of

ON_DUTY = ("BEGIN", "END SOLUTION", "END HIDDEN", "HIDDEN TESTS", "MARK SCHEME", "grade(")


def test_the_release_is_current(assignment):
    released = nbformat.writes(as_released(assignment)) + "\n"
    assert release_of(assignment).read_text(encoding="utf-8") == released, (
        f"assignments/{assignment} is not what solutions/{assignment} gives; run `mdcv release`"
    )


def test_metadata_is_what_nbgrader_expects(release):
    MetadataValidator().validate_nb(release)
    nbformat.validate(release)


def test_the_release_has_the_cells_of_its_source(source, release):
    assert [cell.id for cell in release.cells] == [cell.id for cell in source.cells]


@pytest.mark.parametrize("word", ON_DUTY)
def test_no_marker_and_no_hidden_case_is_left(release, word):
    assert [cell.id for cell in release.cells if word in cell.source] == []


@pytest.mark.parametrize("kind", ["SOLUTION", "HIDDEN TESTS", "MARK SCHEME"])
def test_no_hidden_line_is_left(source, release, kind):
    released = {line.strip() for cell in release.cells for line in cell.source.splitlines()}
    secret = {line.strip() for cell in source.cells for line in region(cell.source, kind)}
    harmless = {"", ")", "]", "}", "else:"}
    assert secret - harmless
    assert (secret - harmless) & released == set()


def test_a_written_answer_is_released_empty(release):
    written = [
        cell
        for cell in release.cells
        if marks_of(cell).get("solution") and cell.cell_type == "markdown"
    ]
    assert [cell.source for cell in written] == ["YOUR ANSWER HERE"] * len(written)


def test_a_function_to_write_is_released_as_signature_docstring_and_stub(source, release):
    answers = {cell.id: cell for cell in source.cells}
    for graded in judged_cells(release):
        cell = next(c for c in release.cells if c.id == f"{graded.id}-solution")
        (stub,) = functions(cell.source)
        (full,) = functions(answers[cell.id].source)
        assert ast.get_docstring(stub) == ast.get_docstring(full)
        for empty, filled in zip(bodies(stub), bodies(full), strict=True):
            assert ast.unparse(empty.args) == ast.unparse(filled.args)
            assert ast.get_docstring(empty) == ast.get_docstring(filled)
            assert [ast.unparse(node) for node in empty.body[1:]] == ["raise NotImplementedError()"]
        end = r"( +)# YOUR CODE HERE\n\1raise NotImplementedError\(\)"
        assert re.fullmatch(end, "\n".join(cell.source.splitlines()[-2:]))


def test_a_cell_that_counts_points_is_released_as_a_comment(release):
    for cell in judged_cells(release):
        assert ast.parse(cell.source).body == [], cell.id
