"""The release is the same each time, and gives nothing away."""

from __future__ import annotations

import json

import nbformat
import pytest

from mdcv.grading.course import CannotRun
from mdcv.grading.gradebook import open_gradebook, record_marks
from mdcv.grading.marks import Mark
from mdcv.grading.release import check_release, enter_assignment, release, release_is_current


def change_source(toy, change) -> None:
    path = toy.notebook("toy")
    notebook = nbformat.read(path, as_version=4)
    change({cell.id: cell for cell in notebook.cells})
    nbformat.write(notebook, path)


def test_the_release_shows_stubs_and_hides_answers_cases_and_rubric(toy):
    text = (release(toy, "toy") / "toy.ipynb").read_text()
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(text)["cells"]}
    head, stub = 'def double(x):\n    """Double of x."""\n', "    # YOUR CODE HERE\n"
    assert cells["double-solution"] == head + stub + "    raise NotImplementedError()"
    assert cells["double"] == "# double is graded here."
    assert cells["why"] == "YOUR ANSWER HERE"
    for secret in ("BEGIN", "twice the same", "points=3", "One point each"):
        assert secret not in text


def test_it_has_the_same_bytes_each_time_in_the_form_of_the_house(toy):
    path = release(toy, "toy") / "toy.ipynb"
    first = path.read_bytes()
    path.write_text("{}")
    assert (release(toy, "toy") / "toy.ipynb").read_bytes() == first
    assert first.endswith(b"}\n") and b'\n "cells"' in first
    assert [cell.id for cell in nbformat.read(path, as_version=4).cells][:3] == [
        "title",
        "setup",
        "double-text",
    ]


def test_it_is_current_until_the_source_or_the_release_changes(toy):
    assert not release_is_current(toy, "toy")
    folder = release(toy, "toy")
    assert release_is_current(toy, "toy")
    (folder / "notes.txt").write_text("left over")
    assert not release_is_current(toy, "toy")
    release(toy, "toy")
    assert release_is_current(toy, "toy")
    change_source(toy, lambda cells: cells["title"].update(source="# Toys"))
    assert not release_is_current(toy, "toy")


def test_data_beside_the_source_is_released_with_it(toy):
    (toy.source / "toy" / "points.csv").write_text("1,2\n")
    assert (release(toy, "toy") / "points.csv").read_text() == "1,2\n"


@pytest.mark.parametrize(
    ("cell", "old", "new", "reason"),
    [
        ("double", "BEGIN HIDDEN TESTS", "BEGIN HIDDEN TEST", "cell double still holds the mark"),
        ("double", "### END HIDDEN TESTS", "", "No end hidden tests statement found"),
        ("double-solution", "    ### END SOLUTION", "", "no end solution statement found"),
    ],
)
def test_a_source_that_gives_something_away_is_refused(toy, cell, old, new, reason):
    change_source(
        toy, lambda cells: cells[cell].update(source=cells[cell].source.replace(old, new))
    )
    with pytest.raises(CannotRun, match=reason):
        release(toy, "toy")
    assert not (toy.release / "toy").exists()


@pytest.mark.parametrize(
    ("cell", "change", "reason"),
    [
        ("double-text", {"source": "return x + x  # twice the same"}, "shows a line of the answer"),
        ("double", {"source": 'grade("double", double, points=3)'}, "shows a line of the answer"),
        ("double-solution", {"source": "def double(x):\n    pass"}, "an answer without a stub"),
        ("setup", {"execution_count": 4}, "holds outputs"),
        ("why", {"source": "### BEGIN MARK SCHEME"}, "still holds the mark of a region"),
    ],
)
def test_a_release_that_gives_something_away_is_found(toy, cell, change, reason):
    released = release(toy, "toy") / "toy.ipynb"
    notebook = nbformat.read(released, as_version=4)
    next(one for one in notebook.cells if one.id == cell).update(change)
    nbformat.write(notebook, released)
    with pytest.raises(CannotRun, match=f"cell {cell} {reason}|cell {cell} is {reason}"):
        check_release(toy.notebook("toy"), released)


def test_an_answer_without_a_region_is_released_as_an_empty_stub(toy):
    whole = "def double(x):\n    return x + x"
    change_source(toy, lambda cells: cells["double-solution"].update(source=whole))
    cells = nbformat.read(release(toy, "toy") / "toy.ipynb", as_version=4).cells
    assert next(c for c in cells if c.id == "double-solution").source.startswith("# YOUR CODE HERE")


def test_cells_cannot_come_or_go_once_somebody_was_graded(toy):
    release(toy, "toy")
    with open_gradebook(toy) as gradebook:
        marks = {name: Mark(0.0, 1.0, "") for name in ("double", "triple", "why")}
        record_marks(gradebook, "toy", "ada", marks)

    def rename(cells):
        cells["triple"].metadata.nbgrader["grade_id"] = "threefold"

    change_source(toy, rename)
    with pytest.raises(CannotRun, match="there are submissions associated with it"):
        release(toy, "toy")


def test_the_gradebook_knows_points_and_due_date(toy):
    (toy.root / "schedule.csv").write_text("assignment,due\ntoy,2030-01-31 23:59\n")
    enter_assignment(toy, "toy")
    with open_gradebook(toy) as gradebook:
        entry = gradebook.find_assignment("toy")
        assert entry.max_score == 9
        assert str(entry.duedate) == "2030-01-31 23:59:00"


def test_a_date_that_is_none_is_refused(toy):
    (toy.root / "schedule.csv").write_text("assignment,due\ntoy,next week\n")
    with pytest.raises(CannotRun, match="toy is due 'next week'; expected 2030-01-31 23:59"):
        enter_assignment(toy, "toy")


def test_an_unknown_assignment_is_refused(toy):
    with pytest.raises(CannotRun, match="there is no assignment 'a9'"):
        release(toy, "a9")
