"""Sample submissions are built from readable files, and cannot go stale in silence."""

from __future__ import annotations

import json

import nbformat
import pytest

from mdcv.grading.course import CannotRun
from mdcv.grading.release import release
from mdcv.grading.samples import build_samples, fill_in, read_sample

FILE = '''\
"""Doubles by a loop, and has an opinion."""

import math


def _helper(x):
    return math.floor(x)


def double(x):
    """Twice."""
    return _helper(x) + x


def triple(x):
    return 3 * x


why = """
    Because.
"""
'''


@pytest.fixture
def released(toy):
    return release(toy, "toy") / "toy.ipynb"


def test_a_file_is_read_without_being_run(tmp_path):
    path = tmp_path / "ada.py"
    path.write_text(FILE + "\nraise SystemExit\n")
    sample = read_sample(path)
    assert (sample.student, sample.about) == ("ada", "Doubles by a loop, and has an opinion.")
    assert sample.code["double"].startswith("import math\n\n\ndef _helper(x):")
    assert sample.code["triple"] == "def triple(x):\n    return 3 * x"
    assert sample.texts == {"why": "Because."}


def test_answers_go_into_their_cells_and_the_rest_stays(toy, released, tmp_path):
    samples = tmp_path / "samples"
    samples.mkdir()
    (samples / "ada.py").write_text(FILE)
    (samples / "cut.py").write_text('"""Broken."""\n\nDAMAGE = "cut in half"\n')
    (samples / "two.py").write_text('"""Doubled."""\n\nDAMAGE = "test cell copied"\n')
    assert build_samples(samples, released, toy.submitted) == ["ada", "cut", "two"]
    notebook = nbformat.read(toy.submitted / "ada/toy/toy.ipynb", as_version=4)
    cells = {cell.id: cell.source for cell in notebook.cells}
    assert cells["double-solution"].endswith("return _helper(x) + x")
    assert cells["why"] == "Because."
    assert cells["double"] == "# double is graded here."
    with pytest.raises(json.JSONDecodeError):
        json.loads((toy.submitted / "cut/toy/toy.ipynb").read_text())
    doubled = json.loads((toy.submitted / "two/toy/toy.ipynb").read_text())["cells"]
    assert [cell["id"] for cell in doubled].count("double") == 2


def test_an_answer_to_what_is_not_asked_is_refused(released, tmp_path):
    path = tmp_path / "ada.py"
    path.write_text("def quadruple(x):\n    return 4 * x\n")
    with pytest.raises(CannotRun, match="the sample ada answers quadruple, which is not asked"):
        fill_in(nbformat.read(released, as_version=4), read_sample(path))


def test_a_folder_without_samples_is_refused(released, tmp_path):
    with pytest.raises(CannotRun, match="there are no sample submissions"):
        build_samples(tmp_path, released, tmp_path)
