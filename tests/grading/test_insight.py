"""What a class got wrong, counted from its autograded notebooks."""

from __future__ import annotations

import io
import json

import nbformat
import pytest
from nbformat.v4 import new_output
from rich.console import Console

from mdcv.grading.course import CannotRun
from mdcv.grading.insight import UNANSWERED, UNJUDGED, UNNAMED, as_json, class_insight
from mdcv.grading.marks import OUTCOME_MIME
from mdcv.grading.show import insight_table
from mdcv.grading.skeleton import load_skeleton


def page(toy, student: str, **judged: tuple[float, str | None, str] | None) -> None:
    """An autograded notebook: for each question score, misconception and sentence, or nothing."""
    notebook = load_skeleton(toy.notebook("toy"), toy.config()).notebook
    for cell in notebook.cells:
        if cell.id in ("double", "triple"):
            most = cell.metadata.nbgrader["points"]
            outcome = judged.get(cell.id, (most, None, "all cases pass"))
            if outcome is None:
                cell.outputs = [new_output("error", ename="E", evalue="died", traceback=[])]
                continue
            score, name, message = outcome
            record = {"score": score, "max_score": most, "message": message, "misconception": name}
            data = {OUTCOME_MIME: record, "text/plain": message}
            result = new_output("execute_result", {"text/plain": str(score)}, execution_count=1)
            cell.outputs = [new_output("display_data", data), result]
    path = toy.autograded / student / "toy" / "toy.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


@pytest.fixture
def graded(toy):
    page(toy, "ada")
    page(toy, "ben", double=(1.0, "squares", "You squared it."))
    page(
        toy, "chen", double=(0.0, "squares", "You squared it, and more."), triple=(0.0, None, "No")
    )
    page(toy, "dana", double=(1.0, "squares", "You squared it."), triple=None)
    page(toy, "emil", double=(2.0, "adds_one", "One too many."))
    return toy


def test_misconceptions_are_counted_by_question_the_most_common_first(graded):
    double, triple = class_insight(graded, "toy")
    assert (double.question, double.answers, double.right) == ("double", 5, 1)
    squares, adds_one = double.ranked()
    assert (squares.name, squares.students) == ("squares", ["ben", "chen", "dana"])
    assert squares.sentence == "You squared it."
    assert (adds_one.name, adds_one.students) == ("adds_one", ["emil"])
    assert (triple.right, {one.name for one in triple.ranked()}) == (3, {UNNAMED, UNJUDGED})


def test_an_untouched_stub_is_no_misconception(toy):
    from mdcv.exercises import judge

    def stub(x, y, *, squared=True, reduction="sum", one_sided=False):
        raise NotImplementedError()

    message = judge("chamfer_distance", stub).message
    page(toy, "ada", double=(0.0, None, message))
    assert [one.name for one in class_insight(toy, "toy")[0].ranked()] == [UNANSWERED]


def test_a_question_that_everybody_got_right_is_listed_too(toy):
    page(toy, "ada")
    assert [(one.right, one.ranked()) for one in class_insight(toy, "toy")] == [(1, []), (1, [])]


def test_as_data_it_holds_every_name_and_share(graded):
    told = json.loads(json.dumps(as_json("toy", class_insight(graded, "toy"))))
    assert told["questions"]["double"]["misconceptions"][0] == {
        "name": "squares",
        "students": ["ben", "chen", "dana"],
        "share": 0.6,
        "sentence": "You squared it.",
    }


def test_the_table_tells_who_and_how_many(graded):
    console = Console(width=140, file=io.StringIO())
    console.print(insight_table(class_insight(graded, "toy")))
    text = console.file.getvalue()
    assert "3 (60 %)" in text and "ben, chen, dana" in text and "You squared it." in text


def test_before_anything_was_graded_it_says_so(toy):
    with pytest.raises(CannotRun, match="nothing of toy was graded yet"):
        class_insight(toy, "toy")
    with pytest.raises(CannotRun, match="there is no assignment 'a9'"):
        class_insight(toy, "a9")


def test_a_page_that_cannot_be_read_is_named(graded):
    (graded.autograded / "ada/toy/toy.ipynb").write_text("{")
    with pytest.raises(CannotRun, match=r"ada/toy/toy\.ipynb cannot be read"):
        class_insight(graded, "toy")


@pytest.mark.parametrize("content", ['{"cells": 3}', '{"cells": [{}]}', "[]", "\ud800"])
def test_a_page_of_another_shape_is_named(graded, content):
    path = graded.autograded / "ada/toy/toy.ipynb"
    path.write_text(content, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(CannotRun, match=r"ada/toy/toy\.ipynb cannot be read"):
        class_insight(graded, "toy")


def test_what_a_killed_run_left_unfinished_is_nobodys(graded):
    page(graded, ".mdcv-x1", double=(0.0, None, "No"))
    assert class_insight(graded, "toy")[0].answers == 5
