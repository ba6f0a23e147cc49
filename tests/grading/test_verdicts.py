"""A graded cell is read, never run; its symbol is asked from outside."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import mdcv
from mdcv.exercises import get, judge, names
from mdcv.exercises.calling import Caller
from mdcv.grading.execution import run_notebook
from mdcv.grading.marks import OUTCOME_MIME, mark_cell, mark_notebook
from mdcv.grading.skeleton import load_skeleton
from mdcv.grading.verdicts import Judgment, judge_of, judgment_in


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("grade('f', f, points=3)", Judgment("f", "f", 3.0)),
        ("from mdcv.exercises import grade\n\ngrade('f', f)", Judgment("f", "f", 5.0)),
        ("import m\nm.grade('f', (A, b.c), points=2)", Judgment("f", "(A, b.c)", 2.0)),
        ("assert f(2) == 4", None),
        ("grade('f', f, points=3); grade('g', g, points=3)", None),
        ("grade(name, f, points=3)", None),
        ("grade('f')", None),
        ("%magic\ngrade('f', f)", None),
    ],
)
def test_what_a_graded_cell_asks_is_read_from_it(source, found):
    assert judgment_in(source, 5.0) == found


@pytest.fixture
def judged(toy, pupil, tmp_path):
    """Runs the toy with these answers; returns the notebook and its marks."""
    source = toy.notebook("toy")
    skeleton = load_skeleton(source, toy.config())

    def run(setup: str = "", **answers: str):
        notebook = nbformat.from_dict(skeleton.notebook)
        student = pupil().answers(**answers)
        for cell in notebook.cells:
            if cell.id.endswith("-solution"):
                cell.source = student.cell(cell.id).source
            if cell.id == "setup":
                cell.source = setup or "pass"
        run_notebook(notebook, folder=tmp_path)
        return {cell.id: cell for cell in notebook.cells}, mark_notebook(notebook)

    return run


@pytest.mark.grading
def test_a_judged_cell_holds_what_grade_would_have_left(judged):
    cells, marks = judged(double="return 2 * x", triple="return x")
    [shown, number] = cells["double"].outputs
    assert shown.data[OUTCOME_MIME] == {
        "exercise": "double",
        "score": 3.0,
        "max_score": 3.0,
        "passed": True,
        "message": "all cases pass",
        "misconception": None,
    }
    assert number.output_type == "execute_result" and number.data["text/plain"] == "3.0"
    assert (marks["double"].score, marks["triple"].score) == (3.0, 0.0)
    assert cells["double-check"].outputs == []


def test_a_question_that_nobody_can_judge_gets_nothing_and_says_so():
    outcome = judge_of("nothing")(Caller(None), 1)
    assert outcome.score == 0.0
    assert "there is no exercise 'nothing'" in outcome.message


@pytest.mark.grading
@pytest.mark.parametrize("no_fork", ["0", "1"])
def test_each_way_of_running_gives_the_same_marks(judged, monkeypatch, no_fork):
    monkeypatch.setenv("MDCV_NO_FORK", no_fork)
    answers = {"double": "import os; os._exit(3)", "triple": "return 3 * x"}
    _, marks = judged(**answers)
    assert marks["double"].message.startswith("the kernel died while this cell ran")
    assert marks["triple"].score == 2.0
    answers = {"double": "while True: pass", "triple": "print('x' * 100_000); return 3 * x"}
    _, marks = judged(**answers)
    assert marks["double"].message == "double did not come back in time"
    assert marks["triple"].score == 2.0


@pytest.mark.grading
def test_what_an_answer_does_to_its_process_is_gone_with_the_question(judged):
    breaks = """
def double(x):
    import builtins, sys, torch, os
    torch.Tensor.__mul__ = torch.Tensor.__rmul__ = lambda *a: 1 / 0
    torch.set_default_dtype(torch.float64)
    globals()["triple"] = None
    sys.modules.clear()
    return x + x"""
    _, marks = judged(double=breaks, triple="return 3 * x")
    assert marks["double"].score in (0.0, 3.0)
    assert marks["triple"].score == 2.0


@pytest.mark.grading
@pytest.mark.parametrize("which", ["reference", "first mistake"])
def test_every_exercise_judges_the_same_from_outside_as_inside(which, tmp_path, at_the_door):
    """Those that train for seconds are left to the tests of the exercises."""
    quick = [name for name in names() if not name.startswith("train_")]
    pick = "get(name).reference" if which == "reference" else "get(name).wrong[0].function"
    library = str(Path(mdcv.__file__).parents[1])
    setup = f"""
import sys
sys.path.insert(0, {library!r})  # the kernel of this test may know the answers
for name in [name for name in sys.modules if name.startswith("mdcv")]:
    del sys.modules[name]
from mdcv.exercises.registry import get
functions = {{name: {pick} for name in {quick!r}}}"""
    cells = [new_code_cell(setup, id="setup")]
    for name in quick:
        cell = new_code_cell(f"grade({name!r}, functions[{name!r}], points=1)", id=name)
        cell.metadata.nbgrader = {"grade_id": name, "grade": True, "points": 1, "locked": True}
        cells.append(cell)
    run_notebook(new_notebook(cells=cells), folder=tmp_path, seed=7, isolation="none")
    for cell in cells[1:]:
        exercise = get(cell.id)
        right = exercise.reference if which == "reference" else exercise.wrong[0].function
        here = judge(cell.id, right, seed=7)
        assert mark_cell(cell).message == here.message
        assert mark_cell(cell).score == pytest.approx(here.score, abs=1e-6)
