"""The doctor finds what is broken, and says so."""

from __future__ import annotations

from importlib import metadata

import pytest

from mdcv.grading.course import CannotRun, find_course
from mdcv.grading.doctor import BROKEN, GOOD, NOTE, examine, find_course_or_none


@pytest.fixture
def hurried(monkeypatch):
    """Leaves out what takes seconds: compiling, and making a gradebook."""
    for look in ("_kernels", "_gradebook"):
        monkeypatch.setattr(f"mdcv.grading.doctor.{look}", lambda: iter(()))


def test_this_machine_is_well_and_isolation_is_told_honestly():
    findings = list(examine(find_course()))
    assert [finding for finding in findings if finding.state == BROKEN] == []
    assert {"Python", "packages", "torch", "kernels", "alembic", "gradebook", "course", "disk"} < {
        finding.what for finding in findings if finding.state == GOOD
    }
    [isolation] = [finding for finding in findings if finding.what == "isolation"]
    assert isolation.state == NOTE and isolation.words.startswith("none yet")


def test_old_and_missing_packages_are_broken(toy, hurried, monkeypatch):
    installed = metadata.version

    def version(name: str) -> str:
        if name == "rich":
            raise metadata.PackageNotFoundError(name)
        return "0.1" if name == "torch" else installed(name)

    monkeypatch.setattr(metadata, "version", version)
    words = [finding.words for finding in examine(toy) if finding.state == BROKEN]
    assert len(words) == 2
    assert words[0].startswith("torch is 0.1 (>=") and words[1].startswith("rich is missing")


def test_a_program_that_is_not_there_is_broken(toy, hurried, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    broken = {finding.what for finding in examine(toy) if finding.state == BROKEN}
    assert broken == {"jupyter", "nbgrader", "alembic"}


def test_what_raises_on_the_way_is_a_finding(hurried, monkeypatch):
    def fails():
        raise OSError("no disk")

    monkeypatch.setattr("mdcv.grading.doctor._torch", fails)
    [finding] = [finding for finding in examine(None) if finding.state == BROKEN]
    assert (finding.what, finding.words) == ("torch", "OSError: no disk")


def test_without_a_course_it_looks_at_the_rest(hurried, tmp_path):
    assert find_course_or_none(None) is not None
    with pytest.raises(CannotRun):
        find_course_or_none(tmp_path)
    findings = {finding.what: finding.state for finding in examine(None)}
    assert findings["course"] == NOTE
