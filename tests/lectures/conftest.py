"""Makes the rules importable beside the tests, and lists what they hold for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

LECTURES = Path(__file__).resolve().parents[2] / "lectures"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of `lecture_file` runs on every notebook, others on what their class says."""
    asked, tests = set(metafunc.fixturenames), metafunc.cls
    if "lecture_file" in asked:
        found = sorted(LECTURES.glob("*.ipynb"))
        metafunc.parametrize("lecture_file", found, ids=[path.stem for path in found])
    if "number" in asked:
        metafunc.parametrize("number", tests.broken)
    if "blank_cell" in asked:
        metafunc.parametrize("blank_cell", tests.blanks)
    if "filled" in asked:
        names = (
            ("cell_id", "filled", "objection") if "objection" in asked else ("cell_id", "filled")
        )
        answers = tests.wrong if "objection" in asked else tests.right
        ids = [f"{answer[0]}-{k}" for k, answer in enumerate(answers)]
        metafunc.parametrize(names, answers, ids=ids)
