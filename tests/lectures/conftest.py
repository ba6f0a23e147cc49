"""Makes the rules importable beside the tests, and lists the lectures they hold for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

LECTURES = Path(__file__).resolve().parents[2] / "lectures"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `lecture_file` runs on every notebook of the folder."""
    if "lecture_file" in metafunc.fixturenames:
        found = sorted(LECTURES.glob("*.ipynb"))
        metafunc.parametrize("lecture_file", found, ids=[path.stem for path in found])
