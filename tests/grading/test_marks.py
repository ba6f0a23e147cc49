"""A mark needs a number and a record that agree; everything else is zero with a reason."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from mdcv.grading.marks import BY_HAND, NOT_ANSWERED, OUTCOME_MIME, mark_cell, mark_notebook


def record(score=3.0, max_score=3.0, message="all right", **more) -> nbformat.NotebookNode:
    outcome = {"score": score, "max_score": max_score, "message": message, **more}
    return new_output("display_data", {OUTCOME_MIME: outcome, "text/plain": "shown"})


def result(text: str) -> nbformat.NotebookNode:
    return new_output("execute_result", {"text/plain": text}, execution_count=1)


def judged(*outputs: nbformat.NotebookNode, points: float = 3) -> nbformat.NotebookNode:
    cell = new_code_cell("grade('f', f, points=3)", id="f", outputs=list(outputs))
    cell.metadata.nbgrader = {"grade_id": "f", "grade": True, "solution": False, "points": points}
    return cell


def test_number_and_record_that_agree_give_the_points_and_the_sentence():
    mark = mark_cell(judged(record(), result("3.0")))
    assert (mark.score, mark.max_score, mark.message) == (3.0, 3.0, "all right")


def test_partial_credit_is_kept_to_the_digit():
    assert mark_cell(judged(record(1.25), result("1.25"))).score == 1.25


def test_stderr_and_warnings_cost_nothing():
    noise = new_output("stream", name="stderr", text="UserWarning: this is deprecated\n")
    assert mark_cell(judged(noise, record(), result("3.0"))).score == 3.0


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        ([], "no record"),
        ([result("3.0")], "no record"),
        ([record()], "no result"),
        ([record(), result("nan")], "is no number: nan"),
        ([record(), result("inf")], "is no number: inf"),
        ([record(), result("'full marks'")], "is no number: 'full marks'"),
        ([record(), result("True")], "is no number: True"),
        ([record(), result("-1.0")], "negative: -1"),
        ([record(-2.0), result("3.0")], "negative: -2"),
        ([record(1.0), result("3.0")], "the result is 3, but the record says 1"),
        ([record(1.0), result("300.0")], "the result is 300, but the record says 1"),
        ([record(float("nan")), result("3.0")], "not about 3 points"),
        ([record("3.0 of 3"), result("3.0")], "not about 3 points"),
        ([record(max_score=5.0), result("3.0")], "not about 3 points"),
        ([record(message=None), result("3.0")], "has no message"),
        ([record(0.0), record(), result("3.0")], "more than one judgment"),
        ([record(), result("3.0"), result("3.0")], "more than one judgment"),
    ],
)
def test_anything_else_is_zero_and_says_why(outputs, reason):
    mark = mark_cell(judged(*outputs))
    assert mark.score == 0.0
    assert reason in mark.message


def test_points_never_exceed_the_maximum():
    assert mark_cell(judged(record(7.0), result("7.0"))).score == 3.0


def test_an_error_is_zero_with_its_last_line():
    error = new_output("error", ename="ValueError", evalue="no\nmore lines", traceback=["..."])
    mark = mark_cell(judged(record(), result("3.0"), error))
    assert (mark.score, mark.message) == (0.0, "ValueError: no")


def test_a_record_that_is_no_object_counts_as_none():
    odd = new_output("display_data", {OUTCOME_MIME: [1, 2], "text/plain": "x"})
    assert "no record" in mark_cell(judged(odd, result("3.0"))).message


def missing_name() -> nbformat.NotebookNode:
    text = "name 'f' is not defined"
    return judged(new_output("error", ename="NameError", evalue=text, traceback=[]))


def test_a_name_that_is_not_there_is_traced_to_the_cell_that_failed():
    error = new_output("error", ename="SyntaxError", evalue="invalid syntax", traceback=[])
    answer = new_code_cell("def f(x:\n    return x", id="answer", outputs=[error])
    notebook = new_notebook(cells=[answer, missing_name()])
    message = mark_notebook(notebook)["f"].message
    assert message == "f is not there, because its cell failed: SyntaxError: invalid syntax"


def test_a_name_that_nobody_defined_says_so():
    notebook = new_notebook(cells=[new_code_cell("g = 1", id="answer"), missing_name()])
    assert mark_notebook(notebook)["f"].message == "f is not defined anywhere before it is graded"


def test_a_reason_without_a_record_is_left_on_the_page():
    notebook = new_notebook(cells=[judged()])
    mark_notebook(notebook)
    assert "no record" in notebook.cells[0].outputs[-1].data["text/plain"]


def test_a_written_answer_waits_for_a_person_and_an_untouched_one_is_zero():
    from nbgrader.utils import compute_checksum

    def written(source: str) -> nbformat.NotebookNode:
        cell = new_markdown_cell(source, id="why")
        cell.metadata.nbgrader = {"grade_id": "why", "grade": True, "solution": True, "points": 4}
        return cell

    checksum = compute_checksum(written("YOUR ANSWER HERE"))
    untouched, answered = written("YOUR ANSWER HERE"), written("Because.")
    for cell in (untouched, answered):
        cell.metadata.nbgrader["checksum"] = checksum
    mark = mark_notebook(new_notebook(cells=[untouched]))["why"]
    assert (mark.score, mark.message, mark.by_hand) == (0.0, NOT_ANSWERED, True)
    mark = mark_notebook(new_notebook(cells=[answered]))["why"]
    assert (mark.score, mark.message, mark.max_score) == (None, BY_HAND, 4.0)


def test_the_type_of_the_record_is_the_one_the_exercises_publish():
    from mdcv.exercises.marking import RECORD_TYPE

    assert OUTCOME_MIME == RECORD_TYPE
