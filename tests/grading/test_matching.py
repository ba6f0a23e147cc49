"""Which cell is which: whatever an editor or a student did to names, places and order.

Each submission is right, however odd. It is rebuilt, run here in a moment, and asked.
"""

from __future__ import annotations

import contextlib
import copy
import json
import time

import nbformat
import pytest

from mdcv.grading.intake import Unreadable, read_cells, rebuild
from mdcv.grading.marks import is_judged
from mdcv.grading.skeleton import grade_id_of, is_question

DOUBLE, TRIPLE = "def double(x):\n    return 2 * x", "def triple(x):\n    return 3 * x"
BY_HELPER = "def double(x):\n    return twice(x)"
HELPER = "def twice(x):\n    return 2 * x"
WHY = "Because it is so."


def asked(notebook) -> dict[str, float]:
    """What the two functions say to 5 where they are graded: 10 and 15 when all is well."""
    names, answers = {"check": lambda *anything: None}, {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and is_judged(cell) and is_question(cell):
            with contextlib.suppress(Exception):
                answers[cell.id] = names[cell.id](5)
        elif cell.cell_type == "code":
            with contextlib.suppress(Exception):
                exec(cell.source.replace("from IPython.display", "# "), names)
    return answers


class Cells(list):
    """The cells of a notebook that is right, in a student's hands."""

    def at(self, name: str) -> int:
        return next(index for index, cell in enumerate(self) if cell.get("id") == name)

    def cell(self, name: str) -> dict:
        return self[self.at(name)]

    def pull(self, name: str) -> dict:
        return self.pop(self.at(name))

    def put(self, place: str | int, *sources: str, like: str | None = None) -> None:
        """New cells before the one of that name, or at an index; copies of another one or not."""
        index = place if isinstance(place, int) else self.at(place)
        plain = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        for number, source in enumerate(sources):
            made = copy.deepcopy(self.cell(like)) if like else dict(plain)
            self.insert(index + number, {**made, "source": source, "id": f"new-{len(self)}"})

    def text(self, source: str) -> None:
        self.append({"cell_type": "markdown", "metadata": {}, "source": source, "id": "mine"})

    def stub(self, *names: str) -> None:
        for name in names:
            self.cell(f"{name}-solution")["source"] = self.stubs[name]


@pytest.fixture
def rebuilt(toy_skeleton, tmp_path):
    def run(change):
        content = json.loads(nbformat.writes(toy_skeleton.released))
        cells = Cells(content["cells"])
        cells.stubs = {n: cells.cell(f"{n}-solution")["source"] for n in ("double", "triple")}
        for cell in cells:
            cell["source"] = "".join(cell["source"])
        for name, source in (("double-solution", DOUBLE), ("triple-solution", TRIPLE)):
            cells.cell(name)["source"] = source
        cells.cell("why")["source"] = WHY
        content["cells"] = change(cells) or cells
        path = tmp_path / "handed.ipynb"
        path.write_text(json.dumps(content))
        return rebuild(read_cells(path), toy_skeleton)

    return run


def loses(*what: str):
    def change(cells):
        for cell in cells:
            for key in what:
                cell[key] = {}

    return change


def swapped(key: str):
    def change(cells):
        one, other = cells.cell("double-solution"), cells.cell("triple-solution")
        one[key], other[key] = other[key], one[key]

    return change


def with_stub(place: str | int, *sources: str, like: str | None = None):
    """The stub of `double` stays, and the answer is written in other cells."""

    def change(cells):
        cells.stub("double")
        cells.put(len(cells) if place == "end" else place, *sources, like=like)

    return change


def source(name: str, text: str, *deleted: str):
    def change(cells):
        cells.cell(name)["source"] = text
        for one in deleted:
            cells.pull(one)

    return change


def both(*steps):
    def change(cells):
        for step in steps:
            step(cells)

    return change


def one_name_for_all(cells):
    for cell in cells:
        cell["metadata"] = copy.deepcopy(cells.cell("double-solution")["metadata"])


def all_in_one(cells):
    code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    return [
        {"cell_type": "code", "metadata": {}, "source": "\n\n".join(code)},
        {"cell_type": "markdown", "metadata": {}, "source": WHY},
    ]


def released_and_then_own(cells):
    untouched = copy.deepcopy(cells)
    untouched.stubs = cells.stubs
    untouched.stub("double", "triple")
    return [*untouched, *cells]


ODD = {
    "no ids, no metadata": loses("id", "metadata"),
    "no metadata": loses("metadata"),
    "names of nobody": lambda cells: [
        {**cell, "metadata": {"nbgrader": {"grade_id": f"cell-{number}"}}, "id": f"x{number}"}
        for number, cell in enumerate(cells)
    ],
    "no ids": loses("id"),
    "answers swapped": swapped("source"),
    "names swapped": swapped("metadata"),
    "ids swapped": swapped("id"),
    "names and ids swapped": both(swapped("id"), swapped("metadata")),
    "one name for all cells": one_name_for_all,
    "everything twice": lambda cells: [*cells, *copy.deepcopy(cells)],
    "the release and then the own work": released_and_then_own,
    "in reverse": lambda cells: cells[::-1],
    "all in one cell": all_in_one,
    "both in the first cell": both(
        lambda cells: cells.stub("triple"), source("double-solution", f"{DOUBLE}\n\n{TRIPLE}")
    ),
    "both in the first cell, the second deleted": source(
        "double-solution", f"{DOUBLE}\n\n{TRIPLE}", "triple-solution"
    ),
    "both in the second cell": both(
        lambda cells: cells.stub("double"), source("triple-solution", f"{DOUBLE}\n\n{TRIPLE}")
    ),
    "in a new cell above": with_stub("double-solution", DOUBLE),
    "in a new cell below": with_stub("double-check", DOUBLE),
    "in a new cell at the top": with_stub(0, DOUBLE),
    "in a new cell at the end": with_stub("end", DOUBLE),
    "in new cells at the end, with a helper": with_stub("end", HELPER, BY_HELPER),
    "in a new cell, as a lambda": with_stub("end", "double = lambda x: 2 * x"),
    "in a new cell, the old one deleted": both(
        with_stub("end", DOUBLE), lambda cells: cells.pull("double-solution") and None
    ),
    "in a new cell, the old one emptied": both(
        with_stub("end", DOUBLE), source("double-solution", " \n")
    ),
    "in a new cell, the old one points there": both(
        with_stub("end", DOUBLE), source("double-solution", "# double is at the end")
    ),
    "in a new cell, the old one does not parse": both(
        with_stub("end", DOUBLE), source("double-solution", "see the end (")
    ),
    "rotated, and one calls the other": both(
        source("double-solution", "def triple(x):\n    return double(x) + x"),
        source("triple-solution", DOUBLE),
    ),
    "as a class, in a new cell, the old one deleted": both(
        with_stub(2, "class Doubler:\n    def __call__(self, x): return 2 * x\ndouble = Doubler()"),
        lambda cells: cells.pull("double-solution") and None,
    ),
    "split, the helper first": both(
        source("double-solution", BY_HELPER),
        lambda cells: cells.put("double-solution", HELPER, like="double-solution"),
    ),
    "split, the helper behind": both(
        source("double-solution", BY_HELPER),
        lambda cells: cells.put("double-check", HELPER, like="double-solution"),
    ),
    "split in three": both(
        source("double-solution", BY_HELPER),
        lambda cells: cells.put("double-solution", "two = 2", HELPER, like="double-solution"),
    ),
    "merged with its check and its question": source(
        "double-solution", f'{DOUBLE}\n\ncheck("double", double)', "double-check", "double"
    ),
    "below its question": lambda cells: cells.append(cells.pull("double-solution")),
    "in the locked question": both(
        lambda cells: cells.stub("double"), source("double", f"# graded here\n{DOUBLE}")
    ),
    "in the locked check": both(
        lambda cells: cells.stub("double"), source("double-check", f"{DOUBLE}\ncheck()")
    ),
    "an import in the locked setup": both(
        source("setup", "import math"),
        source("double-solution", "def double(x):\n    return math.sqrt(4) * x"),
    ),
    "a helper in a copy of a locked cell": both(
        source("double-solution", BY_HELPER),
        lambda cells: cells.put("double-solution", HELPER, like="double-check"),
    ),
    "a helper in a copy of another answer": both(
        source("double-solution", BY_HELPER),
        lambda cells: cells.put("double-solution", HELPER, like="triple-solution"),
    ),
    "a wrong draft at the end": lambda cells: cells.put(len(cells), "def double(x):\n    return 7"),
    "a wrong draft in a copy at the end": lambda cells: cells.put(
        len(cells), "def double(x):\n    return 7", like="double-solution"
    ),
    "defined further in, and a draft at the end": both(
        source("double-solution", "if True:\n    def double(x):\n        return 2 * x"),
        lambda cells: cells.put(len(cells), "def double(x):\n    return 7"),
    ),
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_what_is_right_is_found(rebuilt, change):
    notebook, _ = rebuilt(change)
    assert asked(notebook) == {"double": 10, "triple": 15}
    why = next(cell for cell in notebook.cells if cell.id == "why")
    assert (why.cell_type, why.source) == ("markdown", WHY)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    nbformat.validate(notebook)


@pytest.mark.parametrize("old", ["deleted", "untouched", "emptied"])
def test_a_written_answer_in_a_new_cell_is_found(rebuilt, toy_skeleton, old):
    def change(cells):
        released = toy_skeleton.released_source("why")
        cells.cell("why")["source"] = "" if old == "emptied" else released
        if old == "deleted":
            cells.pull("why")
        cells.text("Mine.")

    notebook, problems = rebuilt(change)
    assert next(cell for cell in notebook.cells if cell.id == "why").source == "Mine."
    assert problems


def test_a_written_answer_without_name_and_place_is_the_longest_text(rebuilt):
    def change(cells):
        cells.pull("why")
        for text in ("Notes.", "Mine, and long enough."):
            cells.text(text)
        return [*cells[-2:], *cells[:-2]]

    notebook, _ = rebuilt(change)
    why = next(cell for cell in notebook.cells if cell.id == "why")
    assert why.source == "Mine, and long enough."


def test_code_that_a_person_grades_is_found_as_well():
    from mdcv.grading.course import find_course
    from mdcv.grading.handed_in import Handed
    from mdcv.grading.skeleton import load_skeleton

    course = find_course()
    skeleton = load_skeleton(course.notebook("a1_distances"), course.config())
    handed = [
        Handed(cell.cell_type, cell.source, grade_id_of(cell), cell.id)
        for cell in skeleton.released.cells
    ]
    figure = "def sliding_figure(shifts, curves):\n    return plt.figure()"
    notebook, _ = rebuild([*handed, Handed("code", figure, None, None)], skeleton)
    answer = next(cell for cell in notebook.cells if cell.id == "experiment-plot")
    assert answer.source == figure


def test_a_written_answer_that_was_split_is_shown_whole(rebuilt):
    def change(cells):
        index = cells.at("why") + 1
        cells.put(index, "The second half.", like="why")

    notebook, _ = rebuilt(change)
    sources = [cell.source for cell in notebook.cells]
    assert sources.index("The second half.") == sources.index(WHY) + 1


def test_what_follows_an_answer_and_undoes_it_counts(rebuilt):
    wrong = "def double(x):\n    return x"
    notebook, _ = rebuilt(lambda cells: cells.put("double-check", wrong))
    assert asked(notebook)["double"] == 5


def test_a_notebook_of_another_assignment_with_cells_of_the_same_name_is_refused(rebuilt):
    def change(cells):
        for cell in cells:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id", "why")
            if name not in ("setup", "why"):
                cell["metadata"]["nbgrader"]["grade_id"] = f"other-{name}"
                cell.update(id=f"other-{name}", source=f"other {name}")

    with pytest.raises(Unreadable, match="another notebook"):
        rebuilt(change)


def test_ids_of_added_cells_never_meet(rebuilt):
    def change(cells):
        for number in range(40):
            cells.append({"cell_type": "code", "source": "1", "id": f"added-{number}"})
            cells.append({"cell_type": "code", "source": "2", "id": "no good id"})
        cells.append({"cell_type": "code", "source": "3", "id": "grading-notes"})

    notebook, _ = rebuilt(change)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids) and "grading-notes" not in ids


def test_a_text_alone_is_no_answer(toy_skeleton):
    from mdcv.grading.handed_in import Handed

    with pytest.raises(Unreadable, match="another notebook"):
        rebuild([Handed("markdown", "Good evening.", None, None)], toy_skeleton)


def test_a_flood_of_claims_takes_no_time_and_few_words(toy_skeleton):
    from mdcv.grading.handed_in import Handed

    empty, text = Handed("markdown", "", "why", None), Handed("markdown", "t", None, None)
    setups = [Handed("code", f"x = {number}", "setup", None) for number in range(20_000)]
    begin = time.process_time()
    notebook, problems = rebuild([empty, text] * 20_000 + setups, toy_skeleton)
    assert time.process_time() - begin < 3
    assert len(notebook.cells) < 2_100 and len(problems) < 20
