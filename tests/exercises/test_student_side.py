"""What is loaded where students' code runs: no reference, and no room with answers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mdcv.exercises import check, grade, when_written
from mdcv.exercises.showing import WALLS_VARIABLE

STUDENT_SIDE = (
    *("calling", "building", "cases", "objects", "adapters", "records", "isolation", "packing"),
    *("showing", "marking"),
)

#: The only parts of mdcv that may be loaded there besides the files above.
HARMLESS = {"mdcv", "mdcv.exercises", "mdcv.seeds", "mdcv.errors", "mdcv.device"}


def loaded_after(code: str) -> set[str]:
    code += "\nimport sys; print(*[name for name in sys.modules if name.startswith('mdcv')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_the_student_s_side_loads_no_answers():
    code = "".join(f"import mdcv.exercises.{name}\n" for name in STUDENT_SIDE)
    code += "from mdcv.exercises import check, grade, when_written\n"
    loaded = loaded_after(code)
    assert loaded == HARMLESS & loaded | {f"mdcv.exercises.{name}" for name in STUDENT_SIDE}


def test_a_whole_question_is_answered_there_without_loading_answers():
    code = """
import torch
from mdcv.exercises.calling import Asking, answer_within
from mdcv.exercises.cases import Made
from mdcv.exercises.packing import pack_answer, pack_call, unpack_answer, unpack_call
layers = [(torch.ones(1, 3), torch.ones(1))]
asking = Asking((Made("recording_network", who="f", layers=layers), torch.ones(2, 3)), {}, 1)
answer = answer_within(lambda f, x: f(x).sum(), unpack_call(*pack_call(asking)), 5.0)
assert unpack_answer(*pack_answer(answer)).value == 8
"""
    outside = {name for name in loaded_after(code) if not name.startswith("mdcv.exercises")}
    assert outside <= HARMLESS


def test_an_answer_that_loads_the_references_would_be_seen():
    assert "mdcv.points" in loaded_after("from mdcv.exercises import judge")


def test_checks_and_grades_wait_behind_the_walls(monkeypatch, capsys):
    monkeypatch.setenv(WALLS_VARIABLE, "1")
    assert check("hausdorff_distance", None) is None
    assert grade("hausdorff_distance", None, points=6) == 0.0
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["hausdorff_distance is judged outside this notebook."] * 2


def test_what_waits_for_a_stub_says_so(capsys):
    with when_written("the figure"):
        raise NotImplementedError
    assert "Not yet: the figure" in capsys.readouterr().out


def test_other_errors_are_not_swallowed():
    with pytest.raises(ZeroDivisionError), when_written("the figure"):
        print(1 / 0)
