"""The examples in the docstrings: pytest looks for them in the package only."""

from __future__ import annotations

import doctest

import pytest
from bench import judging, picture, report


@pytest.mark.parametrize("module", [judging, picture, report], ids=lambda m: m.__name__)
def test_examples_are_true(module):
    found = doctest.testmod(module)
    assert found.attempted > 0 and found.failed == 0
