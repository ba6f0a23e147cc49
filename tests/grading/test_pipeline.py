"""nbgrader's own commands keep working on the course, with the same marks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mdcv.grading.classroom import grade_class
from mdcv.grading.gradebook import open_gradebook
from mdcv.grading.release import release

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.grading


def nbgrader(folder: Path, *arguments: str) -> str:
    """Runs one of nbgrader's commands as an instructor would; returns what it said."""
    programs = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    command = [f"{programs}/nbgrader", *arguments]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stderr


def test_stock_commands_work_from_the_repository_root(toy, pupil):
    """Release, grade, write feedback, export; then `mdcv` on the same course says the same."""
    root = toy.root.parent
    shutil.copy(REPOSITORY / "nbgrader_config.py", root)
    student = pupil().answers(double="import sys; print('!', file=sys.stderr); return 2 * x")
    student.answers(triple="import os; os._exit(1)", why="Because.")
    student.notebook.cells.append(student.cell("double").copy())
    student.hand_in("ada")

    nbgrader(root, "generate_assignment", "toy")
    by_stock = (toy.release / "toy" / "toy.ipynb").read_bytes()
    nbgrader(root, "autograde", "toy")
    nbgrader(root, "generate_feedback", "toy")
    nbgrader(root, "export", "--to", "grades.csv")

    assert standing(toy) == {"double": 3.0, "triple": 0.0, "why": 0.0}
    assert (root / "grades.csv").read_text().splitlines()[1].endswith(",3.0,0.0,3.0,9.0")
    page = (toy.feedback / "ada/toy/toy.html").read_text()
    assert "all cases pass" in page and "HIDDEN TESTS" not in page and "cdnjs" not in page
    assert "it counts once" in page

    assert (release(toy, "toy") / "toy.ipynb").read_bytes() == by_stock
    list(grade_class(toy, "toy", isolation="none", again=True))
    assert standing(toy) == {"double": 3.0, "triple": 0.0, "why": 0.0}


def test_stock_autograde_works_with_the_course_folder_named(toy, pupil):
    release(toy, "toy")
    pupil().answers(double="return 2 * x").hand_in("ada")
    nbgrader(toy.root.parent, "autograde", "toy", f"--course-dir={toy.root}")
    assert standing(toy) == {"double": 3.0, "triple": 0.0, "why": 0.0}


def standing(toy) -> dict[str, float]:
    with open_gradebook(toy) as gradebook:
        [notebook] = gradebook.find_submission("toy", "ada").notebooks
        return {grade.name: grade.score for grade in notebook.grades}
