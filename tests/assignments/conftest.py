"""The assignments, and the notebooks that nbgrader makes of each one's source."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import stages


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `assignment` runs on every folder of solutions/."""
    if "assignment" in metafunc.fixturenames:
        metafunc.parametrize("assignment", stages.ASSIGNMENTS, scope="module")


@pytest.fixture(scope="module")
def source(assignment: str):
    """The notebook as its author wrote it."""
    return stages.read(stages.source_of(assignment))


@pytest.fixture(scope="module")
def release(assignment: str):
    """The notebook as students get it, from assignments/."""
    return stages.read(stages.release_of(assignment))


@pytest.fixture(scope="module")
def graded(assignment: str):
    """The release with its hidden cases still in: what an untouched submission is graded on."""
    return stages.without_answers(assignment)
