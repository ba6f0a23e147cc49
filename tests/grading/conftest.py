"""A toy course: two functions and a written answer, without torch: a kernel is up in a moment."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from mdcv.grading.course import Course, open_course

REPOSITORY = Path(__file__).resolve().parents[2]

KERNEL = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

SETUP = """\
import os
from IPython.display import publish_display_data

def check(name, function):
    assert function(2) == {"double": 4, "triple": 6}[name], f"{name}(2) is wrong"

def grade(name, function, *, points):
    try:
        right = function(5) == {"double": 10, "triple": 15}[name]
        message = "all cases pass" if right else f"{name}(5) is wrong"
    except Exception as error:
        right, message = False, f"{name} raised {type(error).__name__}"
    score = float(points if right else 0)
    record = {"exercise": name, "score": score, "max_score": points, "passed": right,
              "message": message, "misconception": None}
    publish_display_data({"application/vnd.mdcv.outcome+json": record, "text/plain": message})
    return score"""


def tagged(make, source: str, grade_id: str, **metadata) -> nbformat.NotebookNode:
    """A cell as nbgrader's own toolbar would make it."""
    cell = make(source, id=grade_id)
    given = {"grade": False, "solution": False, "locked": False, "task": False, **metadata}
    cell.metadata.nbgrader = {"grade_id": grade_id, "schema_version": 3, **given}
    return cell


def question(name: str, answer: str, points: float) -> list[nbformat.NotebookNode]:
    solution = f'''\
def {name}(x):
    """{name.title()} of x."""
    ### BEGIN SOLUTION
    {answer}
    ### END SOLUTION'''
    hidden = f'''\
# {name} is graded here.
### BEGIN HIDDEN TESTS
grade("{name}", {name}, points={points})
### END HIDDEN TESTS'''
    return [
        tagged(new_markdown_cell, f"## {name}", f"{name}-text", locked=True),
        tagged(new_code_cell, solution, f"{name}-solution", solution=True),
        tagged(new_code_cell, f'check("{name}", {name})', f"{name}-check", locked=True),
        tagged(new_code_cell, hidden, name, grade=True, locked=True, points=points),
    ]


def toy_source() -> nbformat.NotebookNode:
    """The instructor's notebook of the toy assignment: 3 + 2 points by itself, 4 by hand."""
    written = (
        "Because $2x = x + x$.\\n\\n### BEGIN MARK SCHEME\\nOne point each.\\n### END MARK SCHEME"
    )
    cells = [
        new_markdown_cell("# Toy", id="title"),
        tagged(new_code_cell, SETUP, "setup", locked=True),
        *question("double", "return x + x  # twice the same", 3),
        *question("triple", "return x + x + x  # and once more", 2),
        tagged(new_markdown_cell, written, "why", grade=True, solution=True, points=4),
    ]
    return new_notebook(cells=cells, metadata=KERNEL)


@pytest.fixture(autouse=True)
def toy_judges(monkeypatch):
    """The toy's questions are no exercises of the course; they are judged as `judges` says."""
    monkeypatch.setenv("MDCV_JUDGES", str(Path(__file__).with_name("judges.py")))


@pytest.fixture(scope="session")
def empty_gradebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gradebook without entries: making one runs a program, copying one does not."""
    from nbgrader.api import Gradebook

    from mdcv.grading.gradebook import alembic_on_path

    alembic_on_path()
    path = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    Gradebook(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def toy_skeleton(tmp_path_factory: pytest.TempPathFactory):
    """The toy's skeleton alone, for tests that need no course; not to be changed."""
    from mdcv.grading.skeleton import load_skeleton

    path = tmp_path_factory.mktemp("toy") / "toy" / "toy.ipynb"
    path.parent.mkdir()
    nbformat.write(toy_source(), path)
    return load_skeleton(path)


@pytest.fixture
def toy(tmp_path: Path, empty_gradebook: Path) -> Course:
    """A fresh toy course on disk, with the configuration of the real one."""
    root = tmp_path / "course"
    root.mkdir()
    shutil.copy(REPOSITORY / "course" / "nbgrader_config.py", root)
    shutil.copy(empty_gradebook, root)
    source = tmp_path / "solutions" / "toy"
    source.mkdir(parents=True)
    nbformat.write(toy_source(), source / "toy.ipynb")
    return open_course(root)


class Pupil:
    """The released toy notebook in a student's hands."""

    def __init__(self, course: Course, released: nbformat.NotebookNode):
        self.course, self.notebook = course, released

    def cell(self, grade_id: str) -> nbformat.NotebookNode:
        return next(cell for cell in self.notebook.cells if cell.id == grade_id)

    def answers(self, **answers: str) -> Pupil:
        """Fills in answer cells: `double="return 2 * x"`, or a whole cell of several lines."""
        for name, answer in answers.items():
            if name == "why":
                self.cell("why").source = answer
            else:
                whole = answer if "\n" in answer else f"def {name}(x):\n    {answer}"
                self.cell(f"{name}-solution").source = whole
        return self

    def hand_in(self, student: str) -> Path:
        """Writes the notebook where a submission is expected."""
        folder = self.course.submitted / student / "toy"
        folder.mkdir(parents=True, exist_ok=True)
        # Not nbformat.write: it mends what a student may well have broken.
        (folder / "toy.ipynb").write_text(json.dumps(self.notebook))
        return folder


@pytest.fixture
def pupil(toy: Course):
    """Makes a pupil with an untouched notebook of their own."""
    from mdcv.grading.skeleton import load_skeleton

    skeleton = load_skeleton(toy.notebook("toy"), toy.config())

    def make() -> Pupil:
        from copy import deepcopy

        return Pupil(toy, deepcopy(skeleton.released))

    return make


@pytest.fixture
def stand_in(monkeypatch):
    """The module that grades in the place of kernels; workers can import it as well."""
    import sys

    here = str(Path(__file__).parent)
    monkeypatch.setattr(sys, "path", [*sys.path, here])
    monkeypatch.setenv("PYTHONPATH", here, prepend=os.pathsep)
    import stand_in

    return stand_in


@pytest.fixture
def here():
    """Hands in this very process: one task at a time, without walls around the grader."""
    from mdcv.grading.work import Graded, Task, grade_task

    class Here:
        def __init__(self, work=grade_task):
            self.work, self.done = work, []

        def room(self) -> bool:
            return not self.done

        def begin(self, task: Task) -> None:
            self.done.append(self.work(task))

        def wait(self) -> Graded:
            return self.done.pop()

        def close(self) -> None:
            self.done.clear()

    return Here


@pytest.fixture
def parcel():
    """Makes a task of the toy assignment, as far as the stand-in reads it."""
    from mdcv.grading.execution import Limits
    from mdcv.grading.work import Task

    def make(student: str, answer: str = "return 2 * x", seconds: float = 60.0) -> Task:
        notebook = json.dumps({"cells": [{"id": "double-solution", "source": answer}]})
        return Task(student, notebook, {}, (), 7, Limits(total_seconds=seconds), "none", "any")

    return make


@pytest.fixture
def left_over():
    """Looks for processes that came from a template and are still there."""
    import psutil

    from mdcv.grading import warm

    def look() -> list[psutil.Process]:
        found = []
        for template in warm._idle:
            first = psutil.Process(template.pid)
            family = [first, *first.children(recursive=True)]
            here = [one for one in family if one.name() != "bwrap"]
            found += here[1:]  # the first is the template
        return found

    return look
