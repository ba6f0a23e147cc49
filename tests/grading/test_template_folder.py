"""The folder of a template lives as long as its grader, and no longer."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mdcv.grading.template_folder import PREFIX, TemplateFolder, remove_forgotten


def test_the_folder_of_a_killed_grader_is_removed_and_that_of_a_live_one_is_not():
    forgotten = Path(tempfile.mkdtemp(prefix=PREFIX))
    (forgotten / "lock").touch()
    kept = TemplateFolder()
    remove_forgotten()
    assert kept.path.exists() and not forgotten.exists()
    kept.remove()
    assert not kept.path.exists()
