"""A student checks their notebook as the grader would, with nothing but the notebook."""

from __future__ import annotations

import pytest

from mdcv.grading.check import FOR_THE_GRADER, all_passed, check_notebook
from mdcv.grading.course import CannotRun
from mdcv.grading.marks import BY_HAND, NOT_ANSWERED, Mark


def test_only_what_the_grader_judges_decides():
    right, by_hand = Mark(3.0, 3.0, "right"), Mark(None, 4.0, BY_HAND, by_hand=True)
    unanswered = Mark(0.0, 4.0, NOT_ANSWERED, by_hand=True)
    assert all_passed({"a": right, "b": by_hand, "c": unanswered})
    assert not all_passed({"a": right, "d": Mark(2.99, 3.0, "nearly")})
    assert not all_passed({"a": right, "d": Mark(None, 3.0, FOR_THE_GRADER)})


@pytest.mark.grading
def test_a_question_without_a_public_judge_is_not_called_right(pupil):
    folder = pupil().answers(double="return 2 * x", why="Because.").hand_in("ada")
    marks, problems = check_notebook(folder / "toy.ipynb")
    assert marks["double"].message == FOR_THE_GRADER
    assert marks["why"].message == BY_HAND
    assert problems == []
    assert sorted(path.name for path in folder.iterdir()) == ["toy.ipynb"]


@pytest.mark.grading
def test_a_copied_cell_is_said_and_counts_once(pupil):
    student = pupil().answers(double="return 2 * x")
    student.notebook.cells.append(student.cell("double").copy())
    marks, problems = check_notebook(student.hand_in("ada") / "toy.ipynb")
    assert list(marks) == ["double", "triple", "why"]
    assert problems == ["the cell double is there more than once; the first counts"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "there is no notebook"),
        ("", "the notebook file is empty"),
        ("{", "is broken"),
        ('{"cells": [{"cell_type": "markdown", "source": "hi"}]}', "is no notebook|no questions"),
    ],
)
def test_a_file_that_cannot_be_checked_is_named(tmp_path, content, reason):
    path = tmp_path / "a.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CannotRun, match=reason):
        check_notebook(path)
