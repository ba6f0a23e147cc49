"""Every source notebook in solutions/ is one that nbgrader and a student can work with."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator
from stages import functions, is_by_hand, judged_cells, marks_of, read, region, source_of

import mdcv.exercises

HINT = re.compile(r"<summary>Hint \d: [^<]+</summary>")
LABELS = re.compile(
    r"Difficulty: [1-5] of 5 · Time: about (\d+) minutes · (\d+) points(, graded by hand)?"
)


def test_metadata_is_what_nbgrader_expects(source):
    MetadataValidator().validate_nb(source)
    nbformat.validate(source)
    assert {marks_of(cell)["schema_version"] for cell in source.cells if marks_of(cell)} == {3}


def test_grade_ids_are_unique_and_are_the_cell_ids(source):
    named = [cell for cell in source.cells if marks_of(cell)]
    assert [marks_of(cell)["grade_id"] for cell in named] == [cell.id for cell in named]
    ids = [cell.id for cell in source.cells]
    assert len(set(ids)) == len(ids)
    assert [i for i in ids if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9]*([-_][a-zA-Z0-9]+)*", i)] == []


def test_a_question_is_a_text_an_answer_a_check_and_points(source):
    place = {cell.id: index for index, cell in enumerate(source.cells)}
    for graded in judged_cells(source):
        name = graded.id
        text, answer, check, points = source.cells[place[name] - 3 : place[name] + 1]
        assert [cell.id for cell in (text, answer, check, points)] == [
            f"{name}-text",
            f"{name}-solution",
            f"{name}-check",
            name,
        ]
        kinds = [cell.cell_type for cell in (text, answer, check, points)]
        assert kinds == ["markdown", "code", "code", "code"], name
        roles = [
            tuple(marks_of(cell)[key] for key in ("grade", "solution", "locked"))
            for cell in (text, answer, check, points)
        ]
        read_only, writable, counted = (
            (False, False, True),
            (False, True, False),
            (True, False, True),
        )
        assert roles == [read_only, writable, read_only, counted], name
        assert check.source == f'check("{name}", {name})'


def test_the_exercise_behind_a_question_exists_and_is_worth_its_points(source):
    asked = {cell.id: marks_of(cell)["points"] for cell in judged_cells(source)}
    assert asked
    assert [name for name in asked if name not in mdcv.exercises.names()] == []
    assert {name: mdcv.exercises.get(name).points for name in asked} == asked


def test_an_answer_is_one_function_with_its_signature_in_the_open(source):
    for graded in judged_cells(source):
        cell = next(c for c in source.cells if c.id == f"{graded.id}-solution")
        assert [f.name for f in functions(cell.source)] == [graded.id]
        hidden = "\n".join(region(cell.source, "SOLUTION"))
        assert hidden and f"def {graded.id}" not in hidden
        assert ast.get_docstring(functions(cell.source)[0]) not in (None, "")
        assert '"""' not in hidden


def test_the_hidden_cell_ends_in_the_grade_and_asks_for_the_points_it_counts(source):
    for cell in judged_cells(source):
        shown = cell.source.split("### BEGIN HIDDEN TESTS")[0].strip().splitlines()
        assert shown and all(line.startswith("#") for line in shown), cell.id
        last = ast.parse("\n".join(region(cell.source, "HIDDEN TESTS"))).body[-1]
        assert isinstance(last, ast.Expr) and isinstance(last.value, ast.Call), cell.id
        points = marks_of(cell)["points"]
        assert ast.unparse(last) == f"grade('{cell.id}', {cell.id}, points={points})"


def test_every_question_has_three_hints_time_and_difficulty(source):
    texts = {cell.id: cell.source for cell in source.cells}
    for cell in source.cells:
        if not marks_of(cell).get("grade"):
            continue
        words = texts[f"{cell.id}-text"]
        assert len(HINT.findall(words)) == 3, cell.id
        assert words.count("<details>") == words.count("</details>") == 3, cell.id
        labels = LABELS.findall(words)
        assert len(labels) == 1, cell.id
        assert int(labels[0][1]) == marks_of(cell)["points"], cell.id
        assert bool(labels[0][2]) == is_by_hand(cell), cell.id


def test_a_hint_never_holds_a_line_of_the_solution(source):
    texts = {cell.id: cell.source for cell in source.cells}
    for cell in source.cells:
        if not cell.id.endswith("-solution"):
            continue
        hints = texts[cell.id.replace("-solution", "-text")].partition("<details>")[2]
        lines = [line.strip() for line in region(cell.source, "SOLUTION")]
        assert [line for line in lines if len(line) > 12 and line in hints] == []


def test_the_header_counts_time_and_points_as_the_questions_do(source):
    header = source.cells[0].source
    rows = re.findall(r"\| (\d+) min \| ([\d +]+) \|", header)
    points = [cell for cell in source.cells if marks_of(cell).get("grade")]
    labels = [m for cell in source.cells for m in LABELS.findall(cell.source)]
    assert sum(int(minutes) for minutes, _ in rows) == sum(int(m) for m, _, _ in labels)
    counted = [int(n) for _, cell in rows for n in cell.split("+")]
    assert counted == [marks_of(cell)["points"] for cell in points]
    assert f"{sum(counted)} points" in header


def test_what_a_person_grades_has_a_rubric_and_its_points_are_in_the_open(source):
    texts = {cell.id: cell.source for cell in source.cells}
    by_hand = [cell for cell in source.cells if is_by_hand(cell)]
    assert by_hand
    for cell in by_hand:
        assert region(cell.source, "MARK SCHEME"), cell.id
        shares = re.findall(r"\| (\d+) \|$", texts[f"{cell.id}-text"], re.MULTILINE)
        assert sum(map(int, shares)) == marks_of(cell)["points"], cell.id


def test_links_lead_somewhere(source, assignment):
    folder = source_of(assignment).parent
    links = [
        link
        for cell in source.cells
        if cell.cell_type == "markdown"
        for link in re.findall(r"\]\(([^)\s]+)\)", cell.source)
    ]
    missing = [link for link in links if "://" not in link and not (folder / link).is_file()]
    assert missing == []


@pytest.mark.parametrize("folder", ["solutions", "assignments"])
def test_a_notebook_is_stored_without_outputs_and_in_one_form(assignment, folder):
    path = source_of(assignment)
    path = Path(*path.parts[:-3], folder, *path.parts[-2:])
    text = path.read_text(encoding="utf-8")
    notebook = read(path)
    assert text == nbformat.writes(notebook) + "\n"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count is not None] == []
    assert set(json.loads(text)["metadata"]) == {"kernelspec", "language_info"}
